package io.tidemill.trainer.offline.data;

import io.tidemill.model.text.ChatMessage;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One example in text, with what stages ask of it. */
public sealed interface Example {
    Origin origin();

    /**
     * Where it comes from.
     *
     * @param id    unique in the run, the same wherever the files lie
     * @param group what stays on one side of the split with it
     */
    record Origin(String id, Place place, String group) {}

    /** Text of which every token is learned. */
    record Text(Origin origin, String text) implements Example {}

    /** A conversation of which what the assistant says is learned. */
    record Chat(Origin origin, List<ChatMessage> messages) implements Example {}

    /** A prompt, and what is learned to say to it. */
    record Completion(Origin origin, Prompt prompt, String completion) implements Example {}

    /**
     * Two answers, one of them preferred.
     *
     * @param margin by how much; 0 where nobody said
     */
    record Pair(Origin origin, Prompt prompt, String chosen, String rejected, double margin, double weight)
            implements Example {}

    /** An answer that was liked or not. */
    record Rated(Origin origin, Prompt prompt, String completion, boolean liked, double weight) implements Example {}

    /**
     * A prompt to answer.
     *
     * @param data the other columns, for rewards
     */
    record Asked(Origin origin, Prompt prompt, Map<String, String> data) implements Example {}

    /**
     * A text, or two, and what is to be said of it.
     *
     * @param several whether it may have any number of labels
     */
    record Labelled(Origin origin, String text, Optional<String> second, List<String> labels, boolean several)
            implements Example {}
}
