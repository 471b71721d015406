package io.tidemill.standalone;

import io.tidemill.proto.VersionId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Which model is ground.
 *
 * @param name      name of the lineage
 * @param directory Hugging Face directory that a new lineage starts from; empty for the embedded base
 */
public record ModelChoice(String name, Optional<Path> directory) {
    private static final String EMBEDDED = "tidemill";

    static ModelChoice of(Optional<Path> directory, Optional<String> name) {
        directory.ifPresent(ModelChoice::check);
        String chosen = name.or(() -> directory.map(ModelChoice::nameOf)).orElse(EMBEDDED);
        checkName(chosen);
        return new ModelChoice(chosen, directory.map(Path::toAbsolutePath).map(Path::normalize));
    }

    private static void check(Path directory) {
        if (!Files.isDirectory(directory)) {
            throw new CannotStartException("--model " + directory + " is not a directory.");
        }
        for (String needed : List.of("config.json", "tokenizer.json")) {
            if (!Files.isRegularFile(directory.resolve(needed))) {
                throw new CannotStartException(
                        "--model " + directory + " holds no " + needed
                                + "; a Hugging Face directory with config.json, tokenizer.json and model.safetensors is needed.");
            }
        }
        if (!hasWeights(directory)) {
            throw new CannotStartException(
                    "--model " + directory + " holds no *.safetensors; other formats of weights are not read.");
        }
    }

    private static boolean hasWeights(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.anyMatch(file -> file.getFileName().toString().endsWith(".safetensors"));
        } catch (IOException e) {
            throw new CannotStartException("--model " + directory + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static String nameOf(Path directory) {
        String last = String.valueOf(directory.toAbsolutePath().normalize().getFileName());
        String name =
                last.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-+|-+$", "");
        return name.isEmpty() ? "model" : name;
    }

    private static void checkName(String name) {
        try {
            VersionId.parse(new VersionId(name, 0).toString());
        } catch (IllegalArgumentException e) {
            throw new CannotStartException("--model-name '" + name + "' cannot name a version: " + e.getMessage(), e);
        }
    }
}
