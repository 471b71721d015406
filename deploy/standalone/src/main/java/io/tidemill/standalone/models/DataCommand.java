package io.tidemill.standalone.models;

import io.tidemill.standalone.CannotStartException;
import io.tidemill.trainer.offline.data.BuiltinSource;
import io.tidemill.trainer.offline.data.DataException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes data that this build brings as JSONL. */
@Command(
        name = "data",
        description = {
            "Writes data that this build brings as a file with a JSON object a line, to look at, change and train on.",
            "Without NAME: lists what there is."
        })
public final class DataCommand implements Callable<Integer> {
    @Spec
    CommandSpec spec;

    @Parameters(arity = "0..1", paramLabel = "NAME", description = "Which, such as grammar-corrections.")
    Optional<String> name = Optional.empty();

    @Option(names = "--output", paramLabel = "FILE", description = "File to write (default: NAME.jsonl).")
    Optional<Path> output = Optional.empty();

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (name.isEmpty()) {
            BuiltinSource.told().entrySet().stream()
                    .sorted(java.util.Map.Entry.comparingByKey())
                    .forEach(each -> out.println(each.getKey() + ": " + each.getValue()));
            out.flush();
            return 0;
        }
        Path file = output.orElse(Path.of(name.get() + ".jsonl"));
        try {
            out.println(file + ": " + write(file) + " lines");
            out.flush();
            return 0;
        } catch (DataException e) {
            throw new CannotStartException(e.getMessage(), e);
        } catch (FileAlreadyExistsException e) {
            throw new CannotStartException(file + " is there already; name another file with --output.", e);
        } catch (IOException e) {
            throw new CannotStartException(file + " cannot be written: " + e, e);
        }
    }

    private long write(Path file) throws IOException {
        Iterator<?> rows = BuiltinSource.rows(name.orElseThrow()).iterator();
        long lines = 0;
        try (PrintWriter text = new PrintWriter(Files.newBufferedWriter(file, StandardOpenOption.CREATE_NEW))) {
            for (; rows.hasNext(); lines++) {
                text.print(rows.next() + "\n");
            }
            if (text.checkError()) {
                throw new IOException("the disk did not take all of it");
            }
        }
        return lines;
    }
}
