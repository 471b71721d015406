package io.tidemill.standalone.torture;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Random;
import java.util.Set;

/**
 * One fault, drawn before it happens: the same lineage seed and number give the same fault.
 *
 * @param lineage that suffers it
 * @param number  within the lineage, from 1
 * @param seed    of everything that is random about it
 */
record Fault(String lineage, int number, Target target, FaultKind kind, long seed) {
    /** @param among kinds that happen to the target */
    static Fault draw(String lineage, int number, Target target, Set<FaultKind> among, long lineageSeed) {
        long seed = seed(lineageSeed, number);
        return new Fault(lineage, number, target, FaultKind.draw(target, among, new Random(seed)), seed);
    }

    /** Draws its moment and its place. */
    Random random() {
        return new Random(seed + 1);
    }

    private static long seed(long lineageSeed, int number) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256")
                    .digest((lineageSeed + "/" + number).getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(hash).getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256", e);
        }
    }
}
