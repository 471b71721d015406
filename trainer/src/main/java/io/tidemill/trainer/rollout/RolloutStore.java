package io.tidemill.trainer.rollout;

import io.tidemill.trainer.checkpoint.Durable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps rollouts on disk before they are used, one file for each {@link Harvest}, in the directory of the run's state. A file
 * is written aside, flushed and renamed, and has a digest in it.
 *
 * <p>A harvest that saved weights have learned from must be read back, or the stage cannot go on. One that came after the
 * last saved state was never used by weights that still exist: if it is damaged, or was made by other weights, it is made
 * again.
 */
public final class RolloutStore {
    private static final Logger LOG = LoggerFactory.getLogger(RolloutStore.class);

    private final Path directory;
    private final String stage;
    private final Pattern name;

    /**
     * @param directory exists; also holds other files of the run
     * @param stage     whose rollouts they are, part of the files' names
     */
    public RolloutStore(Path directory, String stage) {
        this.directory = directory;
        this.stage = stage;
        this.name = Pattern.compile("rollouts-" + Pattern.quote(stage) + "-([0-9]+)\\.bin");
    }

    private Path file(long step) {
        return directory.resolve("rollouts-" + stage + "-" + step + ".bin");
    }

    /** Writes it; when this returns it outlives a power cut. */
    void keep(Harvest harvest) {
        try {
            Durable.write(file(harvest.step()), HarvestFile.write(harvest));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Cannot keep the rollouts of step " + harvest.step() + " of stage " + stage + " in " + directory
                            + ": " + e.getMessage() + ". Nothing was learned from them",
                    e);
        }
    }

    /** The harvest of that step, if it was kept whole and has that origin and memory; else it is to be made again. */
    Optional<Harvest> unused(
            long step, Harvest.Origin origin, Map<String, Double> before, Map<String, RolloutPrompt> prompts) {
        try {
            Harvest harvest = HarvestFile.read(Files.readAllBytes(file(step)), prompts);
            if (harvest.step() == step
                    && harvest.origin().equals(origin)
                    && harvest.before().equals(before)) {
                return Optional.of(harvest);
            }
            LOG.warn(
                    "stage={} step={} rollouts=made_again reason=other settings or weights than now made them",
                    stage,
                    step);
        } catch (NoSuchFileException e) {
            // never made
        } catch (IOException e) {
            LOG.warn("stage={} step={} rollouts=made_again file={} reason={}", stage, step, file(step), e.getMessage());
        }
        return Optional.empty();
    }

    /**
     * The harvest of that step, of which saved weights have learned a part.
     *
     * @throws RolloutsLostException if it cannot be read back
     */
    Harvest used(long step, String settings, Map<String, RolloutPrompt> prompts) {
        String reason;
        try {
            Harvest harvest = HarvestFile.read(Files.readAllBytes(file(step)), prompts);
            if (harvest.step() == step && harvest.origin().settings().equals(settings)) {
                return harvest;
            }
            reason = "it was made with other settings or prompts";
        } catch (NoSuchFileException e) {
            reason = "it is not there";
        } catch (IOException e) {
            reason = e.getMessage();
        }
        throw new RolloutsLostException("Stage " + stage
                + " cannot go on from its saved state: that has learned from the"
                + " rollouts of step " + step + " in part, and " + file(step) + " cannot be used, because " + reason
                + ". Put the file back, or start the stage afresh");
    }

    /** Deletes what was made before that step. */
    void deleteBefore(long step) {
        try {
            for (Path file : files()) {
                Matcher matcher = name.matcher(file.getFileName().toString());
                if (matcher.matches() && Long.parseLong(matcher.group(1)) < step) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            LOG.warn("stage={} old_rollouts=not_deleted directory={} reason={}", stage, directory, e.getMessage());
        }
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }
}
