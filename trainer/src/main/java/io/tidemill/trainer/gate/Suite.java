package io.tidemill.trainer.gate;

import java.util.List;

/**
 * Frozen examples and the figure that they give.
 *
 * @param <S> what is asked of a model for it
 */
public sealed interface Suite<S>
        permits LossSuite,
                PreferenceSuite,
                PreferenceGapSuite,
                MaskedLossSuite,
                LabelSuite,
                ProbeSuite,
                DriftSuite,
                AgreementSuite {
    /** As the event writes it: "held-out-loss", "old-data-loss", "preference-accuracy", "label-accuracy", "probes". */
    String name();

    String unit();

    /** 1 where a higher figure is better, −1 where a lower one is. */
    int sign();

    /** How much worse is still accepted; in the suite's unit. */
    double margin();

    /** With fewer examples the figures are told, but nothing is decided by them. */
    int minimum();

    /** One id an example, telling its content; by it a score is remembered. */
    List<String> exampleIds();

    /** Weight of each example in the suite's figure. */
    double[] weights();

    /** Scores of some of the examples, by index. */
    double[] score(S model, int[] indexes);

    /** By this name scores are remembered: suites that ask the same of a model share them. */
    default String scored() {
        return name();
    }

    /** What an example counts in the suite's figure, by its score. */
    default double value(double score) {
        return score;
    }

    /** Interval of the figure after. */
    Interval interval(Scores after, double[] resampled);

    /** What is asked of the difference. */
    default Rule rule() {
        return Rule.NON_INFERIORITY;
    }

    /** Whether anything is decided by it; its figures are told in any case. */
    default boolean decides() {
        return true;
    }

    /** Whether the pinned ancestor is asked too. */
    default boolean sincePinned() {
        return true;
    }

    /**
     * Margin of the comparison with the pinned ancestor.
     *
     * @param multiple of the margin, as the settings have it
     */
    default double marginSincePinned(double multiple) {
        return multiple * margin();
    }

    /** What a verdict calls an example. */
    default String label(int index) {
        return exampleIds().get(index);
    }
}
