package io.tidemill.trainer.checkpoint;

/** Another trainer has taken over this model's name. This one must stop: two would train every example twice. */
public final class FencedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FencedException(String transactionalId, Throwable cause) {
        super(
                "Another trainer has taken over transactional id " + transactionalId
                        + ". This one stops; start it again only when the other one is gone.",
                cause);
    }
}
