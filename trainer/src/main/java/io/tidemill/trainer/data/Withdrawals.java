package io.tidemill.trainer.data;

import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.trainer.data.ExampleReader.Example;
import io.tidemill.trainer.data.ExampleReader.Judgement;
import io.tidemill.trainer.data.ExampleReader.Sequence;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Feedback that its rater has taken back within one slice, and what was made of it: the pair, the score, the pair of two
 * scores, and the demonstration of a correction. Only what the same rater said is concerned, and never a document, so
 * that an id of somebody's choosing takes back nothing of others.
 */
final class Withdrawals {
    private final Map<String, Set<String>> feedbackBySubject = new HashMap<>();

    void add(Example example) {
        if (example instanceof Judgement judgement) {
            Preference message = judgement.message();
            feedbackBySubject
                    .computeIfAbsent(subject(message.getProvenance()), subject -> new HashSet<>())
                    .addAll(message.getWithdrawnList());
        }
    }

    /** Whether the example was made of feedback that counts no more. */
    boolean concern(Example example) {
        if (example instanceof Sequence sequence) {
            return sequence.message().getObjective() == TokenSequence.Objective.SFT
                    && madeOf(
                            feedbackBySubject.getOrDefault(
                                    subject(sequence.message().getProvenance()), Set.of()),
                            sequence.message().getProvenance());
        }
        if (!(example instanceof Judgement judgement)) {
            return false; // a prompt was made of nobody's feedback
        }
        Provenance provenance = judgement.message().getProvenance();
        // A pair of two raters' scores names neither of them.
        boolean ofTwo = judgement.message().getOrigin() == Preference.Origin.RATINGS && !provenance.hasPrincipal();
        return ofTwo
                ? feedbackBySubject.values().stream().anyMatch(feedback -> madeOf(feedback, provenance))
                : madeOf(feedbackBySubject.getOrDefault(subject(provenance), Set.of()), provenance);
    }

    private static boolean madeOf(Set<String> feedback, Provenance provenance) {
        return provenance.getParentIdsList().stream().anyMatch(feedback::contains);
    }

    private static String subject(Provenance provenance) {
        return provenance.getPrincipal().getSubject();
    }
}
