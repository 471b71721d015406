package io.tidemill.trainer.data;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/**
 * The order in which a round sees its examples: by SHA-256(seed, example id). It mixes sources, does not depend on the
 * order of reading, and a missing example moves no other.
 */
public final class ExampleOrder {
    private final long seed;

    public ExampleOrder(long seed) {
        this.seed = seed;
    }

    /** The same elements, sorted; each id must occur once. */
    public <T> List<T> sort(List<T> elements, Function<T, String> exampleId) {
        record Keyed<T>(byte[] key, T element) {}
        return elements.stream()
                .map(element -> new Keyed<>(key(exampleId.apply(element)), element))
                .sorted(Comparator.comparing(Keyed::key, Arrays::compareUnsigned))
                .map(Keyed::element)
                .toList();
    }

    /** The {@code count} elements that come first: a sample that changes little when elements are added. */
    public <T> List<T> first(int count, List<T> elements, Function<T, String> exampleId) {
        return sort(elements, exampleId).stream().limit(count).toList();
    }

    private byte[] key(String exampleId) {
        return Hashes.sha256(
                ByteBuffer.allocate(Long.BYTES).putLong(seed).array(), exampleId.getBytes(StandardCharsets.UTF_8));
    }
}
