package io.tidemill.auditor;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemill.proto.v1.ChatMessage;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** The hash functions of the contract, written anew: an auditor that called the mill's own would share its errors. */
final class Hash {
    private static final int CONTENT_BYTES = 16;

    private Hash() {}

    static byte[] sha256(byte[] bytes) {
        return digest().digest(bytes);
    }

    /** Id of a training example: SHA-256 over parents, objective and index, each after its length in 8 bytes. */
    static String exampleId(List<String> parents, String objective) {
        MessageDigest digest = digest();
        parents.forEach(parent -> add(digest, parent.getBytes(UTF_8)));
        add(digest, objective.getBytes(UTF_8));
        add(digest, "0".getBytes(UTF_8));
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Id of a record whose producer gave none. */
    static String content(byte[]... parts) {
        MessageDigest digest = digest();
        for (byte[] part : parts) {
            add(digest, part);
        }
        return HexFormat.of().formatHex(digest.digest(), 0, CONTENT_BYTES);
    }

    /** Of a conversation. */
    static String turn(List<ChatMessage> messages) {
        MessageDigest digest = digest();
        for (ChatMessage message : messages) {
            add(digest, message.getRole().getBytes(UTF_8));
            add(digest, message.getContent().getBytes(UTF_8));
        }
        return HexFormat.of().formatHex(digest.digest(), 0, CONTENT_BYTES);
    }

    /** Where a group lies between 0 and 1: what is below the share is held out. */
    static double fraction(String salt, String group) {
        MessageDigest digest = digest();
        digest.update(salt.getBytes(UTF_8));
        digest.update((byte) 0);
        long first = ByteBuffer.wrap(digest.digest(group.getBytes(UTF_8))).getLong();
        return (first >>> 11) * 0x1.0p-53;
    }

    private static void add(MessageDigest digest, byte[] part) {
        digest.update(ByteBuffer.allocate(Long.BYTES).putLong(part.length).array());
        digest.update(part);
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("Every Java platform has SHA-256.", e);
        }
    }
}
