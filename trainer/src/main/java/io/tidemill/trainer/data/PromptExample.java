package io.tidemill.trainer.data;

import io.tidemill.model.text.ChatMessage;
import io.tidemill.proto.Ids;
import io.tidemill.proto.v1.Prompt;
import java.util.List;
import java.util.Map;

/**
 * A prompt that the model itself answers in training, in text.
 *
 * @param rewardData what a reward function needs to judge an answer, by name
 */
public record PromptExample(String exampleId, List<ChatMessage> prompt, Map<String, String> rewardData) {
    public PromptExample {
        prompt = List.copyOf(prompt);
        rewardData = Map.copyOf(rewardData);
    }

    static PromptExample of(Prompt prompt) {
        return new PromptExample(
                Ids.exampleId(List.of(prompt.getPromptId()), Stages.ROLLOUT, 0),
                prompt.getMessagesList().stream()
                        .map(message -> new ChatMessage(message.getRole(), message.getContent()))
                        .toList(),
                prompt.getRewardDataMap());
    }
}
