package io.tidemill.standalone.models;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.engine.ModelShape;
import io.tidemill.model.engine.ProgramArchive;
import io.tidemill.standalone.CannotStartException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Writes the arithmetic of a model as a TorchScript archive. */
@Command(
        name = "program",
        description = {
            "Writes the arithmetic of a model, without its weights, as a TorchScript archive for torch.jit.load.",
            "layout.json and config.json are in it as extra files: where each tensor lies in the flat one, and the shape.",
            "bench/gpu/measure.py measures it on any machine with PyTorch."
        })
public final class ProgramCommand implements Callable<Integer> {
    private static final String EMBEDDED = "embedded";

    @Spec
    CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "DIR",
            description =
                    "Hugging Face directory of a decoder or a BERT, or its config.json; no weights are read. Or 'embedded'.")
    Optional<String> model = Optional.empty();

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            description =
                    "Instead of --model, a shape of Llama: tiny, base (7.5 M weights), medium (33.5 M), smol (135 M) or 1b (1.2 G).")
    Optional<String> shape = Optional.empty();

    @Option(names = "--output", paramLabel = "FILE.pt", required = true, description = "Archive to write.")
    Path output;

    @Option(names = "--overwrite", description = "Takes the place of a file that is there.")
    boolean overwrite;

    @Option(
            names = "--onednn",
            description =
                    "Generation multiplies with oneDNN's operators: faster on a CPU that has them, fails on a GPU (default: runs anywhere).")
    boolean oneDnn;

    @Override
    public Integer call() {
        try {
            ProgramArchive archive = archive();
            archive.write(output, overwrite);
            report(archive);
            return 0;
        } catch (FileAlreadyExistsException e) {
            throw new CannotStartException(
                    Files.isDirectory(output)
                            ? "--output " + output + " is a directory; name a file."
                            : "--output " + output + " is there already; name another file, or give --overwrite.",
                    e);
        } catch (IllegalArgumentException e) {
            throw new CannotStartException(e.getMessage(), e);
        } catch (IOException e) {
            throw new CannotStartException("--output " + output + " cannot be written: " + e, e);
        }
    }

    private ProgramArchive archive() throws IOException {
        if (model.isPresent() == shape.isPresent()) {
            throw new ParameterException(spec.commandLine(), "Give either --model or --shape.");
        } else if (shape.isPresent()) {
            return ProgramArchive.of(ModelShape.named(shape.get()).config(), oneDnn);
        } else if (model.get().equals(EMBEDDED)) {
            return embedded();
        }
        Path given = Path.of(model.get());
        Path config = Files.isDirectory(given) ? given.resolve("config.json") : given;
        if (!Files.isRegularFile(config)) {
            throw new CannotStartException("--model " + given + ": there is no " + config
                    + "; name a Hugging Face directory, a config.json, or 'embedded'.");
        }
        try {
            return ProgramArchive.of(config, oneDnn);
        } catch (IOException e) {
            throw new CannotStartException("--model " + given + " cannot be read: " + e, e);
        }
    }

    private ProgramArchive embedded() throws IOException {
        Path scratch = Files.createTempDirectory("tidemill-program-");
        Path config = scratch.resolve("config.json");
        try {
            BaseModel.restore("config.json", scratch);
            return ProgramArchive.of(config, oneDnn);
        } finally {
            Files.deleteIfExists(config);
            Files.deleteIfExists(scratch);
        }
    }

    private void report(ProgramArchive archive) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(output);
        out.printf(
                Locale.ROOT, "%,d weights, in one flat float32 tensor: layout.json in the archive%n", archive.length());
        out.println("Methods:");
        archive.methods().forEach(method -> out.println("  " + method));
        out.flush();
    }
}
