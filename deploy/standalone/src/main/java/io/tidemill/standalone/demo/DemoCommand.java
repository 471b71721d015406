package io.tidemill.standalone.demo;

import io.quarkus.runtime.Quarkus;
import io.tidemill.model.base.DemoNovel;
import io.tidemill.model.base.GrammarCorrections;
import io.tidemill.proto.SplitFunction;
import io.tidemill.standalone.CannotStartException;
import io.tidemill.standalone.Mill;
import io.tidemill.standalone.MillOptions;
import io.tidemill.standalone.MillSettings;
import io.tidemill.standalone.RunningMill;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "demo",
        description = {
            "Starts everything as 'up' does and streams text and choices, so that one can watch the model get better.",
            "The text is a novel, the choices are grammar corrections; the model has seen neither. Ctrl-C ends it."
        })
public final class DemoCommand implements Callable<Integer> {
    /** A split that chose no setting: see the trial in docs/experiments.md. */
    private static final String SALT = "demo-2";

    /** 5 % of the corrections would be too few to see a difference of two points. */
    private static final String HELD_OUT_SHARE = "0.12";

    /** After the pace, for a batch that is shorter than the others or of which something was refused. */
    private static final int PATIENCE_SECONDS = 120;

    private static final int REMOVE_ATTEMPTS = 20;

    @Mixin
    MillOptions options = new MillOptions();

    @Option(
            names = "--rounds",
            paramLabel = "N",
            description = "End after N finished rounds with a table and exit status 0 (default: run until Ctrl-C).")
    Optional<Integer> rounds = Optional.empty();

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Keep everything here and go on from there (default: a fresh temporary directory, removed at"
                    + " the end).")
    Optional<Path> data = Optional.empty();

    @Option(
            names = "--pairs-per-round",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Corrections sent for each round (default: ${DEFAULT-VALUE}).")
    int pairsPerRound;

    @Option(
            names = "--pace",
            paramLabel = "SECONDS",
            defaultValue = "15",
            description = "Time over which the text of a round is sent (default: ${DEFAULT-VALUE}).")
    int paceSeconds;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Order of the corrections, and on which side the corrected one stands (default:"
                    + " ${DEFAULT-VALUE}).")
    long seed;

    private Path temporary;

    @Override
    public Integer call() {
        if (rounds.filter(n -> n < 1).isPresent() || pairsPerRound < 1 || paceSeconds < 0) {
            throw new CannotStartException("--rounds and --pairs-per-round must be at least 1 and --pace at least 0.");
        }
        MillSettings settings = options.settings(data.orElse(Path.of("")))
                .withDefaults(Map.of(
                        "preprocess.split.salt",
                        SALT,
                        "preprocess.split.held-out-share",
                        HELD_OUT_SHARE,
                        // A round begins when the last pair of its batch is there, or when no more come.
                        "trainer.round.minimum-preferences",
                        String.valueOf(pairsPerRound),
                        "trainer.round.minimum-sequences",
                        String.valueOf(Integer.MAX_VALUE),
                        "trainer.round.maximum-wait",
                        "PT" + (paceSeconds + PATIENCE_SECONDS) + "S"));
        DemoPlan plan = plan(settings);
        Mill mill = new Mill(
                data.isPresent() ? settings : settings.withData(makeTemporary()), System.err, this::removeTemporary);
        try {
            return mill.run(running -> play(running, plan));
        } finally {
            removeTemporary();
        }
    }

    private DemoPlan plan(MillSettings settings) {
        SplitFunction split = new SplitFunction(
                settings.setting("preprocess.split.salt").orElseThrow(),
                Double.parseDouble(
                        settings.setting("preprocess.split.held-out-share").orElseThrow()));
        DemoPlan plan =
                DemoPlan.of(DemoNovel.documents().toList(), GrammarCorrections.all(), split, pairsPerRound, seed);
        if (rounds.filter(n -> n > plan.batches().size()).isPresent()) {
            throw new CannotStartException("--rounds must be at most "
                    + plan.batches().size()
                    + ", for which there is text with --pairs-per-round " + pairsPerRound + ", but was " + rounds.get()
                    + ".");
        }
        return plan;
    }

    private void play(RunningMill mill, DemoPlan plan) {
        mill.print(System.out);
        int status = 1;
        try {
            status = new Demo(
                            mill,
                            plan,
                            rounds,
                            seed,
                            Duration.ofSeconds(paceSeconds),
                            data.isPresent(),
                            Terminal.of(System.out))
                    .run();
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
            return;
        } finally {
            Quarkus.asyncExit(status);
        }
    }

    private Path makeTemporary() {
        try {
            temporary = Files.createTempDirectory("tidemill-demo-");
            return temporary;
        } catch (IOException e) {
            throw new CannotStartException("No temporary directory can be made: " + e + "; name one with --data.", e);
        }
    }

    /** Does nothing where the directory is the user's, or gone already. */
    private void removeTemporary() {
        if (temporary == null || !Files.exists(temporary)) {
            return;
        }
        for (int attempt = 1; ; attempt++) { // something may still be starting in it
            try (Stream<Path> files = Files.walk(temporary)) {
                List<Path> deepestFirst =
                        files.sorted(Comparator.reverseOrder()).toList();
                for (Path file : deepestFirst) {
                    Files.deleteIfExists(file);
                }
                return;
            } catch (IOException | UncheckedIOException e) {
                if (attempt == REMOVE_ATTEMPTS) {
                    System.err.println("tidemill: " + temporary + " could not be removed: " + e.getMessage());
                    return;
                }
            }
        }
    }
}
