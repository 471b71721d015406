package io.tidemill.standalone.checkpoints;

import io.tidemill.proto.VersionId;
import io.tidemill.standalone.CannotStartException;
import io.tidemill.trainer.checkpoint.Finding;
import io.tidemill.trainer.checkpoint.VerifyingKey;
import io.tidemill.trainer.checkpoint.VersionCheck;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Holds a version against its manifest, its signature, its probe and its ancestors. */
@Command(
        name = "verify",
        sortOptions = false,
        description = {
            "Checks a version from files alone, whether a mill runs or not: every file by its digest, the manifest by its"
                    + " signature, the model by its probe, and its ancestors down to the base.",
            "Says a line for each check. Exit status 1 if one of them failed."
        })
public final class VerifyCommand implements Callable<Integer> {
    private static final String MANIFEST = "manifest.json";

    @Spec
    CommandSpec spec;

    @Parameters(paramLabel = "VERSION", description = "Version to check, such as tidemill-000001.")
    String version = "";

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Data directory whose store has it (default: ./tidemill-data).")
    Optional<Path> data = Optional.empty();

    @Option(
            names = "--directory",
            paramLabel = "DIR",
            description = "Directory that it was fetched into, instead of a store: its own, or the one given to"
                    + " 'checkpoints --download'. Ancestors are not checked.")
    Optional<Path> directory = Optional.empty();

    @Option(
            names = "--public-key",
            paramLabel = "FILE",
            description =
                    "Public key in PEM that must have signed it, Ed25519 the manifest or on P-256, P-384 or P-521 the"
                            + " model.sig: 'openssl pkey -in KEY -pubout'.")
    Optional<Path> publicKey = Optional.empty();

    @Override
    public Integer call() {
        if (data.isPresent() && directory.isPresent()) {
            throw new ParameterException(spec.commandLine(), "Give either --data or --directory.");
        }
        List<Finding> findings = check().run();
        PrintWriter out = spec.commandLine().getOut();
        findings.forEach(finding -> out.println(
                String.format(Locale.ROOT, "%-9s  %-11s  %s", finding.check(), finding.outcome(), finding.told())));
        out.flush();
        String failed =
                findings.stream().filter(Finding::failed).map(Finding::check).collect(Collectors.joining(", "));
        if (!failed.isEmpty()) {
            throw new CannotStartException(version + " does not hold: " + failed + ".");
        }
        return 0;
    }

    private VersionCheck check() {
        try {
            VersionId id = VersionId.parse(version);
            Optional<VerifyingKey> key = publicKey.map(VerifyingKey::read);
            return directory.isPresent()
                    ? VersionCheck.inDirectory(fetched(directory.get(), id), id, key)
                    : VersionCheck.inStore(store(id), id, key);
        } catch (IllegalArgumentException e) {
            throw new CannotStartException(e.getMessage(), e);
        } catch (IOException e) {
            throw new CannotStartException(version + " cannot be read: " + e, e);
        }
    }

    private static Path fetched(Path given, VersionId id) {
        Path inside = given.resolve(id.toString());
        Path found = Files.exists(given.resolve(MANIFEST)) || !Files.isDirectory(inside) ? given : inside;
        if (!Files.isDirectory(found)) {
            throw new CannotStartException("--directory " + given + " is no directory.");
        }
        return found;
    }

    private Path store(VersionId id) throws IOException {
        Path given = data.orElse(Path.of("tidemill-data"));
        Path store = given.resolve("store");
        Path model = store.resolve(id.model());
        if (!Files.isDirectory(model.resolve(id.toString()))) {
            throw new CannotStartException("There is no version " + id + " in --data " + given + "; it has "
                    + versions(model) + " of " + id.model() + ".");
        }
        return store;
    }

    private static List<String> versions(Path model) throws IOException {
        if (!Files.isDirectory(model)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.list(model)) {
            return paths.map(path -> path.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .toList();
        }
    }
}
