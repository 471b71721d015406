package io.tidemill.standalone;

import io.tidemill.trainer.pretrain.BaseRecipe;
import io.tidemill.trainer.pretrain.PretrainSettings;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Remakes the embedded base model, or a variant of it, on this machine. */
@Command(
        name = "pretrain",
        description = {
            "Trains the embedded base model again from random weights, on the text that Tidemill carries.",
            "Interrupted, the same command goes on where it was; on one core a pass over the text takes three quarters of an hour."
        })
final class PretrainCommand implements Callable<Integer> {

    private final PrintStream out = System.out;

    @Option(
            names = "--output",
            paramLabel = "DIR",
            required = true,
            description = "Hugging Face directory to write; DIR/work holds the resume point.")
    Path output;

    @Option(names = "--epochs", paramLabel = "N", description = "Passes over the text (default: as the embedded base).")
    Optional<Integer> epochs = Optional.empty();

    @Option(names = "--threads", paramLabel = "N", description = "Threads of libtorch (default: 1).")
    Optional<Integer> threads = Optional.empty();

    @Option(names = "--rows", paramLabel = "N", description = "Rows of a step's batch.")
    Optional<Integer> rows = Optional.empty();

    @Option(names = "--length", paramLabel = "N", description = "Tokens of a row.")
    Optional<Integer> length = Optional.empty();

    @Option(names = "--learning-rate", paramLabel = "R", description = "Peak learning rate.")
    Optional<Double> learningRate = Optional.empty();

    @Override
    public Integer call() throws IOException {
        try {
            new BaseRecipe(output, settings(), out::println).make();
            return 0;
        } catch (IllegalArgumentException e) {
            throw new CannotStartException(e.getMessage(), e);
        }
    }

    private PretrainSettings settings() {
        PretrainSettings usual = PretrainSettings.embeddedBase();
        return new PretrainSettings(
                epochs.orElse(usual.epochs()),
                rows.orElse(usual.rows()),
                length.orElse(usual.length()),
                learningRate.orElse(usual.peakLearningRate()),
                usual.warmupSteps(),
                usual.maxGradientNorm(),
                usual.weightDecay(),
                threads.orElse(usual.threads()),
                usual.compute(),
                usual.seed(),
                usual.saveEvery());
    }
}
