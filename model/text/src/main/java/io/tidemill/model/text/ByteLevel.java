package io.tidemill.model.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The printable alphabet in which byte-level vocabularies write bytes: one character for each of the 256 bytes.
 *
 * <p>Bytes that print in Latin-1 stand for themselves; the others, in order, are U+0100 and up (so a space is "Ġ").
 * Source: the encoder published with Radford et al., "Language Models are Unsupervised Multitask Learners" (2019).
 */
final class ByteLevel {
    private static final char[] CHARACTERS = new char[256];
    private static final int[] BYTES = new int[512];

    static {
        Arrays.fill(BYTES, -1);
        int next = 256;
        for (int value = 0; value < 256; value++) {
            boolean prints = (value >= '!' && value <= '~') || (value >= 0xA1 && value <= 0xFF && value != 0xAD);
            CHARACTERS[value] = (char) (prints ? value : next++);
            BYTES[CHARACTERS[value]] = value;
        }
    }

    private ByteLevel() {}

    /** The character that stands for a byte; {@code value} from 0 to 255. */
    static char character(int value) {
        return CHARACTERS[value];
    }

    /** The text's UTF-8 bytes, each as its character. */
    static String write(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        char[] written = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            written[i] = CHARACTERS[bytes[i] & 0xFF];
        }
        return new String(written);
    }

    /** The bytes that a token of a byte-level vocabulary stands for; characters outside the alphabet as UTF-8. */
    static byte[] read(String token) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(token.length());
        token.codePoints().forEach(point -> {
            int value = point < BYTES.length ? BYTES[point] : -1;
            if (value >= 0) {
                bytes.write(value);
            } else {
                bytes.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
            }
        });
        return bytes.toByteArray();
    }
}
