package io.tidemill.model.engine;

/**
 * What one call of a model says about answers, and where an objective writes how its loss depends on that.
 *
 * <p>Letters: first index f, which {@link PromptAnswers}; second a, which of its answers; third t, which token.
 *
 * <p>Log-probabilities {@code [f][a][t]}, log π(token t | prompt, tokens before t), nats; a model without a head over the
 * vocabulary has none, and the arrays of each answer are empty.
 *
 * <p>Values {@code [f][a][t]} of a model with a head of one score: for t below the answer's n tokens the score of the
 * state before token t, which a critic's value is; for t = n that after the last token, which a reward model's score is.
 * A model without such a head has none, and the arrays of each answer are empty.
 *
 * <p>The slopes have the same shapes and start as zeros.
 */
public final class AnswerCall {
    private final double[][][] logProbabilities;
    private final double[][][] values;
    private final double[][][] logProbabilitySlopes;
    private final double[][][] valueSlopes;

    /**
     * @param logProbabilities {@code [f][a][t]}; nats
     * @param values           {@code [f][a][t]}
     */
    public AnswerCall(double[][][] logProbabilities, double[][][] values) {
        this.logProbabilities = logProbabilities;
        this.values = values;
        this.logProbabilitySlopes = zeros(logProbabilities);
        this.valueSlopes = zeros(values);
    }

    private static double[][][] zeros(double[][][] like) {
        double[][][] zeros = new double[like.length][][];
        for (int f = 0; f < like.length; f++) {
            zeros[f] = new double[like[f].length][];
            for (int a = 0; a < like[f].length; a++) {
                zeros[f][a] = new double[like[f][a].length];
            }
        }
        return zeros;
    }

    /** How many prompts with their answers. */
    public int size() {
        return logProbabilities.length;
    }

    public int answers(int f) {
        return logProbabilities[f].length;
    }

    /** Not a copy; nats. */
    public double[] logProbabilities(int f, int a) {
        return logProbabilities[f][a];
    }

    /** log π of the whole answer; nats. */
    public double logProbability(int f, int a) {
        double sum = 0;
        for (double value : logProbabilities[f][a]) {
            sum += value;
        }
        return sum;
    }

    /** Not a copy. */
    public double[] values(int f, int a) {
        return values[f][a];
    }

    /** What a reward model gives: the score after the last token. */
    public double score(int f, int a) {
        return values[f][a][values[f][a].length - 1];
    }

    /** To be filled: d loss / d log π(token t); not a copy. */
    public double[] logProbabilitySlopes(int f, int a) {
        return logProbabilitySlopes[f][a];
    }

    /** Adds the same slope to every token of an answer: what d loss / d log π(answer) comes to. */
    public void addSlope(int f, int a, double slope) {
        double[] slopes = logProbabilitySlopes[f][a];
        for (int t = 0; t < slopes.length; t++) {
            slopes[t] += slope;
        }
    }

    /** To be filled: d loss / d value; not a copy. */
    public double[] valueSlopes(int f, int a) {
        return valueSlopes[f][a];
    }
}
