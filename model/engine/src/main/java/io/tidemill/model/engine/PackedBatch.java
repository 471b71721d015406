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
 * @param weights  what the loss at each position is multiplied with {@code [B][T]}; no rows where all count once
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody; copying token ids would cost more than it guards
public record PackedBatch(int[][] ids, int[][] targets, int[][] segments, float[][] weights) {
    /** Target of a position that has no part in the loss. */
    public static final int IGNORED = -100;

    /** Every position counts once. */
    public PackedBatch(int[][] ids, int[][] targets, int[][] segments) {
        this(ids, targets, segments, new float[0][]);
    }

    public PackedBatch {
        if (ids.length == 0 || ids[0].length == 0) {
            throw new IllegalArgumentException("A batch needs at least one row of at least one token");
        }
        if (targets.length != ids.length || segments.length != ids.length) {
            throw new IllegalArgumentException("Rows differ in number: ids " + ids.length + ", targets "
                    + targets.length + ", segments " + segments.length);
        }
        if (weights.length != 0 && weights.length != ids.length) {
            throw new IllegalArgumentException(
                    "Weights are for " + weights.length + " rows, but there are " + ids.length);
        }
        int length = ids[0].length;
        for (float[] row : weights) {
            if (row.length != length) {
                throw new IllegalArgumentException(
                        "A row of " + length + " tokens has " + row.length + " weights; give one a token");
            }
        }
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
                    Arrays.copyOfRange(segments, from, to),
                    weights.length == 0 ? weights : Arrays.copyOfRange(weights, from, to)));
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

    /** Sum of the weights of the positions that have a target. */
    public double lossWeight() {
        if (weights.length == 0) {
            return lossTokens();
        }
        double sum = 0;
        for (float weight : lossWeights()) {
            sum += weight;
        }
        return sum;
    }

    /** Of the positions that have a target, row by row. */
    float[] lossWeights() {
        float[] all = new float[Math.toIntExact(lossTokens())];
        int found = 0;
        for (int row = 0; row < rows(); row++) {
            for (int t = 0; t < length(); t++) {
                if (targets[row][t] != IGNORED) {
                    all[found++] = weights.length == 0 ? 1 : weights[row][t];
                }
            }
        }
        return all;
    }

    /** The same with all weights multiplied. */
    public PackedBatch weighing(double factor) {
        float[][] scaled = new float[rows()][length()];
        for (int row = 0; row < rows(); row++) {
            for (int t = 0; t < length(); t++) {
                scaled[row][t] = (float) (factor * (weights.length == 0 ? 1 : weights[row][t]));
            }
        }
        return new PackedBatch(ids, targets, segments, scaled);
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
