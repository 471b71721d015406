package io.tidemill.trainer.rollout;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What one call for rollouts brought in: all that the steps up to the next call learn from.
 *
 * @param step     optimizer step before which it was made, from 1
 * @param origin   what it depends on beside the step: settings and weights
 * @param before   the stage's memory when it was made
 * @param asked    how many prompts were answered for it
 * @param dropped  how many of them were left out because nothing could be learned from their answers
 * @param rollouts what is left
 */
public record Harvest(
        long step, Origin origin, Map<String, Double> before, int asked, int dropped, List<Rollout> rollouts) {
    /**
     * By what rollouts of another run, or of other weights, are told.
     *
     * @param settings digest of settings, seed and prompts
     * @param weights  digest of the weights that answered
     */
    record Origin(String settings, String weights) {}

    public Harvest {
        before = Collections.unmodifiableMap(new TreeMap<>(before));
        rollouts = List.copyOf(rollouts);
    }
}
