package io.tidemill.model.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Rows of equal length T for causal language modelling. Several examples may share a row; none sees another: attention
 * stays inside an example and positions restart with it.
 *
 * @param ids      token ids {@code [B][T]}
 * @param targets  the next token at each position, already shifted, or {@link #IGNORED}; {@code [B][T]}
 * @param segments which example of its row a token belongs to: 0 = padding, 1, 2, … each contiguous; {@code [B][T]}
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody; copying token ids would cost more than it guards
public record PackedBatch(int[][] ids, int[][] targets, int[][] segments) {
    /** Target of a position that has no part in the loss. */
    public static final int IGNORED = -100;

    public PackedBatch {
        if (ids.length == 0 || ids[0].length == 0) {
            throw new IllegalArgumentException("A batch needs at least one row of at least one token");
        }
        if (targets.length != ids.length || segments.length != ids.length) {
            throw new IllegalArgumentException("Rows differ in number: ids " + ids.length + ", targets "
                    + targets.length + ", segments " + segments.length);
        }
        int length = ids[0].length;
        for (int row = 0; row < ids.length; row++) {
            if (ids[row].length != length || targets[row].length != length || segments[row].length != length) {
                throw new IllegalArgumentException(
                        "Row " + row + " must have " + length + " tokens like row 0, but has "
                                + ids[row].length + " ids, " + targets[row].length + " targets, " + segments[row].length
                                + " segments");
            }
        }
    }

    public int rows() {
        return ids.length;
    }

    /** Tokens per row, T. */
    public int length() {
        return ids[0].length;
    }

    /** The same rows in batches of at most {@code most}, in order. */
    public List<PackedBatch> inRowsOf(int most) {
        if (most >= rows()) {
            return List.of(this);
        }
        List<PackedBatch> parts = new ArrayList<>();
        for (int from = 0; from < rows(); from += most) {
            int to = Math.min(rows(), from + most);
            parts.add(new PackedBatch(
                    Arrays.copyOfRange(ids, from, to),
                    Arrays.copyOfRange(targets, from, to),
                    Arrays.copyOfRange(segments, from, to)));
        }
        return parts;
    }

    /** Positions that have a target. */
    public long lossTokens() {
        long count = 0;
        for (int[] row : targets) {
            for (int target : row) {
                count += target == IGNORED ? 0 : 1;
            }
        }
        return count;
    }

    /** Position of each token within its example; 0 for padding. */
    int[][] positions() {
        int[][] positions = new int[rows()][length()];
        for (int row = 0; row < rows(); row++) {
            for (int t = 1; t < length(); t++) {
                boolean goesOn = segments[row][t] != 0 && segments[row][t] == segments[row][t - 1];
                positions[row][t] = goesOn ? positions[row][t - 1] + 1 : 0;
            }
        }
        return positions;
    }

    /** True if each row holds one example from its start, with padding only behind: plain causal attention does. */
    boolean oneExamplePerRow() {
        for (int[] row : segments) {
            for (int t = 1; t < row.length; t++) {
                if (row[t] != row[t - 1] && row[t] != 0) {
                    return false;
                }
            }
        }
        return true;
    }
}
