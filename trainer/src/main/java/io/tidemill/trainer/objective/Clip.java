package io.tidemill.trainer.objective;

/**
 * Bounds of the ratio of new to old probability.
 *
 * @param low   the ratio counts no lower than 1 − low for answers that were worse than expected
 * @param high  and no higher than 1 + high for those that were better
 * @param upper bound of the ratio whatever the advantage; infinite where there is none
 */
record Clip(double low, double high, double upper) {
    Clip {
        Ranges.positive("clip-low", low);
        Ranges.positive("clip-high", high);
        if (!(low <= 1)) {
            throw new IllegalArgumentException("clip-low must be at most 1, but was " + low);
        }
        if (!(upper > 1 + high)) {
            throw new IllegalArgumentException(
                    "ratio-limit must be above 1 + clip-high, " + (1 + high) + ", but was " + upper);
        }
    }

    /**
     * −min(min(ρ, upper)·A, clip(ρ)·A), and what of it is a figure.
     *
     * @param slope d loss / dρ
     */
    record Term(double loss, double slope, boolean low, boolean high) {}

    /**
     * Schulman et al. (2017), arXiv:1707.06347, equation 7.
     *
     * @param ratio     ρ
     * @param advantage A
     */
    Term of(double ratio, double advantage) {
        double bounded = Math.min(ratio, upper);
        double clipped = Math.min(1 + high, Math.max(1 - low, ratio));
        boolean inside = clipped == ratio;
        boolean first = bounded * advantage <= clipped * advantage;
        boolean moves = first ? ratio <= upper : inside;
        return new Term(
                -(first ? bounded : clipped) * advantage,
                moves ? -advantage : 0,
                bounded < 1 - low && advantage < 0,
                bounded > 1 + high && advantage > 0);
    }
}
