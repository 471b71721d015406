package io.tidemill.trainer.reward;

import java.util.List;
import java.util.OptionalDouble;

/** Judges answers; more is better. Used by one thread at a time. */
@FunctionalInterface
public interface Reward extends AutoCloseable {
    /**
     * One number each, in the order of the answers; empty where it has no opinion. {@link Rewards} refuses a number that is
     * not finite and a list of another length.
     *
     * @throws RewardException if it cannot judge; nothing was learned from these answers
     */
    List<OptionalDouble> judge(List<GivenAnswer> answers);

    /** Lets go of what it holds: a model's weights, connections. */
    @Override
    default void close() {}
}
