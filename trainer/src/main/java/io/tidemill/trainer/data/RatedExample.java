package io.tidemill.trainer.data;

import io.tidemill.model.text.ChatMessage;
import io.tidemill.proto.v1.Preference;
import java.util.List;

/**
 * An answer that was rated alone, in text.
 *
 * @param desirable whether it was liked
 * @param weight    of the rater, times how far the rating is from the middle: a thumb is all the way
 * @param logged    what was kept when the answer was given
 */
public record RatedExample(
        String exampleId,
        List<ChatMessage> prompt,
        String answer,
        boolean desirable,
        double weight,
        LoggedAnswer logged) {
    private static final double MIDDLE = 0.5;

    public RatedExample {
        prompt = List.copyOf(prompt);
    }

    /** Whether a score from 0 to 1 says that an answer is good or bad, and not neither. */
    static boolean isDecided(Preference preference) {
        return preference.getScored().getScore() != MIDDLE;
    }

    /** The preference must hold a score that is not in the middle. */
    public static RatedExample of(Preference preference) {
        double score = preference.getScored().getScore();
        return new RatedExample(
                preference.getExampleId(),
                preference.getMessagesList().stream()
                        .map(message -> new ChatMessage(message.getRole(), message.getContent()))
                        .toList(),
                preference.getScored().getAnswer().getText(),
                score > MIDDLE,
                ExampleCollector.weight(preference.getWeight()) * Math.abs(2 * score - 1),
                LoggedAnswer.of(preference.getScored().getAnswer()));
    }
}
