package io.tidemill.proto;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemill.proto.v1.Split;
import java.nio.ByteBuffer;
import java.security.MessageDigest;

/**
 * Which side of the split a group is on: a function of the group alone, so that no two parts can disagree and what is
 * held out never comes into training by another way.
 *
 * <p>The first 8 bytes of SHA-256(salt, a zero byte, group id), read as a fraction of 2⁶⁴, are compared with the share.
 *
 * @param salt         constant within a lineage
 * @param heldOutShare share of the groups that only the gate reads, from 0 to 1; constant within a lineage
 */
public record SplitFunction(String salt, double heldOutShare) {
    public SplitFunction {
        if (!(heldOutShare >= 0 && heldOutShare <= 1)) {
            throw new IllegalArgumentException("The held-out share is from 0 to 1, but was " + heldOutShare + ".");
        }
    }

    public Split of(String groupId) {
        MessageDigest digest = Hashing.sha256();
        digest.update(salt.getBytes(UTF_8));
        digest.update((byte) 0);
        long first = ByteBuffer.wrap(digest.digest(groupId.getBytes(UTF_8))).getLong();
        double fraction = (first >>> 11) * 0x1.0p-53; // the 53 bits that a double holds exactly
        return fraction < heldOutShare ? Split.HELD_OUT : Split.TRAIN;
    }
}
