package io.tidemill.feedback.answer;

/**
 * One loaded version of a model, whatever it is for. Safe for use by several threads; closed only when nobody is inside.
 */
public sealed interface Engine extends AutoCloseable permits AnswerEngine, TextEngine {
    /** Such as {@code tidemill-000003}. */
    String version();

    Task task();

    /** The longest sequence that it reads, with all that it adds. Unit: tokens. */
    int contextTokens();

    /** Number of trained weights. */
    long parameters();

    /**
     * What a version's probe is compared with, float32: after the last of the ids {@code [V]}, or of the labels of all of
     * them where there are labels.
     */
    float[] probeLogits(int[] ids);

    @Override
    void close();
}
