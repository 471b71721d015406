package io.tidemill.trainer.rollout;

/** Rollouts that the weights have learned from in part can no longer be read, so the rest of their steps cannot be repeated. */
public final class RolloutsLostException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RolloutsLostException(String message) {
        super(message);
    }
}
