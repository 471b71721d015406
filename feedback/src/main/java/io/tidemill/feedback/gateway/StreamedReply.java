package io.tidemill.feedback.gateway;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.feedback.answer.Answer;
import io.tidemill.feedback.answer.Piece;
import io.tidemill.feedback.request.ErrorJson;
import io.tidemill.feedback.web.ClientStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Answers as server-sent events, piece by piece. The chunk that ends the last choice carries the {@code tidemill} object,
 * because only then is it known whether the answers were stored.
 */
final class StreamedReply implements Reply {
    private final ClientStream client;
    private final List<Piece> silent = new ArrayList<>();
    private boolean opened;
    private boolean choiceBegun;
    private ObjectNode lastFinish;

    StreamedReply(ClientStream client) {
        this.client = client;
    }

    @Override
    public void piece(Turn turn, int choice, Piece piece) {
        silent.add(piece);
        if (!piece.text().isEmpty()) {
            delta(turn, choice, piece.text());
        }
    }

    @Override
    public void choice(Turn turn, int choice, Answer answer) {
        if (!answer.tail().isEmpty() || !silent.isEmpty() || !choiceBegun) {
            delta(turn, choice, answer.tail());
        }
        ObjectNode finish = AnswerJson.finish(turn, choice, answer);
        if (choice < turn.asked().choices() - 1) {
            send(turn, finish);
        } else {
            lastFinish = finish;
        }
        choiceBegun = false;
    }

    private void delta(Turn turn, int choice, String text) {
        send(turn, AnswerJson.delta(turn, choice, !choiceBegun, text, silent));
        choiceBegun = true;
        silent.clear();
    }

    @Override
    public void end(Turn turn, int answerTokens, boolean rateable) {
        ObjectNode last = AnswerJson.envelope(turn, true);
        if (lastFinish != null) {
            last.putArray("choices").add(lastFinish);
            withoutUsageYet(turn, last);
            last.set("tidemill", AnswerJson.tidemill(turn, rateable));
            send(last);
        }
        if (turn.asked().includeUsage()) {
            ObjectNode usage = AnswerJson.envelope(turn, true);
            usage.putArray("choices");
            usage.set("usage", AnswerJson.usage(turn, answerTokens));
            send(usage);
        }
        client.event("[DONE]");
        client.end();
    }

    @Override
    public void fail(Turn turn, Throwable failure) {
        ObjectNode error = ErrorJson.of("server_error", "generation_failed", failed(turn));
        if (opened) {
            client.event(error.toString());
            client.end();
        } else {
            client.json(500, error);
        }
    }

    static String failed(Turn turn) {
        return "Version " + turn.version() + " failed while it answered " + turn.id() + "; see the service's log.";
    }

    private void send(Turn turn, ObjectNode choice) {
        ObjectNode chunk = AnswerJson.envelope(turn, true);
        chunk.putArray("choices").add(choice);
        withoutUsageYet(turn, chunk);
        send(chunk);
    }

    /** Where usage was asked for, every chunk but the last says {@code "usage": null}. */
    private static void withoutUsageYet(Turn turn, ObjectNode chunk) {
        if (turn.asked().includeUsage()) {
            chunk.set("usage", JsonNodeFactory.instance.nullNode());
        }
    }

    private void send(ObjectNode chunk) {
        if (!opened) {
            client.openEvents();
            opened = true;
        }
        client.event(chunk.toString());
    }

    @Override
    public boolean gone() {
        return client.gone();
    }
}
