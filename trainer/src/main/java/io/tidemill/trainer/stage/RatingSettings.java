package io.tidemill.trainer.stage;

import io.tidemill.trainer.objective.Objectives;
import io.tidemill.trainer.objective.RatingObjective;
import java.util.Map;

/**
 * Learning from answers that were rated one by one.
 *
 * @param objective  name of a {@link RatingObjective}, or {@link #OFF}
 * @param parameters of the objective, by name; its own defaults for the rest
 * @param answers    answers a step
 * @param epochs     how often each answer is seen
 */
public record RatingSettings(
        OptimizerSettings optimizer, String objective, Map<String, String> parameters, int answers, int epochs) {
    /** Ratings are left alone. */
    public static final String OFF = "none";

    public RatingSettings {
        parameters = Map.copyOf(parameters);
        if (answers < 1 || epochs < 1) {
            throw new IllegalArgumentException(
                    "answers and epochs must be at least 1, but were " + answers + " and " + epochs);
        }
        if (!objective.equals(OFF)) {
            Objectives.rating(objective, parameters); // refuses what it does not know
        }
    }

    public boolean learns() {
        return !objective.equals(OFF);
    }

    /** A new one: some remember what a run has been through. */
    public RatingObjective newObjective() {
        return Objectives.rating(objective, parameters);
    }
}
