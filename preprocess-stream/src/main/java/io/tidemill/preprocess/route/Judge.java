package io.tidemill.preprocess.route;

import io.tidemill.preprocess.outcome.Refusal;
import io.tidemill.proto.Ids;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import java.util.List;
import java.util.Optional;

/** Decides which feedback can teach anything; looks at one feedback and its completions alone. */
final class Judge {
    static final String STAGE = "join";

    private Judge() {}

    /** Why no objective of this version learns of it, whatever its completions say. */
    static Optional<Refusal> withoutObjective(Feedback feedback) {
        return switch (feedback.getKindCase()) {
            case COMMENT ->
                refusal("without-objective", "a comment has no training objective; it is kept, not learned");
            case LABEL ->
                refusal(
                        "without-objective",
                        "the label " + feedback.getLabel().getName() + " has no training objective; it is kept, not"
                                + " learned");
            case COMPARISON -> {
                Comparison.Verdict verdict = feedback.getComparison().getVerdict();
                yield verdict == Comparison.Verdict.TIE || verdict == Comparison.Verdict.BOTH_BAD
                        ? refusal("without-objective", "a comparison that ends " + verdict + " prefers neither answer")
                        : Optional.empty();
            }
            default -> Optional.empty();
        };
    }

    /** Why these completions cannot be learned from in this way. */
    static Optional<Refusal> unusable(Feedback feedback, List<Completion> completions) {
        for (Completion completion : completions) {
            if (completion.getRawText()) {
                return refusal(
                        "without-objective",
                        "completion " + completion.getCompletionId()
                                + " continues raw text, and preferences are learned on chats only");
            }
        }
        if (completions.size() == 2
                && !Ids.turnHash(completions.get(0).getMessagesList())
                        .equals(Ids.turnHash(completions.get(1).getMessagesList()))) {
            return refusal(
                    "prompts-differ",
                    "completions " + completions.get(0).getCompletionId() + " and "
                            + completions.get(1).getCompletionId() + " answer different prompts under turn "
                            + feedback.getTurnId());
        }
        return Optional.empty();
    }

    /** Why this preference teaches nothing, or cannot be written. */
    static Optional<Refusal> useless(Preference preference) {
        Pair pair = preference.getPair();
        if (preference.hasPair()
                && pair.getChosen().getText().equals(pair.getRejected().getText())) {
            return refusal(
                    "equal-answers",
                    "both answers are the same " + pair.getChosen().getText().length() + " characters");
        }
        if (preference.getWeight() <= 0) {
            return refusal(
                    "untrusted",
                    "feedback of assurance "
                            + preference.getProvenance().getPrincipal().getAssurance()
                            + " has weight 0 (preprocess.trust)");
        }
        int bytes = preference.getSerializedSize();
        return bytes > TopicCatalogue.MAX_SOURCE_RECORD_BYTES
                ? refusal(
                        "too-large",
                        "the preference has " + bytes + " bytes, at most " + TopicCatalogue.MAX_SOURCE_RECORD_BYTES
                                + " fit a record")
                : Optional.empty();
    }

    private static Optional<Refusal> refusal(String code, String reason) {
        return Optional.of(new Refusal(STAGE, code, reason));
    }
}
