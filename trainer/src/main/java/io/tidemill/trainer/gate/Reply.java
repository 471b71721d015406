package io.tidemill.trainer.gate;

/**
 * What a model answered, always taking the most likely token.
 *
 * @param tokens without the one that ended it
 * @param ended  by itself, and not by the limit
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record Reply(int[] tokens, boolean ended) {
    /**
     * How much two answers have in common: F1 of their longest common subsequence of tokens, 1 where both are empty. ROUGE-L
     * of Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (2004), section 3.1, with β = 1, over tokens.
     */
    double agreement(Reply other) {
        int sum = tokens.length + other.tokens.length;
        return sum == 0 ? 1 : 2.0 * common(tokens, other.tokens) / sum;
    }

    private static int common(int[] one, int[] other) {
        int[] row = new int[other.length + 1];
        for (int token : one) {
            int diagonal = 0;
            for (int i = 1; i <= other.length; i++) {
                int above = row[i];
                row[i] = token == other[i - 1] ? diagonal + 1 : Math.max(row[i], row[i - 1]);
                diagonal = above;
            }
        }
        return row[other.length];
    }
}
