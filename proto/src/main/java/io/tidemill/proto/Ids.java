package io.tidemill.proto;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemill.proto.v1.ChatMessage;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.random.RandomGenerator;

/** How ids come into being. What they are is a promise: the same input gives the same id in every release. */
public final class Ids {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int CONTENT_HASH_BYTES = 16;

    private Ids() {}

    /** A UUID of version 7 (RFC 9562, section 5.7): sorts by the millisecond it was made in, otherwise random. */
    public static String uuid7() {
        return uuid7(Clock.systemUTC(), RANDOM);
    }

    /** {@link #uuid7()} by a clock and a source of randomness of the caller's. */
    public static String uuid7(Clock clock, RandomGenerator random) {
        long high = (clock.millis() << 16) | 0x7000L | (random.nextLong() & 0x0fffL);
        long low = 0x8000_0000_0000_0000L | (random.nextLong() >>> 2);
        return new UUID(high, low).toString();
    }

    /** A UUID of version 8 (RFC 9562, section 5.8) that is a function of its parts. */
    public static String uuid8(String... parts) {
        byte[][] bytes = new byte[parts.length][];
        for (int i = 0; i < parts.length; i++) {
            bytes[i] = parts[i].getBytes(UTF_8);
        }
        ByteBuffer hash = ByteBuffer.wrap(digest(bytes));
        long high = (hash.getLong() & ~0xf000L) | 0x8000L;
        long low = (hash.getLong() >>> 2) | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }

    /** First 16 bytes of the SHA-256 over the parts, each after its length in 8 bytes; 32 hexadecimal digits. */
    public static String contentHash(byte[]... parts) {
        return HexFormat.of().formatHex(digest(parts), 0, CONTENT_HASH_BYTES);
    }

    /** {@link #contentHash(byte[]...)} of the text in UTF-8. */
    public static String contentHash(String text) {
        return contentHash(text.getBytes(UTF_8));
    }

    /**
     * The id of a training example.
     *
     * @param parentIds ids of the events that it was made of, in their order
     * @param objective what it trains, for instance {@code CAUSAL_LM}
     * @param index     which of the examples made of the same parents for the same objective; 0 for the first
     * @return SHA-256, 64 hexadecimal digits
     */
    public static String exampleId(List<String> parentIds, String objective, int index) {
        MessageDigest digest = Hashing.sha256();
        parentIds.forEach(parent -> Hashing.updateWithLength(digest, parent.getBytes(UTF_8)));
        Hashing.updateWithLength(digest, objective.getBytes(UTF_8));
        Hashing.updateWithLength(digest, Integer.toString(index).getBytes(UTF_8));
        return HexFormat.of().formatHex(digest.digest());
    }

    /** {@link #contentHash(byte[]...)} of a conversation: equal for equal roles and contents in the same order. */
    public static String turnHash(List<ChatMessage> messages) {
        byte[][] parts = new byte[2 * messages.size()][];
        for (int i = 0; i < messages.size(); i++) {
            parts[2 * i] = messages.get(i).getRole().getBytes(UTF_8);
            parts[2 * i + 1] = messages.get(i).getContent().getBytes(UTF_8);
        }
        return contentHash(parts);
    }

    private static byte[] digest(byte[]... parts) {
        MessageDigest digest = Hashing.sha256();
        for (byte[] part : parts) {
            Hashing.updateWithLength(digest, part);
        }
        return digest.digest();
    }
}
