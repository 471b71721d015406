package io.tidemill.trainer.reward;

/** Answers could not be judged. The weights are those of the step before; what was judged before is kept. */
public final class RewardException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RewardException(String message) {
        super(message);
    }

    public RewardException(String message, Throwable cause) {
        super(message, cause);
    }
}
