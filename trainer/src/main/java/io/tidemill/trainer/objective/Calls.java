package io.tidemill.trainer.objective;

import io.tidemill.model.engine.AnswerCall;
import java.util.List;

/** Checks that a call has the answers that an objective expects. */
final class Calls {
    private Calls() {}

    static void checkPairs(AnswerCall call, int pairs) {
        checkTexts(call, pairs);
        checkAnswers(call, 2);
    }

    static void checkTexts(AnswerCall call, int known) {
        if (call.size() != known) {
            throw new IllegalArgumentException(
                    "The call has " + call.size() + " texts, but something is known of " + known);
        }
    }

    static void checkAnswers(AnswerCall call, int expected) {
        for (int f = 0; f < call.size(); f++) {
            if (call.answers(f) != expected) {
                throw new IllegalArgumentException(
                        "Text " + f + " of the call has " + call.answers(f) + " answers instead of " + expected);
            }
        }
    }

    static void checkSampled(AnswerCall call, List<List<SampledAnswer>> answers) {
        checkTexts(call, answers.size());
        for (int f = 0; f < call.size(); f++) {
            if (call.answers(f) != answers.get(f).size()) {
                throw new IllegalArgumentException(
                        "Text " + f + " of the call has " + call.answers(f) + " answers, but something is known of "
                                + answers.get(f).size());
            }
            for (int a = 0; a < call.answers(f); a++) {
                int known = answers.get(f).get(a).sampled().length;
                if (call.logProbabilities(f, a).length != known) {
                    throw new IllegalArgumentException("Answer " + a + " of text " + f + " has "
                            + call.logProbabilities(f, a).length + " log-probabilities, but had " + known
                            + " when it was sampled");
                }
            }
        }
    }
}
