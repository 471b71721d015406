package io.tidemill.trainer.round;

import io.tidemill.model.engine.LoraConfig;
import java.util.List;
import java.util.Optional;

/**
 * Whether a round trains a low-rank adapter on the frozen champion instead of all weights.
 *
 * @param rank          r; 0 trains all weights
 * @param alpha         α
 * @param targetModules linear layers by name, such as {@code q_proj}; empty for all
 */
public record AdapterSettings(int rank, double alpha, boolean rankStabilized, List<String> targetModules) {
    /** All weights are trained. */
    public static final AdapterSettings OFF = new AdapterSettings(0, 1, false, List.of());

    public AdapterSettings {
        if (rank < 0 || !(alpha > 0) || Double.isInfinite(alpha)) {
            throw new IllegalArgumentException(
                    "trainer.adapter.rank must not be negative and alpha must be positive and finite, but were " + rank
                            + " and " + alpha);
        }
        targetModules = List.copyOf(targetModules);
    }

    /** Empty where all weights are trained. */
    Optional<LoraConfig> lora() {
        if (rank == 0) {
            return Optional.empty();
        }
        LoraConfig config = LoraConfig.of(rank, alpha).on(targetModules);
        return Optional.of(rankStabilized ? config.withRankStabilised() : config);
    }
}
