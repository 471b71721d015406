package io.tidemill.standalone.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/**
 * What a bad disk does to a file, and how to undo it.
 *
 * @param what for people
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Damage(Path file, byte[] before, String what) {
    private static final int BLOCK = 512;

    /** Changes a bit, cuts the file, or overwrites a block with zeros; what is empty gets a byte. */
    static Damage inflict(Path file, Random random) throws IOException {
        byte[] before = Files.readAllBytes(file);
        byte[] after = before.clone();
        String what;
        int way = before.length == 0 ? 3 : random.nextInt(3);
        switch (way) {
            case 0 -> {
                int at = random.nextInt(before.length);
                int bit = random.nextInt(8);
                after[at] ^= (byte) (1 << bit);
                what = "bit " + bit + " of byte " + at + " changed";
            }
            case 1 -> {
                int length = random.nextInt(before.length);
                after = Arrays.copyOf(before, length);
                what = "cut to " + length + " of " + before.length + " bytes";
            }
            case 2 -> {
                int from = random.nextInt(before.length) / BLOCK * BLOCK;
                Arrays.fill(after, from, Math.min(from + BLOCK, after.length), (byte) 0);
                what = "zeros from byte " + from;
                if (Arrays.equals(before, after)) {
                    after[from] = 1;
                }
            }
            default -> {
                after = new byte[] {(byte) random.nextInt(256)};
                what = "a byte more";
            }
        }
        Files.write(file, after);
        return new Damage(file, before, file.getFileName() + ": " + what);
    }

    void restore() throws IOException {
        Files.write(file, before);
    }
}
