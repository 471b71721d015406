package io.tidemill.feedback.request;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Errors as OpenAI's clients read them: {@code {"error": {"message", "type", "param", "code"}}}, with the value and what
 * is expected beside it.
 */
public final class ErrorJson {
    private ErrorJson() {}

    public static ObjectNode of(InvalidRequest problem) {
        ObjectNode body = of("invalid_request_error", problem.code(), problem.getMessage());
        ((ObjectNode) body.get("error"))
                .put("param", problem.field())
                .put("value", problem.value())
                .put("expected", problem.expected());
        return body;
    }

    public static ObjectNode of(String type, String code, String message) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("error")
                .put("message", message)
                .put("type", type)
                .putNull("param")
                .put("code", code);
        return body;
    }
}
