package io.tidemill.trainer.promotion;

import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.v1.CanaryFigures;
import java.time.Duration;
import java.time.Instant;

/**
 * How a version that passed its gate comes to serve.
 *
 * @param patience how long a candidate waits for a person; zero waits for ever
 * @param canary   how one is judged
 */
public record PromotionSettings(Policy policy, Duration patience, Canary canary) {
    /** Every version that passes serves. */
    public static final PromotionSettings AT_ONCE = new PromotionSettings(
            Policy.AT_ONCE,
            Duration.ZERO,
            new Canary(0.1, 0.05, 0.1, Requires.NON_INFERIORITY, 20, Duration.ofHours(24), Undecided.ROLL_BACK));

    public PromotionSettings {
        if (patience.isNegative()) {
            throw new IllegalArgumentException(
                    "trainer.promotion.patience must not be negative, but was " + patience + ".");
        }
    }

    /**
     * How a canary is judged.
     *
     * @param share    of the conversations that it answers
     * @param alpha    α: chance of promoting a canary that is too bad, and of rolling back one that is not
     * @param margin   how much worse its mean score (0 to 1; of thumbs, the share that are up) may be
     * @param requires what is to be shown before it is promoted
     * @param ratings  of either arm that there must be before anything is decided
     * @param patience after which it is decided without evidence
     */
    public record Canary(
            double share,
            double alpha,
            double margin,
            Requires requires,
            long ratings,
            Duration patience,
            Undecided undecided) {
        public Canary {
            require(share > 0 && share < 1, "canary-share", "between 0 and 1", share);
            require(alpha > 0 && alpha < 1, "canary-alpha", "between 0 and 1", alpha);
            require(margin >= 0 && margin < 1, "canary-margin", "at least 0 and below 1", margin);
            require(ratings > 0, "canary-minimum-ratings", "positive", ratings);
            require(
                    !patience.isNegative() && !patience.isZero(),
                    "canary-patience",
                    "positive, or a canary would be decided before anybody has seen it",
                    patience);
        }

        /** What is announced of it; later settings are for later canaries. */
        public CanaryFigures rule(Instant since) {
            return CanaryFigures.newBuilder()
                    .setShare(share)
                    .setMargin(requires == Requires.SUPERIORITY ? 0 : margin)
                    .setEvidenceFor(1)
                    .setEvidenceAgainst(1)
                    .setEvidenceNeeded(1 / alpha)
                    .setDifferenceLow(-1)
                    .setDifferenceHigh(1)
                    .setComparisonsNeeded(ratings)
                    .setSince(Timestamps.fromMillis(since.toEpochMilli()))
                    .setUntil(Timestamps.fromMillis(since.plus(patience).toEpochMilli()))
                    .setPromotedWithoutEvidence(undecided == Undecided.PROMOTE)
                    .build();
        }
    }

    /** What a canary must have shown. */
    public enum Requires {
        /** That it is not worse by the margin. */
        NON_INFERIORITY,
        /** That it is better. */
        SUPERIORITY
    }

    /** What becomes of a canary that nothing was shown of. */
    public enum Undecided {
        ROLL_BACK,
        PROMOTE
    }

    private static void require(boolean holds, String key, String wanted, Object value) {
        if (!holds) {
            throw new IllegalArgumentException(
                    "trainer.promotion." + key + " must be " + wanted + ", but was " + value + ".");
        }
    }
}
