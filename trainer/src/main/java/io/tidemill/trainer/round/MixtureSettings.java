package io.tidemill.trainer.round;

import io.tidemill.proto.VersionId;
import io.tidemill.trainer.data.Mixture;
import io.tidemill.trainer.data.Mixture.FeedbackAge;
import io.tidemill.trainer.data.Mixture.SourceShare;
import io.tidemill.trainer.data.Stages;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a round learns from besides its new examples, what of those takes part, and what holds it to its champion.
 *
 * @param stages   that the model's rounds have; empty for all that suit it
 * @param sources  by name; those that are not named count fully
 * @param feedback how old it may be
 * @param replay   of what its ancestors have learned
 * @param anchor   to the champion
 */
public record MixtureSettings(
        List<String> stages, Map<String, SourceShare> sources, FeedbackAge feedback, Replay replay, Anchor anchor) {
    /** All stages, all sources, nothing again, and no hold. */
    public static final MixtureSettings NONE =
            new MixtureSettings(List.of(), Map.of(), FeedbackAge.ANY, Replay.OFF, Anchor.NONE);

    private static final List<String> KNOWN = List.of(
            Stages.PRETRAIN,
            Stages.SFT,
            Stages.PREFERENCE,
            Stages.RATING,
            Stages.ROLLOUT,
            Stages.MASKED_LM,
            Stages.CLASSIFICATION);

    public MixtureSettings {
        stages = List.copyOf(stages);
        sources = Map.copyOf(sources);
        requireKnown("trainer.stages", stages);
    }

    /** @throws IllegalArgumentException if one is no stage of any model */
    static void requireKnown(String setting, List<String> stages) {
        stages.stream().filter(stage -> !KNOWN.contains(stage)).findFirst().ifPresent(unknown -> {
            throw new IllegalArgumentException(
                    setting + " must name some of " + KNOWN + ", but one is '" + unknown + "'");
        });
    }

    /** As records are read by it when a round starts from that champion. */
    Mixture from(VersionId champion) {
        return new Mixture(sources, feedback, Optional.of(champion));
    }

    /**
     * Examples of ancestors that are learned once more.
     *
     * @param share  of a stage's examples that are such: 0.1 is one to nine new ones
     * @param slices of ancestors that are read for it at most
     */
    public record Replay(double share, int slices) {
        public static final Replay OFF = new Replay(0, 4);

        public Replay {
            if (!(share >= 0 && share < 1)) {
                throw new IllegalArgumentException(
                        "trainer.replay.share must be 0 or more and below 1, but was " + share);
            }
            if (slices < 1) {
                throw new IllegalArgumentException("trainer.replay.slices must be at least 1, but was " + slices);
            }
        }
    }

    /**
     * What holds the weights, or what the model says, to the champion.
     *
     * @param l2 share of the way back that each step goes, times its learning rate; 0 is none
     * @param kl weight of the divergence from the champion's next token, in nats, beside the loss of texts; 0 is none
     */
    public record Anchor(double l2, double kl) {
        public static final Anchor NONE = new Anchor(0, 0);

        public Anchor {
            if (!(l2 >= 0) || Double.isInfinite(l2)) {
                throw new IllegalArgumentException("trainer.anchor.l2 must be finite and not negative, but was " + l2);
            }
            if (!(kl >= 0) || Double.isInfinite(kl)) {
                throw new IllegalArgumentException("trainer.anchor.kl must be finite and not negative, but was " + kl);
            }
        }
    }
}
