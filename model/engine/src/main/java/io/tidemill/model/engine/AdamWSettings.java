package io.tidemill.model.engine;

/**
 * Settings of AdamW, Loshchilov and Hutter (2019), arXiv:1711.05101, algorithm 2.
 *
 * @param beta1       decay of the mean of gradients
 * @param beta2       decay of the mean of their squares
 * @param epsilon     added to the root of the latter
 * @param weightDecay per step, times the learning rate; weights of one dimension do not decay
 * @param groups      which weights learn otherwise
 */
public record AdamWSettings(double beta1, double beta2, double epsilon, double weightDecay, ParameterGroups groups) {
    /** All weights learn alike. */
    public AdamWSettings(double beta1, double beta2, double epsilon, double weightDecay) {
        this(beta1, beta2, epsilon, weightDecay, ParameterGroups.NONE);
    }

    public AdamWSettings {
        if (!(beta1 >= 0 && beta1 < 1) || !(beta2 >= 0 && beta2 < 1)) {
            throw new IllegalArgumentException("betas must be in [0, 1), but were " + beta1 + " and " + beta2);
        }
        if (!(epsilon > 0) || !(weightDecay >= 0)) {
            throw new IllegalArgumentException("epsilon must be positive and weightDecay not negative, but were "
                    + epsilon + " and " + weightDecay);
        }
    }

    /** The same, with weights that learn otherwise. */
    public AdamWSettings with(ParameterGroups others) {
        return new AdamWSettings(beta1, beta2, epsilon, weightDecay, others);
    }

    /** 0.9, 0.95, 1e-8 and 0.1: what most language models are trained with. */
    public static AdamWSettings defaults() {
        return new AdamWSettings(0.9, 0.95, 1e-8, 0.1);
    }
}
