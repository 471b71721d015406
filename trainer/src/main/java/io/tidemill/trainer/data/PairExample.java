package io.tidemill.trainer.data;

import io.tidemill.model.text.ChatMessage;
import io.tidemill.proto.v1.Preference;
import java.util.List;

/** A preference between two answers to one prompt, in text. */
public record PairExample(String exampleId, List<ChatMessage> prompt, String chosen, String rejected, double weight) {
    public PairExample {
        prompt = List.copyOf(prompt);
    }

    /** The preference must hold a pair. */
    public static PairExample of(Preference preference) {
        return new PairExample(
                preference.getExampleId(),
                preference.getMessagesList().stream()
                        .map(message -> new ChatMessage(message.getRole(), message.getContent()))
                        .toList(),
                preference.getPair().getChosen().getText(),
                preference.getPair().getRejected().getText(),
                ExampleCollector.weight(preference.getWeight()));
    }
}
