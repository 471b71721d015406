package io.tidemill.trainer.reward;

import io.tidemill.model.engine.FinishReason;
import io.tidemill.model.text.ChatMessage;
import java.util.List;
import java.util.Map;

/**
 * An answer that is to be judged.
 *
 * @param promptId   names the prompt in errors
 * @param prompt     the conversation that was answered; empty where the prompt was plain text
 * @param rewardData what the prompt's author gave for judging answers to it, by name
 * @param text       the answer, without its end of turn
 * @param tokens     the same as the model wrote it, its end of turn included where it wrote one
 * @param finish     STOP where it ended by itself, LENGTH where it was cut off
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record GivenAnswer(
        String promptId,
        List<ChatMessage> prompt,
        Map<String, String> rewardData,
        String text,
        int[] tokens,
        FinishReason finish) {
    public GivenAnswer {
        prompt = List.copyOf(prompt);
        rewardData = Map.copyOf(rewardData);
    }

    /** Whether it was cut off. */
    public boolean truncated() {
        return finish != FinishReason.STOP;
    }
}
