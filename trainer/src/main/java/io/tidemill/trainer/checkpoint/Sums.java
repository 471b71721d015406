package io.tidemill.trainer.checkpoint;

import io.tidemill.proto.checkpoint.FileDigests;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * {@code SHA256SUMS}: digests of files that no manifest lists, as {@code sha256sum} writes them, sealed. A file of two lines
 * may be either: so it can be replaced while it is watched.
 */
public final class Sums {
    public static final String FILE = "SHA256SUMS";

    private Sums() {}

    /** Writes those of all files below, by their paths with forward slashes. */
    public static void write(Path directory) throws IOException {
        write(directory, List.of());
    }

    /** @param others paths of files elsewhere that are held to theirs too, as seen from the directory */
    static void write(Path directory, List<String> others) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String other : others) {
            text.append(line(FileDigests.of(directory, directory.resolve(other)).getSha256(), other));
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path file : paths.filter(Files::isRegularFile).sorted().toList()) {
                String name = directory.relativize(file).toString().replace('\\', '/');
                if (!name.equals(FILE)) {
                    text.append(line(FileDigests.of(directory, file).getSha256(), name));
                }
            }
        }
        Sealed.write(directory.resolve(FILE), text.toString());
    }

    /** From now on the file may also be that; nothing where no sums are kept. Before it is replaced. */
    public static void allow(Path directory, String name, String sha256) throws IOException {
        Optional<String> text = text(directory);
        if (text.isPresent() && !text.get().contains(line(sha256, name))) {
            Sealed.write(directory.resolve(FILE), text.get() + line(sha256, name));
        }
    }

    private static String line(String sha256, String name) {
        return sha256 + "  " + name + "\n";
    }

    private static Optional<String> text(Path directory) throws IOException {
        return Sealed.read(directory.resolve(FILE)).map(bytes -> new String(bytes, StandardCharsets.UTF_8));
    }

    private static Map<String, Set<String>> allowed(Path directory) throws IOException {
        Map<String, Set<String>> allowed = new HashMap<>();
        for (String line : text(directory).orElse("").lines().toList()) {
            allowed.computeIfAbsent(line.substring(66), name -> new HashSet<>()).add(line.substring(0, 64));
        }
        return allowed;
    }

    /** What is wrong, a sentence each; files that are gone are, only if asked for. None where no sums are kept. */
    public static List<String> flaws(Path directory, boolean gone) {
        List<String> flaws = new ArrayList<>();
        try {
            for (Map.Entry<String, Set<String>> entry : allowed(directory).entrySet()) {
                flaw(directory, entry.getKey(), entry.getValue(), gone).ifPresent(flaws::add);
            }
        } catch (IOException e) {
            flaws.add(e.getMessage());
        }
        return flaws;
    }

    /**
     * Checks one file.
     *
     * @throws DamagedFileException if it is listed, but is not there or not as it was written
     */
    public static void check(Path directory, String name) throws IOException {
        Set<String> allowed = allowed(directory).getOrDefault(name, Set.of());
        Optional<String> flaw = allowed.isEmpty() ? Optional.empty() : flaw(directory, name, allowed, true);
        if (flaw.isPresent()) {
            throw new DamagedFileException(flaw.get() + " Put it back from a copy.");
        }
    }

    private static Optional<String> flaw(Path directory, String name, Set<String> allowed, boolean gone)
            throws IOException {
        Path file = directory.resolve(name);
        if (!Files.isRegularFile(file)) {
            return gone ? Optional.of("File " + name + " is missing in " + directory + ".") : Optional.empty();
        }
        String found = FileDigests.of(directory, file).getSha256();
        return allowed.contains(found)
                ? Optional.empty()
                : Optional.of("File " + name + " in " + directory + " has SHA-256 " + found + " instead of "
                        + String.join(" or ", allowed) + ".");
    }
}
