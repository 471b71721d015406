package io.tidemill.standalone.models;

import io.tidemill.model.hub.BertImport;
import io.tidemill.model.hub.OnnxImport;
import io.tidemill.standalone.CannotStartException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes Hugging Face directories of models in other formats. */
@Command(
        name = "import",
        synopsisSubcommandLabel = "(bert | onnx)",
        description = "Makes a Hugging Face directory of a BERT in another format.")
public final class ImportCommand {

    @Command(
            name = "bert",
            description = {
                "From a TensorFlow checkpoint (NAME.index, NAME.data-…, vocab.txt) in a directory, a zip or a jar.",
                "Without FILE: BERT-base, from its jar in the local Maven repository."
            })
    int bert(
            @Parameters(arity = "0..1", paramLabel = "FILE", description = "Checkpoint's index, directory, zip or jar.")
                    Optional<Path> file,
            @Option(
                            names = "--output",
                            paramLabel = "DIR",
                            required = true,
                            description = "Directory to write; it must not be there yet.")
                    Path output) {
        return run(() -> BertImport.run(file, output, System.out::println));
    }

    @Command(
            name = "onnx",
            description = {
                "From an ONNX file of a BERT encoder with its tokenizer.json, in a directory, a zip or a jar.",
                "Without FILE: one of two known encoders, from its jar in the local Maven repository."
            })
    int onnx(
            @Parameters(arity = "0..1", paramLabel = "FILE", description = "ONNX file, directory, zip or jar.")
                    Optional<Path> file,
            @Option(
                            names = "--known",
                            paramLabel = "NAME",
                            defaultValue = "MINILM",
                            description = "Without FILE: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
                    OnnxImport.Known known,
            @Option(
                            names = "--output",
                            paramLabel = "DIR",
                            required = true,
                            description = "Directory to write; it must not be there yet.")
                    Path output) {
        return run(() -> OnnxImport.run(file, known, output, System.out::println));
    }

    @FunctionalInterface
    private interface Import {
        Path run() throws IOException;
    }

    private static int run(Import made) {
        try {
            System.out.println(made.run());
            return 0;
        } catch (IOException | IllegalArgumentException e) {
            throw new CannotStartException(e.getMessage() == null ? e.toString() : e.getMessage(), e);
        }
    }
}
