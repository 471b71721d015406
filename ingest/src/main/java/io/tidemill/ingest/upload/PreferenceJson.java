package io.tidemill.ingest.upload;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.Ids;
import io.tidemill.proto.Reading;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.SelfContained;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A preference pair in the shapes that people have, made a self-contained comparison whose answer a is the better one.
 *
 * <p>Understood are the shapes of TRL's preference data sets:
 * <pre>
 *   {"prompt": "Why?",        "chosen": "Because.",    "rejected": "No."}          standard
 *   {"prompt": [messages],    "chosen": [one answer],  "rejected": [one answer]}   conversational
 *   {                         "chosen": [messages],    "rejected": [messages]}     implicit prompt: the common beginning
 * </pre>
 * {@code messages} is another name of {@code prompt}. Where answers repeat the whole prompt before the answer, as
 * several published sets do, it must be the same prompt.
 *
 * <p>Source of the shapes: TRL documentation, "Dataset formats and types", section "Preference".
 */
final class PreferenceJson {
    static final String DEFAULT_SOURCE = "external";

    private static final int MAX_DEPTH = 32;
    private static final Set<String> ROLES = Set.of("system", "user", "assistant");
    private static final Map<String, String> NAMES = names();
    private static final ObjectMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxStringLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Map<String, JsonNode> fields = new TreeMap<>();

    private PreferenceJson() {}

    static Reading<Feedback> read(byte[] utf8) {
        try {
            return new Reading.Accepted<>(new PreferenceJson().feedback(parse(utf8)));
        } catch (Wrong wrong) {
            return wrong.refused;
        }
    }

    private Feedback feedback(JsonNode record) throws Wrong {
        collect(record);
        Conversation chosen = conversation("chosen");
        Conversation rejected = conversation("rejected");
        List<ChatMessage> prompt = prompt(chosen, rejected);
        if (chosen.answer.equals(rejected.answer)) {
            throw Wrong.value("rejected", "another answer than chosen", rejected.answer);
        }
        Feedback.Builder feedback = Feedback.newBuilder()
                .setFeedbackId(text("id", ""))
                .setTurnId(text("turn_id", ""))
                .setSource(text("source", DEFAULT_SOURCE))
                .setGroupId(text("group_id", "prompt:" + Ids.turnHash(prompt)))
                .setComparison(Comparison.newBuilder()
                        .setVerdict(Comparison.Verdict.A_BETTER)
                        .setSelfContained(SelfContained.newBuilder()
                                .addAllMessages(prompt)
                                .setAnswerA(chosen.answer)
                                .setAnswerB(rejected.answer)));
        for (JsonNode subject : list("subjects")) {
            feedback.addSubjects(string("subjects[" + feedback.getSubjectsCount() + "]", subject));
        }
        if (fields.containsKey("event_time")) {
            String expected = "a time in RFC 3339 as in 2026-01-31T12:00:00Z";
            String time = string("event_time", fields.get("event_time"));
            try {
                feedback.setEventTime(Timestamps.parse(time));
            } catch (ParseException | IllegalArgumentException e) {
                throw Wrong.value("event_time", expected, time);
            }
        }
        return feedback.build();
    }

    private void collect(JsonNode record) throws Wrong {
        if (!record.isObject()) {
            throw Wrong.type("", "a JSON object", shown(record));
        }
        for (Map.Entry<String, JsonNode> field : record.properties()) {
            String name = NAMES.get(field.getKey());
            if (name == null) {
                throw Wrong.unknown(field.getKey());
            }
            if (!field.getValue().isNull() && fields.put(name, field.getValue()) != null) {
                throw Wrong.value(field.getKey(), "given once", "given twice under two names");
            }
        }
    }

    /** What one of the two sides said, with the prompt before it where it was given as messages. */
    private record Conversation(List<ChatMessage> before, String answer) {}

    private Conversation conversation(String name) throws Wrong {
        JsonNode value = required(name);
        if (!value.isArray()) {
            return new Conversation(List.of(), nonEmpty(name, string(name, value, "a string or a list of messages")));
        }
        List<ChatMessage> messages = messages(name, value);
        ChatMessage last = messages.get(messages.size() - 1);
        if (!last.getRole().equals("assistant")) {
            throw Wrong.value(
                    name + "[" + (messages.size() - 1) + "].role",
                    "assistant, because it is the answer",
                    last.getRole());
        }
        return new Conversation(
                messages.subList(0, messages.size() - 1),
                nonEmpty(name + "[" + (messages.size() - 1) + "].content", last.getContent()));
    }

    private List<ChatMessage> prompt(Conversation chosen, Conversation rejected) throws Wrong {
        List<ChatMessage> given = List.of();
        if (fields.containsKey("prompt")) {
            JsonNode value = fields.get("prompt");
            given = value.isArray()
                    ? messages("prompt", value)
                    : List.of(ChatMessage.newBuilder()
                            .setRole("user")
                            .setContent(nonEmpty("prompt", string("prompt", value, "a string or a list of messages")))
                            .build());
        }
        List<ChatMessage> prompt = given.isEmpty() ? chosen.before : given;
        if (prompt.isEmpty()) {
            throw Wrong.missing("prompt or messages");
        }
        requireSame("chosen", chosen, prompt, given.isEmpty());
        requireSame("rejected", rejected, prompt, given.isEmpty());
        return prompt;
    }

