package io.tidemill.trainer.rollout;

import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.model.text.Tokenizer;
import java.util.List;
import java.util.Map;

/**
 * A prompt that answers are drawn to.
 *
 * @param promptId   no other prompt of a stage has it
 * @param messages   the conversation so far; empty where the prompt is plain text
 * @param rewardData what its author gave for judging answers, by name
 * @param tokens     up to where the answer begins
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record RolloutPrompt(String promptId, List<ChatMessage> messages, Map<String, String> rewardData, int[] tokens) {
    public RolloutPrompt {
        messages = List.copyOf(messages);
        rewardData = Map.copyOf(rewardData);
        if (promptId.isBlank() || tokens.length == 0) {
            throw new IllegalArgumentException(
                    "A prompt needs an id and at least one token, but prompt '" + promptId + "' has " + tokens.length);
        }
    }

    /** A conversation, as the model's chat template writes it. */
    public static RolloutPrompt of(
            String promptId, List<ChatMessage> messages, Map<String, String> rewardData, ChatEncoder encoder) {
        return new RolloutPrompt(promptId, messages, rewardData, encoder.prompt(messages));
    }

    /** Plain text, which the model goes on with. */
    public static RolloutPrompt of(String promptId, String text, Map<String, String> rewardData, Tokenizer tokenizer) {
        return new RolloutPrompt(promptId, List.of(), rewardData, tokenizer.encode(text));
    }
}
