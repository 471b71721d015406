package io.tidemill.feedback.answer;

/** Hears an answer grow. */
@FunctionalInterface
public interface PieceListener {
    /** Returns whether to go on; {@code false} cancels the answer. */
    boolean accept(Piece piece);
}
