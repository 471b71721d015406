package io.tidemill.feedback.gateway;

import io.tidemill.feedback.answer.Answer;
import io.tidemill.feedback.answer.Piece;

/** Where one turn's answers go, as they come. Called by one thread at a time. */
interface Reply {
    void piece(Turn turn, int choice, Piece piece);

    /** A choice is complete. */
    void choice(Turn turn, int choice, Answer answer);

    /**
     * All choices are complete.
     *
     * @param rateable whether all of them were stored
     */
    void end(Turn turn, int answerTokens, boolean rateable);

    /** The model failed; nothing more comes. */
    void fail(Turn turn, Throwable failure);

    /** Whether the client has gone, so that going on is pointless. */
    boolean gone();
}
