package io.tidemill.standalone.checkpoints;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.standalone.CannotStartException;
import io.tidemill.standalone.LogOptions;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.round.Rebuild;
import io.tidemill.trainer.round.TrainerClients;
import io.tidemill.trainer.slice.SliceGoneException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Proves that a version is what its manifest says. */
@Command(
        name = "rebuild",
        description = {
            "Trains a published version once more, from its parent, its manifest and the log of a running mill, and",
            "compares the weights bit for bit. Changes nothing; exit status 1 where they differ."
        })
public final class RebuildCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Parameters(paramLabel = "VERSION", description = "Version to rebuild, such as tidemill-000003.")
    String version;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = "tidemill-data",
            description = "Where the mill keeps everything (default: ./${DEFAULT-VALUE}).")
    Path data;

    @Mixin
    LogOptions log;

    private final PrintStream out = System.out;

    @Override
    public Integer call() {
        long startNanos = System.nanoTime();
        try {
            VersionId id = VersionId.parse(version);
            try (CheckpointStore store = CheckpointStore.read(data.resolve("store"), id.model())) {
                log.greet();
                Rebuild rebuild = new Rebuild(
                        store,
                        new TrainerClients(log.client()),
                        log.topics(),
                        PATIENCE,
                        System::nanoTime,
                        Path.of(System.getProperty("java.io.tmpdir")));
                return tell(rebuild.run(id, this::tell), System.nanoTime() - startNanos);
            }
        } catch (IllegalArgumentException | IOException | SliceGoneException | KafkaException e) {
            throw new CannotStartException(version + " cannot be rebuilt: " + e.getMessage(), e);
        }
    }

    private void tell(RoundEvent now) {
        switch (now.getPhase()) {
            case TRAINING -> {
                if (now.getStep() > 0) {
                    out.printf(
                            Locale.ROOT,
                            "%s, step %d of %d, loss %.4f%n",
                            now.getStage(),
                            now.getStep(),
                            now.getSteps(),
                            now.getLoss());
                }
            }
            case READING -> out.println("reading the slice of " + now.getVersion());
            default -> {}
        }
    }

    private int tell(Rebuild.Result result, long nanos) {
        out.printf(
                "%n%s, from %s%n",
                result.version().getVersion(), result.version().getParent());
        out.println("  published  SHA-256 " + result.published());
        out.println("  rebuilt    SHA-256 " + result.rebuilt());
        if (result.same()) {
            out.printf(
                    Locale.ROOT,
                    "The same weights, bit for bit, from %,d records of its slice in %.1f s.%n",
                    result.records(),
                    nanos * 1e-9);
            return 0;
        }
        out.println("The weights differ: the version is not what its manifest and the log make.");
        if (!result.elsewhere().isEmpty()) {
            out.println("It may be the machine: " + String.join("; ", result.elsewhere()) + ".");
        }
        return 1;
    }
}
