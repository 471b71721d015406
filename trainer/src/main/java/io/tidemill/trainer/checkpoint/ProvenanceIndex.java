package io.tidemill.trainer.checkpoint;

import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.slice.Waiting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code state/provenance.tsv}: what the examples of a version's round go by, so that it can be told what an erasure concerns
 * when the log no longer has them; one line an example, {@code stage TAB hashes TAB example id}.
 *
 * <p>It names nobody: a hash is the first 64 bits of SHA-256(example id, 0, key), another one for each example, so that not
 * even two examples of one person can be seen to belong together. Of 10⁹ examples one is taken for another's by chance with a
 * probability of about 10⁻¹⁰ an erasure.
 */
public final class ProvenanceIndex {
    public static final String FILE = "provenance.tsv";

    private static final int HASH_BYTES = 8;

    private ProvenanceIndex() {}

    /**
     * Writes the index of a version.
     *
     * @param ledger what became of the examples
     * @param keys   what they go by, by example id; an example without keys has no line
     */
    public static void write(Path state, List<LedgerEntry> ledger, Map<String, Set<String>> keys) throws IOException {
        StringBuilder text = new StringBuilder();
        for (LedgerEntry entry : ledger) {
            Set<String> carried = keys.getOrDefault(entry.exampleId(), Set.of());
            if (!carried.isEmpty()) {
                text.append(entry.stage())
                        .append('\t')
                        .append(carried.stream()
                                .map(key -> hash(entry.exampleId(), key))
                                .collect(Collectors.joining(",")))
                        .append('\t')
                        .append(Ledger.escaped(entry.exampleId()))
                        .append('\n');
            }
        }
        Durable.write(state.resolve(FILE), text.toString());
    }

    public static boolean exists(Path state) {
        return Files.exists(state.resolve(FILE));
    }

    /** By key, how many of the examples that the version's round learned go by it; keys of none are left out. */
    public static Map<String, Long> learned(Path state, Collection<String> keys) throws IOException {
        Map<String, Long> counts = new HashMap<>();
        if (!exists(state) || keys.isEmpty()) {
            return counts;
        }
        try (Stream<String> lines = Files.lines(state.resolve(FILE))) {
            lines.map(line -> line.split("\t", 3))
                    .filter(parts -> Waiting.isTrained(parts[0]))
                    .forEach(parts -> {
                        Set<String> hashes = Set.of(parts[1].split(","));
                        String id = Ledger.unescaped(parts[2]);
                        keys.stream()
                                .filter(key -> hashes.contains(hash(id, key)))
                                .forEach(key -> counts.merge(key, 1L, Long::sum));
                    });
        }
        return counts;
    }

    private static String hash(String exampleId, String key) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(exampleId.getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 0);
            return HexFormat.of().formatHex(digest.digest(key.getBytes(StandardCharsets.UTF_8)), 0, HASH_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }
}
