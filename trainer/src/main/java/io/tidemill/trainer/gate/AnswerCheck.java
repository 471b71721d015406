package io.tidemill.trainer.gate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/**
 * What an answer must be like: a JSON object of conditions, all of which must hold. Space around the answer never counts.
 *
 * <pre>
 *   contains, not_contains   a text, or a list of which all, or none, occur
 *   equals, starts_with      a text
 *   one_of                   a list of texts, one of which the answer is
 *   matches                  a regular expression (RE2) that is found in it; ^ and $ hold it to the whole
 *   json                     true: the answer is one JSON value
 *   max_tokens, min_tokens   of the answer; one that the limit cut is longer than any
 *   ignore_case              true: of all texts above
 * </pre>
 */
final class AnswerCheck {
    private static final ObjectMapper STRICT = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private static final String IGNORE_CASE = "ignore_case";

    private static final Map<String, BiFunction<JsonNode, UnaryOperator<String>, Condition>> KINDS =
            new TreeMap<>(Map.of(
                    "contains", AnswerCheck::contains,
                    "not_contains", AnswerCheck::notContains,
                    "equals", AnswerCheck::equal,
                    "starts_with", AnswerCheck::startsWith,
                    "one_of", AnswerCheck::oneOf,
                    "matches", AnswerCheck::matches,
                    "json", AnswerCheck::json,
                    "max_tokens", AnswerCheck::maxTokens,
                    "min_tokens", AnswerCheck::minTokens));

    /** Of an answer and its text without space around it, in the case that counts. */
    @FunctionalInterface
    private interface Condition {
        boolean holds(String text, Reply reply);
    }

    private final List<Condition> conditions;

    private AnswerCheck(List<Condition> conditions) {
        this.conditions = List.copyOf(conditions);
    }

    /** @throws IllegalArgumentException if it is not as described above; the message names what to change */
    static AnswerCheck of(JsonNode check) {
        if (!check.isObject() || check.isEmpty()) {
            throw new IllegalArgumentException("\"check\" must be an object with at least one of " + names());
        }
        UnaryOperator<String> cased =
                flag(check.path(IGNORE_CASE), IGNORE_CASE) ? text -> text.toLowerCase(Locale.ROOT) : text -> text;
        List<Condition> conditions = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : check.properties()) {
            if (entry.getKey().equals(IGNORE_CASE)) {
                continue;
            }
            var kind = KINDS.get(entry.getKey());
            if (kind == null) {
                throw new IllegalArgumentException(
                        "\"check\" has no \"" + entry.getKey() + "\"; it has " + names() + " and " + IGNORE_CASE);
            }
            conditions.add(kind.apply(entry.getValue(), cased));
        }
        if (conditions.isEmpty()) {
            throw new IllegalArgumentException("\"check\" asks for nothing; it needs at least one of " + names());
        }
        return new AnswerCheck(conditions);
    }

    private static String names() {
        return String.join(", ", KINDS.keySet());
    }

    boolean passes(String answer, Reply reply) {
        String text = answer.strip();
        return conditions.stream().allMatch(condition -> condition.holds(text, reply));
    }

    // ---- kinds ------------------------------------------------------------------------------------------------------

    private static Condition contains(JsonNode value, UnaryOperator<String> cased) {
        List<String> all = texts(value, "contains", cased);
        return (text, reply) -> all.stream().allMatch(cased.apply(text)::contains);
    }

    private static Condition notContains(JsonNode value, UnaryOperator<String> cased) {
        List<String> all = texts(value, "not_contains", cased);
        return (text, reply) -> all.stream().noneMatch(cased.apply(text)::contains);
    }

    private static Condition equal(JsonNode value, UnaryOperator<String> cased) {
        String wanted = cased.apply(text(value, "equals")).strip();
        return (text, reply) -> cased.apply(text).equals(wanted);
    }

    private static Condition startsWith(JsonNode value, UnaryOperator<String> cased) {
        String wanted = cased.apply(text(value, "starts_with")).stripLeading();
        return (text, reply) -> cased.apply(text).startsWith(wanted);
    }

    private static Condition oneOf(JsonNode value, UnaryOperator<String> cased) {
        List<String> wanted =
                texts(value, "one_of", cased).stream().map(String::strip).toList();
        return (text, reply) -> wanted.contains(cased.apply(text));
    }

    private static Condition matches(JsonNode value, UnaryOperator<String> cased) {
        try {
            Pattern pattern = Pattern.compile(
                    text(value, "matches"), cased.apply("A").equals("a") ? Pattern.CASE_INSENSITIVE : 0);
            return (text, reply) -> pattern.matcher(text).find();
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException("\"matches\" is not a regular expression of RE2: " + e.getMessage(), e);
        }
    }

    private static Condition json(JsonNode value, UnaryOperator<String> cased) {
        if (!flag(value, "json")) {
            throw new IllegalArgumentException("\"json\" must be true, or left out");
        }
        return (text, reply) -> parses(text);
    }

    private static boolean parses(String text) {
        try {
            return !STRICT.readTree(text).isMissingNode();
        } catch (JsonProcessingException e) {
            return false;
        }
    }

    private static Condition maxTokens(JsonNode value, UnaryOperator<String> cased) {
        int most = tokens(value, "max_tokens");
        return (text, reply) -> reply.ended() && reply.tokens().length <= most;
    }

    private static Condition minTokens(JsonNode value, UnaryOperator<String> cased) {
        int least = tokens(value, "min_tokens");
        return (text, reply) -> reply.tokens().length >= least;
    }

    // ---- values -----------------------------------------------------------------------------------------------------

    private static boolean flag(JsonNode value, String name) {
        if (!value.isMissingNode() && !value.isBoolean()) {
            throw new IllegalArgumentException("\"" + name + "\" must be true or false, but is " + value);
        }
        return value.asBoolean();
    }

    private static int tokens(JsonNode value, String name) {
        if (!value.isInt() || value.asInt() < 0) {
            throw new IllegalArgumentException("\"" + name + "\" must be a whole number from 0 on, but is " + value);
        }
        return value.asInt();
    }

    private static String text(JsonNode value, String name) {
        return Optional.of(value)
                .filter(JsonNode::isTextual)
                .map(JsonNode::asText)
                .orElseThrow(() -> new IllegalArgumentException("\"" + name + "\" must be a text, but is " + value));
    }

    private static List<String> texts(JsonNode value, String name, UnaryOperator<String> cased) {
        List<String> texts = new ArrayList<>();
        if (value.isArray()) {
            value.forEach(one -> texts.add(cased.apply(text(one, name))));
        } else {
            texts.add(cased.apply(text(value, name)));
        }
        if (texts.isEmpty()) {
            throw new IllegalArgumentException("\"" + name + "\" is an empty list");
        }
        return texts;
    }
}
