package io.tidemill.trainer.checkpoint;

import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/** Which files of a Hugging Face directory go into a version. */
public final class VersionFiles {
    /** The card that came with the base model, kept beside each version's own. */
    public static final String BASE_CARD = "BASE_CARD.md";

    /** Where the adapter stands that a version was made with, in PEFT's layout. */
    public static final String ADAPTER = "adapter";

    /** Where the reward model stands that a round trained, a Hugging Face directory of its own. */
    public static final String REWARD_MODEL = "reward-model";

    private static final Set<String> OWN =
            Set.of(Manifest.FILE, ModelCard.FILE, Probe.FILE, "config.json", "model.safetensors.index.json");
    private static final List<String> TEXTS = List.of(".json", ".md", ".txt", ".jinja", ".model");

    private VersionFiles() {}

    /** Copies tokenizer, generation settings, licences and the like, but no weights and nothing that is not read. */
    public static void copyCompanions(Path from, Path to) throws IOException {
        for (Path file : files(from)) {
            String name = file.getFileName().toString();
            if (!OWN.contains(name) && companion(name)) {
                Files.copy(file, to.resolve(name), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Copies {@code config.json} and the weights, sharded or not. Weights come from safetensors alone. */
    public static void copyWeights(Path from, Path to) throws IOException {
        for (Path file : files(from)) {
            String name = file.getFileName().toString();
            if (name.endsWith(".safetensors")
                    || name.equals("config.json")
                    || name.equals("model.safetensors.index.json")) {
                Files.copy(file, to.resolve(name), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private static boolean companion(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return !name.startsWith(".")
                && (TEXTS.stream().anyMatch(lower::endsWith)
                        || lower.startsWith("licen")
                        || lower.startsWith("notice"));
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> paths = Files.list(directory)) {
            return paths.filter(Files::isRegularFile).sorted().toList();
        }
    }

    /** Digests of all public files written so far: those at the top of a version's directory, its adapter's and its reward model's. */
    public static List<FileDigest> digests(Path directory) throws IOException {
        List<Path> files = new ArrayList<>(files(directory));
        for (String beside : List.of(ADAPTER, REWARD_MODEL)) {
            if (Files.isDirectory(directory.resolve(beside))) {
                files.addAll(files(directory.resolve(beside)));
            }
        }
        List<FileDigest> digests = new ArrayList<>();
        for (Path file : files) {
            digests.add(FileDigests.of(directory, file));
        }
        return digests;
    }
}
