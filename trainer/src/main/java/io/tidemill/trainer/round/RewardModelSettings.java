package io.tidemill.trainer.round;

import io.tidemill.trainer.objective.Objectives;
import io.tidemill.trainer.objective.PairObjective;
import io.tidemill.trainer.stage.OptimizerSettings;
import java.util.Map;

/**
 * A reward model that a round trains on its pairs, before the model itself learns: what rollouts can be judged by.
 *
 * @param learns     whether there is one
 * @param parameters of the objective "reward", by name; its own defaults for the rest
 * @param pairs      pairs a step
 * @param epochs     how often each pair is seen
 */
public record RewardModelSettings(
        OptimizerSettings optimizer, boolean learns, Map<String, String> parameters, int pairs, int epochs) {
    private static final String OBJECTIVE = "reward";

    public RewardModelSettings {
        parameters = Map.copyOf(parameters);
        if (pairs < 1 || epochs < 1) {
            throw new IllegalArgumentException(
                    "pairs and epochs must be at least 1, but were " + pairs + " and " + epochs);
        }
        Objectives.pair(OBJECTIVE, parameters); // refuses what it does not know
    }

    PairObjective newObjective() {
        return Objectives.pair(OBJECTIVE, parameters);
    }
}
