package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.PromptAnswers;
import java.util.ArrayList;
import java.util.List;

/**
 * Rollouts cut into texts that one call of a model holds: a prompt with as many of its answers as fit. Cutting costs reading
 * a prompt twice; a group of long answers would else need memory for all of them at once.
 */
final class AnswerTexts {
    /** Tokens of a prompt and the answers beside it, unless one answer alone is longer. */
    private static final int TOKENS_AT_ONCE = 2048;

    /** Answers {@code from} to below {@code to} of a rollout. */
    record Cut(int rollout, int from, int to) {}

    private final List<Cut> cuts = new ArrayList<>();
    private final List<PromptAnswers> texts = new ArrayList<>();

    /** @param most answers of a text at most */
    AnswerTexts(List<Rollout> rollouts, int most) {
        for (int r = 0; r < rollouts.size(); r++) {
            Rollout rollout = rollouts.get(r);
            int count = rollout.answers().size();
            for (int from = 0; from < count; ) {
                int to = from + 1;
                long tokens = rollout.prompt().tokens().length + length(rollout, from);
                while (to < count && to - from < most && tokens + length(rollout, to) <= TOKENS_AT_ONCE) {
                    tokens += length(rollout, to++);
                }
                cuts.add(new Cut(r, from, to));
                texts.add(new PromptAnswers(
                        rollout.prompt().tokens(),
                        rollout.answers().subList(from, to).stream()
                                .map(RolledAnswer::tokens)
                                .toList()));
                from = to;
            }
        }
    }

    private static int length(Rollout rollout, int answer) {
        return rollout.answers().get(answer).tokens().length;
    }

    List<PromptAnswers> texts() {
        return texts;
    }

    /** Which answers each text holds. */
    List<Cut> cuts() {
        return cuts;
    }
}
