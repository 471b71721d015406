package io.tidemill.feedback.gateway;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.feedback.answer.Answer;
import io.tidemill.feedback.answer.Piece;
import io.tidemill.feedback.request.ErrorJson;
import io.tidemill.feedback.web.ClientStream;
import java.util.ArrayList;
import java.util.List;

/** All answers in one JSON document, sent when the last is complete. */
final class WholeReply implements Reply {
    private final ClientStream client;
    private final ArrayNode choices = JsonNodeFactory.instance.arrayNode();
    private final List<Piece> pieces = new ArrayList<>();

    WholeReply(ClientStream client) {
        this.client = client;
    }

    @Override
    public void piece(Turn turn, int choice, Piece piece) {
        if (turn.asked().logProbs()) {
            pieces.add(piece);
        }
    }

    @Override
    public void choice(Turn turn, int choice, Answer answer) {
        choices.add(AnswerJson.choice(turn, choice, answer, pieces));
        pieces.clear();
    }

    @Override
    public void end(Turn turn, int answerTokens, boolean rateable) {
        ObjectNode body = AnswerJson.envelope(turn, false);
        body.set("choices", choices);
        body.set("usage", AnswerJson.usage(turn, answerTokens));
        body.set("tidemill", AnswerJson.tidemill(turn, rateable));
        client.json(200, body);
    }

    @Override
    public void fail(Turn turn, Throwable failure) {
        client.json(500, ErrorJson.of("server_error", "generation_failed", StreamedReply.failed(turn)));
    }

    @Override
    public boolean gone() {
        return client.gone();
    }
}
