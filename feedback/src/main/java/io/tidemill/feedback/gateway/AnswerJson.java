package io.tidemill.feedback.gateway;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.feedback.answer.Answer;
import io.tidemill.feedback.answer.Piece;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * OpenAI's JSON of answers: {@code chat.completion}, {@code chat.completion.chunk} and {@code text_completion}, with an
 * object {@code tidemill} beside the known fields that says how to rate the answers.
 */
final class AnswerJson {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private AnswerJson() {}

    /** Everything but choices and usage. */
    static ObjectNode envelope(Turn turn, boolean chunk) {
        String object = turn.asked().question().raw() ? "text_completion" : "chat.completion" + (chunk ? ".chunk" : "");
        return NODES.objectNode()
                .put("id", turn.responseId())
                .put("object", object)
                .put("created", turn.created().getEpochSecond())
                .put("model", turn.version())
                .put("system_fingerprint", turn.version());
    }

    /** A finished choice of a response that is sent as a whole. */
    static ObjectNode choice(Turn turn, int index, Answer answer, List<Piece> pieces) {
        ObjectNode choice = NODES.objectNode().put("index", index);
        if (turn.asked().question().raw()) {
            choice.put("text", answer.text());
        } else {
            choice.putObject("message")
                    .put("role", "assistant")
                    .put("content", answer.text())
                    .putNull("refusal");
        }
        choice.set("logprobs", logProbs(turn, pieces));
        return choice.put("finish_reason", answer.finish().reason());
    }

    /** A piece of a stream's choice; the first one of a chat carries the role. */
    static ObjectNode delta(Turn turn, int index, boolean first, String text, List<Piece> pieces) {
        ObjectNode choice = NODES.objectNode().put("index", index);
        if (turn.asked().question().raw()) {
            choice.put("text", text);
        } else {
            ObjectNode delta = choice.putObject("delta");
            if (first) {
                delta.put("role", "assistant");
            }
            delta.put("content", text);
        }
        choice.set("logprobs", logProbs(turn, pieces));
        return choice.putNull("finish_reason");
    }

    /** The last chunk of a stream's choice. */
    static ObjectNode finish(Turn turn, int index, Answer answer) {
        ObjectNode choice = NODES.objectNode().put("index", index);
        if (turn.asked().question().raw()) {
            choice.put("text", "");
        } else {
            choice.putObject("delta");
        }
        return choice.putNull("logprobs").put("finish_reason", answer.finish().reason());
    }

    static ObjectNode usage(Turn turn, int answerTokens) {
        return NODES.objectNode()
                .put("prompt_tokens", turn.promptTokens())
                .put("completion_tokens", answerTokens)
                .put("total_tokens", turn.promptTokens() + answerTokens);
    }

    /** How to rate the answers. */
    static ObjectNode tidemill(Turn turn, boolean rateable) {
        ObjectNode extension = NODES.objectNode().put("turn_id", turn.id());
        ArrayNode ids = extension.putArray("completion_ids");
        turn.completionIds().forEach(ids::add);
        return extension.put("rateable", rateable);
    }

    private static com.fasterxml.jackson.databind.JsonNode logProbs(Turn turn, List<Piece> pieces) {
        if (!turn.asked().logProbs()) {
            return NODES.nullNode();
        }
        return turn.asked().question().raw() ? legacyLogProbs(pieces) : chatLogProbs(pieces);
    }

    private static ObjectNode chatLogProbs(List<Piece> pieces) {
        ObjectNode logProbs = NODES.objectNode();
        ArrayNode content = logProbs.putArray("content");
        for (Piece piece : pieces) {
            ObjectNode token = content.addObject()
                    .put("token", new String(piece.bytes(), StandardCharsets.UTF_8))
                    .put("logprob", piece.logProbability());
            ArrayNode bytes = token.putArray("bytes");
            for (byte b : piece.bytes()) {
                bytes.add(b & 0xff);
            }
            token.putArray("top_logprobs");
        }
        logProbs.putNull("refusal");
        return logProbs;
    }

    private static ObjectNode legacyLogProbs(List<Piece> pieces) {
        ObjectNode logProbs = NODES.objectNode();
        ArrayNode tokens = logProbs.putArray("tokens");
        ArrayNode values = logProbs.putArray("token_logprobs");
        for (Piece piece : pieces) {
            tokens.add(new String(piece.bytes(), StandardCharsets.UTF_8));
            values.add(piece.logProbability());
        }
        return logProbs;
    }
}
