package io.tidemill.feedback.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.feedback.request.Fields;
import io.tidemill.feedback.request.InvalidRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads the bodies of the endpoints that ask an encoder about texts. What is not known is refused by name. */
final class TextRequestReader {
    private static final int MOST_TEXTS = 128;

    /** Fewer, since each guess of each mask brings its whole text again. */
    private static final int MOST_MASKED_TEXTS = 16;

    private static final int MOST_GUESSES = 100;
    private static final int USUAL_GUESSES = 5;

    /** Body of {@code /v1/classifications}. */
    AskedAbout classifications(byte[] body) {
        Fields fields = Fields.ofObject(body);
        AskedAbout asked = new AskedAbout(texts(fields, MOST_TEXTS), model(fields), 0);
        fields.nothingElse();
        return asked;
    }

    /** Body of {@code /v1/fill-mask}. */
    AskedAbout fillMask(byte[] body) {
        Fields fields = Fields.ofObject(body);
        int most = fields.integer("top_k", 1, MOST_GUESSES)
                .orElse((long) USUAL_GUESSES)
                .intValue();
        AskedAbout asked = new AskedAbout(texts(fields, MOST_MASKED_TEXTS), model(fields), most);
        fields.nothingElse();
        return asked;
    }

    private static Optional<String> model(Fields fields) {
        return fields.text("model").filter(name -> !name.isEmpty());
    }

    private static List<AskedAbout.Text> texts(Fields fields, int most) {
        String expected = "a string, or an array of 1 to " + most + " strings";
        JsonNode input = fields.any("input").orElseThrow(() -> InvalidRequest.missing("input", expected));
        if (input.isTextual()) {
            return List.of(text("input", input.textValue()));
        }
        if (!input.isArray() || input.isEmpty()) {
            throw InvalidRequest.value("input", input, expected);
        }
        if (input.size() > most) {
            throw InvalidRequest.value("input", input.size() + " texts", expected);
        }
        List<AskedAbout.Text> texts = new ArrayList<>();
        for (String text : fields.texts("input")) {
            texts.add(text("input[" + texts.size() + "]", text));
        }
        return texts;
    }

    private static AskedAbout.Text text(String field, String text) {
        if (text.isBlank()) {
            throw InvalidRequest.value(field, '"' + text + '"', "a text that is not blank");
        }
        return new AskedAbout.Text(field, text);
    }
}
