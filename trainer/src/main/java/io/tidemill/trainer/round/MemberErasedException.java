package io.tidemill.trainer.round;

/** Something that a running round reads is to be forgotten: the round begins again without it. */
final class MemberErasedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MemberErasedException(String message) {
        super(message);
    }
}
