package io.tidemill.trainer.gate;

import java.util.List;

/**
 * How far the preferred answer is ahead: its log-probability a token less that of the other, given the prompt; in the mean over
 * all pairs. It moves long before {@link PreferenceSuite the accuracy} does, with labels that were flipped as with honest
 * corrections of the champion's own mistakes; therefore it decides only where the operator gives it a margin.
 *
 * @param pairs  with the gaps of these
 * @param margin accepted fall; 0 decides nothing
 */
public record PreferenceGapSuite(PreferenceSuite pairs, double margin) implements Suite<Scoring> {
    public static final String NAME = "preference-gap";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String unit() {
        return "nats per token";
    }

    @Override
    public int sign() {
        return 1;
    }

    @Override
    public int minimum() {
        return pairs.minimum();
    }

    @Override
    public boolean decides() {
        return margin > 0;
    }

    @Override
    public List<String> exampleIds() {
        return pairs.exampleIds();
    }

    @Override
    public double[] weights() {
        return pairs.weights();
    }

    @Override
    public double[] score(Scoring model, int[] indexes) {
        return pairs.score(model, indexes);
    }

    @Override
    public Interval interval(Scores after, double[] resampled) {
        return Interval.ofPercentiles(resampled);
    }
}
