package io.tidemill.trainer.gate;

import io.tidemill.proto.Ids;
import io.tidemill.proto.v1.TokenSequence;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A stretch of a held-out sequence; its first token is context alone.
 *
 * @param id    "{@code <example id>#<number of the window>}"
 * @param ids   tokens {@code [n]}, n ≥ 2
 * @param mask  {@code [n]}, true where the token counts
 * @param bytes of the text behind the tokens that count; a share of the sequence's where that is all we know
 */
public record Window(String id, int[] ids, boolean[] mask, double bytes) {
    /**
     * Cuts a sequence as training does: each window starts with the last token of the one before.
     *
     * @param length tokens predicted in a window, at most
     */
    public static List<Window> cut(TokenSequence sequence, int length) {
        int n = sequence.getIdsCount();
        double bytesPerToken = sequence.getTextBytes() / (double) Math.max(1, n);
        List<Window> windows = new ArrayList<>();
        for (int from = 0; from + 1 < n; from += length) {
            int start = from;
            int size = Math.min(n - from, length + 1);
            int[] ids = IntStream.range(0, size)
                    .map(i -> sequence.getIds(start + i))
                    .toArray();
            boolean[] mask = new boolean[size];
            for (int i = 1; i < size; i++) {
                mask[i] = sequence.getLossMask().isEmpty()
                        || sequence.getLossMask().byteAt(start + i) != 0;
            }
            Window window =
                    new Window(sequence.getExampleId() + "#" + windows.size(), ids, mask, bytesPerToken * count(mask));
            windows.add(window);
        }
        return windows.stream().filter(window -> window.targets() > 0).toList();
    }

    private static int count(boolean[] mask) {
        int count = 0;
        for (boolean counts : mask) {
            count += counts ? 1 : 0;
        }
        return count;
    }

    /** Tokens that count. */
    public int targets() {
        return count(mask);
    }

    /** Summed loss of the tokens that count; nats. */
    double loss(float[] logProbabilities) {
        double loss = 0;
        for (int i = 1; i < ids.length; i++) {
            loss -= mask[i] ? logProbabilities[i - 1] : 0;
        }
        return loss;
    }

    String contentId() {
        ByteBuffer bytes = ByteBuffer.allocate(5 * ids.length);
        for (int i = 0; i < ids.length; i++) {
            bytes.putInt(ids[i]).put((byte) (mask[i] ? 1 : 0));
        }
        return Ids.contentHash(bytes.array());
    }
}
