package io.tidemill.feedback.answer;

/**
 * The port between the gateway and whatever answers: one loaded version of a model. Safe for use by several threads;
 * closed only when nobody is inside.
 */
public interface AnswerEngine extends AutoCloseable {
    /** Such as {@code tidemill-000003}. */
    String version();

    /** The longest sequence, prompt and answer together. Unit: tokens. */
    int contextTokens();

    /** Number of trained weights. */
    long parameters();

    /** Ids of the question as the model reads it: a chat through its template, raw text as it is. */
    int[] promptTokens(Question question);

    /**
     * Answers on the calling thread, token by token.
     *
     * @param prompt what {@link #promptTokens} made; shorter than {@link #contextTokens}
     */
    Answer answer(int[] prompt, AnswerSettings settings, PieceListener listener);

    /** Logits after the last of the ids, float32 {@code [V]}; what a version's probe is compared with. */
    float[] lastLogits(int[] ids);

    @Override
    void close();
}
