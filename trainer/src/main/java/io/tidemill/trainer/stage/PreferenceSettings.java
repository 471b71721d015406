package io.tidemill.trainer.stage;

import io.tidemill.trainer.objective.Objectives;
import io.tidemill.trainer.objective.PairObjective;
import java.util.Map;

/**
 * Learning from pairs.
 *
 * @param objective  name of a {@link PairObjective}
 * @param parameters of the objective, by name; its own defaults for the rest
 * @param pairs      pairs a step
 * @param epochs     how often each pair is seen
 */
public record PreferenceSettings(
        OptimizerSettings optimizer, String objective, Map<String, String> parameters, int pairs, int epochs) {
    public PreferenceSettings {
        parameters = Map.copyOf(parameters);
        if (pairs < 1 || epochs < 1) {
            throw new IllegalArgumentException(
                    "pairs and epochs must be at least 1, but were " + pairs + " and " + epochs);
        }
        Objectives.pair(objective, parameters); // refuses what it does not know
    }

    /** A new one: some remember what a run has been through. */
    public PairObjective newObjective() {
        return Objectives.pair(objective, parameters);
    }
}
