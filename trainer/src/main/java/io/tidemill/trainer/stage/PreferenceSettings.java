package io.tidemill.trainer.stage;

/**
 * Direct preference optimisation.
 *
 * @param pairs            pairs a step
 * @param beta             β, how strongly the reference holds; the paper uses 0.1
 * @param supervisedWeight weight of the chosen answer's own loss beside the preference; 0 leaves it out
 * @param epochs           how often each pair is seen
 */
public record PreferenceSettings(
        OptimizerSettings optimizer, int pairs, double beta, double supervisedWeight, int epochs) {
    public PreferenceSettings {
        if (pairs < 1 || epochs < 1 || !(beta > 0) || !(supervisedWeight >= 0)) {
            throw new IllegalArgumentException(
                    "pairs and epochs must be at least 1, beta positive and supervised-weight not negative,"
                            + " but were " + pairs + ", " + epochs + ", " + beta + " and " + supervisedWeight);
        }
    }
}
