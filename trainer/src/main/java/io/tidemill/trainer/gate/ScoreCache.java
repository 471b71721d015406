package io.tidemill.trainer.gate;

import io.tidemill.trainer.checkpoint.Sealed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Scores by version, suite and example, in one small file a version, so that a champion is scored once on each example
 * however many rounds it stands. A damaged file is noticed, and scored again.
 */
public final class ScoreCache {
    private static final String SUFFIX = ".tsv";
    private static final int AT_ONCE = 128;

    private final Path directory;

    public ScoreCache(Path directory) {
        this.directory = directory;
    }

    /**
     * Scores of the whole suite; asks the model for what is not known yet, and keeps it.
     *
     * @param model   asked for only where a score is missing
     * @param between called between two parts of the work; what it throws keeps what was scored before
     */
    public <S> Scores score(String version, Suite<S> suite, Supplier<S> model, Runnable between) throws IOException {
        Map<String, Double> known = read(version);
        List<String> keys =
                suite.exampleIds().stream().map(id -> suite.scored() + "/" + id).toList();
        int[] missing = IntStream.range(0, keys.size())
                .filter(index -> !known.containsKey(keys.get(index)))
                .toArray();
        for (int from = 0; from < missing.length; from += AT_ONCE) {
            between.run();
            int[] part = Arrays.copyOfRange(missing, from, Math.min(missing.length, from + AT_ONCE));
            double[] scores = suite.score(model.get(), part);
            for (int i = 0; i < part.length; i++) {
                known.put(keys.get(part[i]), scores[i]);
            }
            write(version, known);
        }
        return new Scores(
                keys.stream().mapToDouble(known::get).map(suite::value).toArray(), suite.weights());
    }

    /** What versions answered. */
    public AnswerCache answers() {
        return new AnswerCache(directory);
    }

    /** Forgets a version: its number is given out anew where a round was given up. */
    public void forget(String version) throws IOException {
        Files.deleteIfExists(file(version));
        Files.deleteIfExists(directory.resolve(version + AnswerCache.SUFFIX));
    }

    /** Forgets every version but those. */
    public void keepOnly(List<String> versions) throws IOException {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                for (String suffix : List.of(SUFFIX, AnswerCache.SUFFIX)) {
                    if (name.endsWith(suffix)
                            && !versions.contains(name.substring(0, name.length() - suffix.length()))) {
                        Files.delete(file);
                    }
                }
            }
        }
    }

    private Map<String, Double> read(String version) throws IOException {
        Map<String, Double> scores = new HashMap<>();
        Optional<byte[]> kept = Sealed.readOrForget(file(version));
        if (kept.isPresent()) {
            for (String line :
                    new String(kept.get(), StandardCharsets.UTF_8).lines().toList()) {
                int tab = line.indexOf('\t');
                scores.put(line.substring(0, tab), Double.valueOf(line.substring(tab + 1)));
            }
        }
        return scores;
    }

    private void write(String version, Map<String, Double> scores) throws IOException {
        StringBuilder text = new StringBuilder();
        new TreeMap<>(scores)
                .forEach((key, value) ->
                        text.append(key).append('\t').append(value).append('\n'));
        Files.createDirectories(directory);
        Sealed.write(file(version), text.toString());
    }

    private Path file(String version) {
        return directory.resolve(version + SUFFIX);
    }
}
