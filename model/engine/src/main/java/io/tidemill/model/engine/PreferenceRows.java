package io.tidemill.model.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Preference pairs as padded rows: pair p takes row 2p for the chosen answer and row 2p + 1 for the rejected one.
 *
 * @param examples for each target, which answer it belongs to: the number of its row; {@code [2P][T]}
 */
@SuppressWarnings("ArrayRecordComponent") // lives within one call
record PreferenceRows(List<PreferencePair> pairs, int[][] ids, int[][] positions, int[][] targets, int[][] examples) {

    /** Pairs of similar length together, each group within {@code tokensAtOnce}, padding included. */
    static List<List<PreferencePair>> groups(List<PreferencePair> pairs, ModelConfig config, int tokensAtOnce) {
        List<PreferencePair> sorted = new ArrayList<>(pairs);
        sorted.sort(Comparator.comparingInt(PreferenceRows::length));
        List<List<PreferencePair>> groups = new ArrayList<>();
        List<PreferencePair> group = new ArrayList<>();
        for (PreferencePair pair : sorted) {
            check(pair, config);
            if (!group.isEmpty() && 2 * length(pair) * (group.size() + 1) > tokensAtOnce) {
                groups.add(group);
                group = new ArrayList<>();
            }
            group.add(pair);
        }
        groups.add(group);
        return groups;
    }

    private static void check(PreferencePair pair, ModelConfig config) {
        for (int[] part : List.of(pair.prompt(), pair.chosen(), pair.rejected())) {
            for (int id : part) {
                Batches.checkId(config, id);
            }
        }
        if (length(pair) > config.maxPositions()) {
            throw new IllegalArgumentException(
                    "A pair of " + length(pair) + " tokens, prompt and longer answer together,"
                            + " is longer than the model's " + config.maxPositions() + " positions");
        }
    }

    /** Positions of the longer of the two rows; the last token of an answer is only a target. */
    private static int length(PreferencePair pair) {
        return pair.prompt().length + Math.max(pair.chosen().length, pair.rejected().length) - 1;
    }

    static PreferenceRows of(List<PreferencePair> pairs) {
        int length = pairs.stream().mapToInt(PreferenceRows::length).max().orElseThrow();
        int rows = 2 * pairs.size();
        PreferenceRows result = new PreferenceRows(
                pairs, new int[rows][length], new int[rows][length], new int[rows][length], new int[rows][length]);
        for (int p = 0; p < pairs.size(); p++) {
            result.put(2 * p, pairs.get(p).prompt(), pairs.get(p).chosen());
            result.put(2 * p + 1, pairs.get(p).prompt(), pairs.get(p).rejected());
        }
        return result;
    }

    private void put(int row, int[] prompt, int[] answer) {
        int[] whole = Arrays.copyOf(prompt, prompt.length + answer.length);
        System.arraycopy(answer, 0, whole, prompt.length, answer.length);
        Arrays.fill(targets[row], PackedBatch.IGNORED);
        for (int t = 0; t + 1 < whole.length; t++) {
            ids[row][t] = whole[t];
            positions[row][t] = t;
            examples[row][t] = row;
            if (t + 1 >= prompt.length) {
                targets[row][t] = whole[t + 1];
            }
        }
    }

    /** Log-probabilities under the reference, in the order of the rows; nats. */
    double[] references() {
        double[] values = new double[2 * pairs.size()];
        for (int p = 0; p < pairs.size(); p++) {
            values[2 * p] = pairs.get(p).referenceChosen();
            values[2 * p + 1] = pairs.get(p).referenceRejected();
        }
        return values;
    }

    /** Weight of each pair as a share of the step's. */
    double[] weights(double weightOfStep) {
        return pairs.stream().mapToDouble(pair -> pair.weight() / weightOfStep).toArray();
    }
}
