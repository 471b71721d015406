package io.tidemill.model.base;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The base model in this jar, as a Hugging Face directory. */
public final class BaseModel {
    /** What defines the model before it has learnt anything: its shape and its tokenizer. */
    public static final List<String> RECIPE_FILES =
            List.of("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "LICENSES.md");

    /** What it learnt, and the card that tells how. */
    public static final List<String> LEARNT_FILES = List.of("model.safetensors", "README.md");

    private BaseModel() {}

    /** Copies the whole model to a directory that does not exist yet; it appears complete or not at all. */
    public static void extractTo(Path directory) throws IOException {
        List<String> files = new ArrayList<>(RECIPE_FILES);
        files.addAll(LEARNT_FILES);
        extract(files, directory);
    }

    /** Copies shape and tokenizer alone, to train a base model from scratch. */
    public static void extractRecipeTo(Path directory) throws IOException {
        extract(RECIPE_FILES, directory);
    }

    /** Puts one file of the recipe back into a directory, over what stands there. */
    public static void restore(String file, Path directory) throws IOException {
        copy(file, directory.resolve(file));
    }

    /** Whether this build carries weights. */
    public static boolean isTrained() {
        return LEARNT_FILES.stream().allMatch(file -> BaseModel.class.getResource("model/" + file) != null);
    }

    private static void extract(List<String> files, Path directory) throws IOException {
        if (Files.exists(directory)) {
            throw new FileAlreadyExistsException(
                    directory.toString(), null, "The base model is not written over it; name a new directory.");
        }
        Path parent = directory.toAbsolutePath().getParent();
        Files.createDirectories(parent);
        Path aside = Files.createTempDirectory(parent, ".base-model-");
        try {
            for (String file : files) {
                copy(file, aside.resolve(file));
            }
            Files.move(aside, directory, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            delete(aside);
        }
    }

    private static void copy(String file, Path target) throws IOException {
        try (InputStream resource = BaseModel.class.getResourceAsStream("model/" + file)) {
            if (resource == null) {
                throw new IOException(
                        "This build of the base model lacks " + file + "; pretrain it, or take a release.");
            }
            Files.copy(resource, target, StandardCopyOption.REPLACE_EXISTING);
        }
        try (FileChannel written = FileChannel.open(target, StandardOpenOption.WRITE)) {
            written.force(true);
        }
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
