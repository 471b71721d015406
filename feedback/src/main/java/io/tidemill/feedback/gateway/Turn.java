package io.tidemill.feedback.gateway;

import io.tidemill.feedback.serving.Arm;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.proto.CompletionId;
import io.tidemill.proto.Ids;
import io.tidemill.proto.v1.Principal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * One prompt shown to one person, with all its answers. The turn's id is the response's id, so that whoever has a
 * completion's id, {@code <response id>/<choice>}, has the turn's as well.
 *
 * @param asker   who sent the request
 * @param session conversation that the client named
 * @param conversation what stays together on one side of the split and on one arm
 * @param version that answers
 * @param arm     that the version is of
 */
record Turn(
        String responseId,
        Instant created,
        AskedFor asked,
        Principal asker,
        Optional<String> session,
        String conversation,
        String version,
        Arm arm,
        int promptTokens) {

    /**
     * The conversation. Where the client names none it is known by how it began, so that a later turn, which repeats the
     * beginning, falls on the same side of the split.
     */
    static String conversation(AskedFor asked, Optional<String> session) {
        return session.or(asked::user).map(name -> "session:" + name).orElseGet(() -> {
            List<ChatMessage> messages = asked.question().messages();
            int beginning = 1;
            while (beginning < messages.size()
                    && !messages.get(beginning - 1).role().equals(ChatMessage.USER)) {
                beginning++;
            }
            return "conversation:"
                    + Ids.turnHash(messages.subList(0, beginning).stream()
                            .map(Capture::proto)
                            .toList());
        });
    }

    String id() {
        return responseId;
    }

    String completionId(int choice) {
        return new CompletionId(responseId, choice).toString();
    }

    List<String> completionIds() {
        return IntStream.range(0, asked.choices()).mapToObj(this::completionId).toList();
    }
}
