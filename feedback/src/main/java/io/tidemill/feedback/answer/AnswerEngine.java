package io.tidemill.feedback.answer;

/** The port between the gateway and a version that answers. */
public non-sealed interface AnswerEngine extends Engine {
    @Override
    default Task task() {
        return Task.ANSWER;
    }

    /** Ids of the question as the model reads it: a chat through its template, raw text as it is. */
    int[] promptTokens(Question question);

    /**
     * Answers on the calling thread, token by token.
     *
     * @param prompt what {@link #promptTokens} made; shorter than {@link #contextTokens}
     */
    Answer answer(int[] prompt, AnswerSettings settings, PieceListener listener);
}
