package io.tidemill.trainer.round;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.WeightType;
import io.tidemill.trainer.gate.Gate;
import io.tidemill.trainer.gate.GatePolicy;
import io.tidemill.trainer.gate.HeldOut;
import io.tidemill.trainer.stage.PreferenceSettings;
import io.tidemill.trainer.stage.RatingSettings;
import io.tidemill.trainer.stage.SequenceSettings;

/**
 * Everything about a round that decides its result; frozen in its plan and written into its manifest.
 *
 * @param threads   of libtorch inside one operation; part of the result, because sums are split by it
 * @param published number type of the published weights
 * @param saveEvery steps between two saved states of a stage
 * @param loggedReferences how far logged log-probabilities may be from computed ones to stand for the reference's, nats per
 *                  token; 0 computes all
 * @param adapter   trained instead of all weights, if it is on; plans of older programs have none
 * @param encoder   how it learns where the model is one; plans of older programs have none, and none of an encoder's
 * @param mixture   what takes part, what is learned again and what holds it to its champion; plans of older programs have none
 */
public record RoundSettings(
        SequenceSettings pretrain,
        SequenceSettings sft,
        PreferenceSettings preference,
        RatingSettings rating,
        RewardModelSettings rewardModel,
        RolloutStageSettings rollout,
        GateSettings gate,
        int threads,
        ComputeType compute,
        WeightType published,
        int saveEvery,
        double loggedReferences,
        AdapterSettings adapter,
        EncoderRoundSettings encoder,
        MixtureSettings mixture) {

    public RoundSettings {
        adapter = adapter == null ? AdapterSettings.OFF : adapter;
        encoder = encoder == null ? EncoderRoundSettings.NONE : encoder;
        mixture = mixture == null ? MixtureSettings.NONE : mixture;
        if (adapter.lora().isPresent() && mixture.anchor().l2() > 0) {
            throw new IllegalArgumentException(
                    "trainer.anchor.l2 holds all weights, and an adapter leaves them as they are: set"
                            + " the stages' weight-decay instead, which pulls the adapter to nothing and so the model to its champion");
        }
    }

    /**
     * How the candidate is judged.
     *
     * @param heldOutMargin    nats per token
     * @param oldDataMargin    nats per token
     * @param preferenceMargin share of pairs, where the suite has its full size
     * @param labelMargin      share of labelled texts, where the suite has its full size
     * @param labelLossMargin  nats per labelled text or per label, or a squared error
     * @param pinned           version that candidates are compared with beside the champion; empty for the lineage's first
     * @param pinnedMargins    its margins, as multiples of those above
     * @param minimumWindows   of a loss suite, to be judged
     * @param minimumPairs     of the preference suite, to be judged
     * @param minimumTexts     of the suite of labels, to be judged
     * @param oldData          JSONL of the operator with a "text" a line; empty for the embedded base's own
     * @param policy           what the operator asks beyond held-out examples; plans of older programs have none
     * @param gapMargin        of the preferred answer's lead, nats per token; 0, as in plans of older programs, tells it alone
     * @param window           predicted tokens of a decoder's window, at most; 0, as in plans of older programs, for a row of pretraining
     */
    public record GateSettings(
            double heldOutMargin,
            double oldDataMargin,
            double preferenceMargin,
            double labelMargin,
            double labelLossMargin,
            String pinned,
            double pinnedMargins,
            int minimumWindows,
            int minimumPairs,
            int minimumTexts,
            int maximumWindows,
            int maximumOldDataWindows,
            int maximumPairs,
            String oldData,
            int resamples,
            double alpha,
            GatePolicy policy,
            double gapMargin,
            int window) {

        private static final int FEWEST_RESAMPLES = 100;

        public GateSettings {
            policy = policy == null ? GatePolicy.NONE : policy;
            if (resamples < FEWEST_RESAMPLES) {
                throw new IllegalArgumentException("trainer.gate.resamples must be at least " + FEWEST_RESAMPLES
                        + ", for fewer tell nothing about the ends of an interval, but was " + resamples
                        + ". Leave it out for the default, 2000.");
            }
            if (!(gapMargin >= 0) || Double.isInfinite(gapMargin)) {
                throw new IllegalArgumentException(
                        "trainer.gate.preference-gap-margin must be finite and not negative, but was " + gapMargin);
            }
            if (window < 0) {
                throw new IllegalArgumentException("trainer.gate.window must not be negative, but was " + window
                        + ". Leave it out for windows as long as the rows of pretraining.");
            }
            if (!(alpha > 0 && alpha < 1)) {
                throw new IllegalArgumentException(
                        "trainer.gate.alpha must lie between 0 and 1, but was " + alpha + ". Leave it out for 0.05.");
            }
        }

        /** Of a suite with so many pairs. */
        double preferenceMargin(int pairs) {
            return margin(preferenceMargin, pairs, maximumPairs);
        }

        /** Of a suite with so many texts. */
        double labelMargin(int texts) {
            return margin(labelMargin, texts, maximumWindows);
        }

        /**
         * What a share of so many examples can show: its standard error goes with 1/√n, so a margin that holds back a good
         * candidate once in a hundred tries at the full size does it as rarely at a smaller one.
         */
        private static double margin(double margin, int examples, int full) {
            return margin * Math.sqrt(Math.max(1, full / (double) Math.max(1, examples)));
        }

        Gate.Settings statistics() {
            return new Gate.Settings(resamples, alpha);
        }

        HeldOut.Limits limits() {
            return new HeldOut.Limits(maximumWindows, maximumPairs);
        }
    }
}
