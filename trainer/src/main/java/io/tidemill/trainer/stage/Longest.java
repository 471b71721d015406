package io.tidemill.trainer.stage;

import io.tidemill.model.engine.PromptAnswers;
import java.util.List;

/** What a call has at least. */
final class Longest {
    private Longest() {}

    /** Tokens of the longest prompt with all its answers, which are never parted. */
    static int of(List<PromptAnswers> texts) {
        return texts.stream()
                .mapToInt(text -> Math.toIntExact(text.prompt().length + text.answerTokens()))
                .max()
                .orElse(0);
    }
}
