package io.tidemill.trainer.data;

import io.tidemill.proto.v1.Answer;
import java.util.Arrays;

/**
 * What was kept of an answer when a version of ours gave it.
 *
 * @param version          empty where none of ours said it
 * @param logProbabilities of each token at temperature 1 with nothing cut off, whatever it was sampled by; nats
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record LoggedAnswer(String version, int[] tokens, double[] logProbabilities) {
    /** Nothing was kept. */
    public static final LoggedAnswer NONE = new LoggedAnswer("", new int[0], new double[0]);

    static LoggedAnswer of(Answer answer) {
        return new LoggedAnswer(
                answer.getModelVersion(),
                answer.getTokensList().stream().mapToInt(Integer::intValue).toArray(),
                answer.getLogProbsList().stream()
                        .mapToDouble(Float::doubleValue)
                        .toArray());
    }

    /** Whether that version said just these tokens, and how likely each was is known. */
    public boolean is(String askedVersion, int[] askedTokens) {
        return version.equals(askedVersion)
                && logProbabilities.length == tokens.length
                && Arrays.equals(tokens, askedTokens);
    }

    /** Of the whole answer; nats. */
    public double sum() {
        double sum = 0;
        for (double one : logProbabilities) {
            sum += one;
        }
        return sum;
    }
}
