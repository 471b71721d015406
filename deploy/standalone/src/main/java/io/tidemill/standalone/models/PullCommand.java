package io.tidemill.standalone.models;

import io.tidemill.model.hub.ModelId;
import io.tidemill.model.hub.Pull;
import io.tidemill.model.hub.PullProgress;
import io.tidemill.standalone.CannotStartException;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Brings a model from a Hugging Face compatible hub. */
@Command(
        name = "pull",
        description = {
            "Brings a model from a Hugging Face compatible hub: configuration, tokenizer and safetensors, digests checked.",
            "Interrupted, the same command goes on where it was; done again, it downloads nothing.",
            "HF_TOKEN holds the token for private and gated models; it goes to the hub's own host only."
        })
public final class PullCommand implements Callable<Integer> {
    private final PrintStream out = System.out;

    @Parameters(paramLabel = "ORG/NAME", description = "The model, as the hub calls it.")
    String model;

    @Option(
            names = "--revision",
            paramLabel = "R",
            defaultValue = "main",
            description = "Branch, tag or commit (default: ${DEFAULT-VALUE}).")
    String revision;

    @Option(names = "--output", paramLabel = "DIR", description = "Directory to write (default: NAME).")
    Optional<Path> output = Optional.empty();

    @Option(
            names = "--endpoint",
            paramLabel = "URL",
            defaultValue = "${env:HF_ENDPOINT:-https://huggingface.co}",
            description = "The hub (default: HF_ENDPOINT, or https://huggingface.co).")
    URI endpoint;

    @Override
    public Integer call() {
        PullProgress progress = Boolean.getBoolean("tidemill.terminal")
                ? PullProgress.bar(out, System::nanoTime)
                : PullProgress.lines(out);
        try {
            ModelId id = new ModelId(model);
            Pull pull = new Pull(endpoint, Optional.ofNullable(System.getenv("HF_TOKEN")), progress);
            out.println(pull.run(id, revision, output.orElse(Path.of(id.name()))));
            return 0;
        } catch (IOException | IllegalArgumentException e) {
            throw new CannotStartException(e.getMessage(), e);
        }
    }
}
