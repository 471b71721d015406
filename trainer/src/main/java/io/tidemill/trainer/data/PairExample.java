package io.tidemill.trainer.data;

import io.tidemill.model.text.ChatMessage;
import io.tidemill.proto.v1.Preference;
import java.util.List;

/**
 * A preference between two answers to one prompt, in text.
 *
 * @param loggedChosen what was kept when the chosen answer was given
 */
public record PairExample(
        String exampleId,
        List<ChatMessage> prompt,
        String chosen,
        String rejected,
        double weight,
        LoggedAnswer loggedChosen,
        LoggedAnswer loggedRejected) {
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
                ExampleCollector.weight(preference.getWeight()),
                LoggedAnswer.of(preference.getPair().getChosen()),
                LoggedAnswer.of(preference.getPair().getRejected()));
    }
}
