package io.tidemill.trainer.stage;

import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.trainer.data.RatedExample;
import java.util.List;

/**
 * A rated answer as tokens.
 *
 * @param prompt rendered by the chat template, up to where the answer begins
 * @param answer with its end of turn
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record TokenizedAnswer(String exampleId, int[] prompt, int[] answer, boolean desirable, double weight) {
    public static TokenizedAnswer of(RatedExample rated, ChatEncoder encoder) {
        return new TokenizedAnswer(
                rated.exampleId(),
                encoder.prompt(rated.prompt()),
                encoder.answer(rated.answer()),
                rated.desirable(),
                rated.weight());
    }

    public PromptAnswers promptAnswers() {
        return new PromptAnswers(prompt, List.of(answer));
    }

    public int length() {
        return prompt.length + answer.length;
    }
}