    /** The messages before an answer are the prompt, or are left out where the prompt is given apart. */
    private static void requireSame(String name, Conversation side, List<ChatMessage> prompt, boolean implicit)
            throws Wrong {
        if ((implicit || !side.before.isEmpty()) && !side.before.equals(prompt)) {
            throw Wrong.value(
                    name,
                    "one answer, or the " + prompt.size() + " messages of the prompt and one answer",
                    side.before.size() + " messages before the answer that are not the prompt");
        }
    }

    private static List<ChatMessage> messages(String path, JsonNode list) throws Wrong {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode item : list) {
            String at = path + "[" + messages.size() + "]";
            if (!item.isObject()) {
                throw Wrong.type(at, "a message {\"role\", \"content\"}", shown(item));
            }
            for (Iterator<String> names = item.fieldNames(); names.hasNext(); ) {
                String name = names.next();
                if (!name.equals("role") && !name.equals("content")) {
                    throw Wrong.value(at, "a message of role and content", "one with " + name);
                }
            }
            String role = string(at + ".role", item.path("role"));
            if (!ROLES.contains(role)) {
                throw Wrong.value(at + ".role", "system, user or assistant", role);
            }
            messages.add(ChatMessage.newBuilder()
                    .setRole(role)
                    .setContent(string(at + ".content", item.path("content")))
                    .build());
        }
        if (messages.isEmpty()) {
            throw Wrong.missing(path);
        }
        return messages;
    }

    private JsonNode required(String name) throws Wrong {
        JsonNode value = fields.get(name);
        if (value == null) {
            throw Wrong.missing(name);
        }
        return value;
    }

    private JsonNode list(String name) throws Wrong {
        JsonNode value = fields.get(name);
        if (value != null && !value.isArray()) {
            throw Wrong.type(name, "a list", shown(value));
        }
        return value == null ? JSON.createArrayNode() : value;
    }

    private String text(String name, String byDefault) throws Wrong {
        JsonNode value = fields.get(name);
        String text = value == null ? "" : string(name, value);
        return text.isEmpty() ? byDefault : text;
    }

    private static String nonEmpty(String path, String text) throws Wrong {
        if (text.isEmpty()) {
            throw Wrong.missing(path);
        }
        return text;
    }

    private static String string(String path, JsonNode value) throws Wrong {
        return string(path, value, "a string");
    }

    private static String string(String path, JsonNode value, String expected) throws Wrong {
        if (value.isMissingNode()) {
            throw Wrong.missing(path);
        }
        if (!value.isTextual()) {
            throw Wrong.type(path, expected, shown(value));
        }
        if (!UTF_8.newEncoder().canEncode(value.textValue())) {
            throw Wrong.value(path, "Unicode text", "text with half of a surrogate pair");
        }
        return value.textValue();
    }

    private static JsonNode parse(byte[] utf8) throws Wrong {
        try {
            return JSON.readTree(
                    UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString());
        } catch (CharacterCodingException e) {
            throw Wrong.unreadable("The text is not UTF-8.", "UTF-8");
        } catch (JsonProcessingException e) {
            String place = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr();
            throw Wrong.unreadable("Not JSON" + place + ": " + cut(e.getOriginalMessage()) + ".", "one JSON object");
        }
    }

    private static String shown(JsonNode value) {
        return value.isArray() ? "a list" : value.isObject() ? "an object" : cut(value.toString());
    }

    private static String cut(String text) {
        String line = text.replaceAll("\\p{Cntrl}+", " ");
        return line.length() <= 80 ? line : line.substring(0, 80) + "…";
    }

    private static Map<String, String> names() {
        Map<String, String> names = new TreeMap<>();
        names.put("messages", "prompt");
        names.put("feedback_id", "id");
        names.put("feedbackId", "id");
        names.put("turnId", "turn_id");
        names.put("groupId", "group_id");
        names.put("eventTime", "event_time");
        for (String name : List.of(
                "id", "turn_id", "prompt", "chosen", "rejected", "source", "group_id", "event_time", "subjects")) {
            names.put(name, name);
        }
        return names;
    }

    /** Carries a refusal out of the depth of a record. */
    private static final class Wrong extends Exception {
        private static final long serialVersionUID = 1L;

        private final transient Reading.Refused<Feedback> refused;

        private Wrong(String code, String reason, String field, String value, String expected) {
            super(reason, null, false, false);
            this.refused = new Reading.Refused<>(code, reason, field, value, expected);
        }

        static Wrong unreadable(String reason, String expected) {
            return new Wrong("unreadable", reason + " Expected: " + expected + ".", "", "", expected);
        }

        static Wrong missing(String path) {
            return new Wrong("missing-field", path + " is required, but is absent or empty.", path, "", "a value");
        }

        static Wrong unknown(String path) {
            String known = String.join(", ", new TreeSet<>(NAMES.values())) + " and messages";
            return new Wrong(
                    "unknown-field",
                    cut(path) + " is not a field of a preference. Expected: " + known + ".",
                    cut(path),
                    "",
                    known);
        }

        static Wrong type(String path, String expected, String found) {
            return of("wrong-type", path, expected, found);
        }

        static Wrong value(String path, String expected, String found) {
            return of("wrong-value", path, expected, found);
        }

        private static Wrong of(String code, String path, String expected, String found) {
            String where = path.isEmpty() ? "The value" : path;
            return new Wrong(
                    code, where + " must be " + expected + ", but was " + cut(found) + ".", path, cut(found), expected);
        }
    }
}
