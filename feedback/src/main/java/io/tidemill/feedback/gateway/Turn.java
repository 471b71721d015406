package io.tidemill.feedback.gateway;

import io.tidemill.proto.CompletionId;
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
 * @param version that answers
 */
record Turn(
        String responseId,
        Instant created,
        AskedFor asked,
        Principal asker,
        Optional<String> session,
        String version,
        int promptTokens) {

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
