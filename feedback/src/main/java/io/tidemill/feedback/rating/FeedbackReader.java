package io.tidemill.feedback.rating;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.Timestamp;
import io.tidemill.feedback.request.Fields;
import io.tidemill.feedback.request.InvalidRequest;
import io.tidemill.proto.CompletionId;
import io.tidemill.proto.Ids;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Comment;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Correction;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Rating;
import io.tidemill.proto.v1.SelfContained;
import io.tidemill.proto.v1.Thumb;
import io.tidemill.proto.v1.Withdrawal;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Reads what people say about answers. Every kind may carry {@code feedback_id}, {@code turn_id}, {@code source},
 * {@code group_id}, {@code subjects} and {@code event_time}; who says it is never read from the body.
 */
final class FeedbackReader {
    private static final int MOST_STARS = 100;
    private static final int USUAL_STARS = 5;
    private static final int LONGEST_ID = 256;

    private final Function<String, Optional<String>> whyNotRateable;
    private final Function<String, Optional<String>> turnOfFeedback;

    /**
     * @param whyNotRateable what is known against rating a completion, by its id
     * @param turnOfFeedback the turn that an earlier feedback of this process was about, by its id
     */
    FeedbackReader(
            Function<String, Optional<String>> whyNotRateable, Function<String, Optional<String>> turnOfFeedback) {
        this.whyNotRateable = whyNotRateable;
        this.turnOfFeedback = turnOfFeedback;
    }

    Feedback.Builder thumb(Fields fields) {
        Feedback.Builder feedback = common(fields);
        String completion = completion(fields, "completion_id", feedback);
        boolean up = fields.flag("up").orElseThrow(() -> InvalidRequest.missing("up", "true or false"));
        fields.nothingElse();
        return feedback.setThumb(Thumb.newBuilder().setCompletionId(completion).setUp(up));
    }

    Feedback.Builder rating(Fields fields) {
        Feedback.Builder feedback = common(fields);
        String completion = completion(fields, "completion_id", feedback);
        int outOf = fields.integer("out_of", 2, MOST_STARS)
                .orElse((long) USUAL_STARS)
                .intValue();
        int stars = fields.integer("stars", 1, outOf)
                .orElseThrow(() -> InvalidRequest.missing("stars", "a whole number from 1 to " + outOf))
                .intValue();
        fields.nothingElse();
        return feedback.setRating(
                Rating.newBuilder().setCompletionId(completion).setStars(stars).setOutOf(outOf));
    }

    Feedback.Builder correction(Fields fields) {
        Feedback.Builder feedback = common(fields);
        String completion = completion(fields, "completion_id", feedback);
        String corrected = fields.requiredText("corrected", "what the answer should have been");
        fields.nothingElse();
        return feedback.setCorrection(
                Correction.newBuilder().setCompletionId(completion).setCorrected(corrected));
    }

    Feedback.Builder comment(Fields fields) {
        Feedback.Builder feedback = common(fields);
        String completion = completion(fields, "completion_id", feedback);
        String text = fields.requiredText("text", "a comment that is not blank");
        fields.nothingElse();
        return feedback.setComment(
                Comment.newBuilder().setCompletionId(completion).setText(text));
    }

    /** Here {@code feedback_id} names what is taken back; the withdrawal's own id follows from it. */
    Feedback.Builder withdrawal(Fields fields) {
        String target = id(fields, "feedback_id").orElseThrow(() -> InvalidRequest.missing("feedback_id", "an id"));
        Feedback.Builder feedback = Feedback.newBuilder().setFeedbackId("withdrawal-of-" + target);
        rest(fields, feedback);
        if (feedback.getTurnId().isEmpty()) {
            feedback.setTurnId(turnOfFeedback
                    .apply(target)
                    .orElseThrow(() -> InvalidRequest.missing(
                            "turn_id",
                            "the turn that " + target + " was about, which this process does not remember")));
        }
        fields.nothingElse();
        return feedback.setWithdrawal(Withdrawal.newBuilder().setFeedbackId(target));
    }

    /** Of two answers of one turn, or of two answers from elsewhere together with their prompt. */
    Feedback.Builder comparison(Fields fields) {
        Feedback.Builder feedback = common(fields);
        Comparison.Builder comparison = Comparison.newBuilder().setVerdict(verdict(fields));
        if (isSelfContained(fields)) {
            SelfContained both = selfContained(fields);
            comparison.setSelfContained(both);
            if (feedback.getGroupId().isEmpty()) {
                feedback.setGroupId("prompt:" + Ids.turnHash(both.getMessagesList()));
            }
            shown(fields, comparison, "a", "b");
        } else {
            boolean turnGiven = !feedback.getTurnId().isEmpty();
            String a = completion(fields, "completion_a", feedback);
            String b = completion(fields, "completion_b", feedback);
            if (a.equals(b)) {
                throw InvalidRequest.value("completion_b", b, "another completion than completion_a");
            }
            if (!turnGiven && !feedback.getTurnId().equals(turnOf(b))) {
                throw InvalidRequest.value("completion_b", b, "a completion of the same turn as completion_a, " + a);
            }
            comparison.setCompletionA(a).setCompletionB(b);
            shown(fields, comparison, a, b);
        }
        fields.nothingElse();
        return feedback.setComparison(comparison);
    }

    static boolean isSelfContained(Fields fields) {
        return fields.has("answer_a") || fields.has("answer_b") || fields.has("prompt") || fields.has("messages");
    }

    private static Comparison.Verdict verdict(Fields fields) {
        String verdict = fields.text("verdict")
                .orElseThrow(() -> InvalidRequest.missing("verdict", "one of a, b, tie, both_bad"));
        return switch (verdict) {
            case "a" -> Comparison.Verdict.A_BETTER;
            case "b" -> Comparison.Verdict.B_BETTER;
            case "tie" -> Comparison.Verdict.TIE;
            case "both_bad" -> Comparison.Verdict.BOTH_BAD;
            default -> throw InvalidRequest.value("verdict", verdict, "one of a, b, tie, both_bad");
        };
    }

    private static SelfContained selfContained(Fields fields) {
        SelfContained.Builder both = SelfContained.newBuilder();
        for (Fields message : fields.objects("messages")) {
            both.addMessages(message(message));
        }
        Optional<String> prompt = fields.text("prompt");
        if (prompt.isPresent() == both.getMessagesCount() > 0) {
            throw InvalidRequest.value(
                    "prompt", prompt.isPresent() ? "given beside messages" : "missing", "given, or messages instead");
        }
        prompt.ifPresent(text ->
                both.addMessages(ChatMessage.newBuilder().setRole("user").setContent(text)));
        String a = fields.requiredText("answer_a", "an answer");
        String b = fields.requiredText("answer_b", "an answer");
        if (a.equals(b)) {
            throw InvalidRequest.value("answer_b", "the same as answer_a", "another answer than answer_a");
        }
        return both.setAnswerA(a).setAnswerB(b).build();
    }

    private static ChatMessage message(Fields message) {
        String role = message.requiredText("role", "system, user or assistant");
        if (!List.of("system", "user", "assistant").contains(role)) {
            throw InvalidRequest.value(message.full("role"), role, "system, user or assistant");
        }
        String content =
                message.text("content").orElseThrow(() -> InvalidRequest.missing(message.full("content"), "a string"));
        message.nothingElse();
        return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }

    /** Where the two stood and in which order they appeared; both may be said as a and b, or by completion id. */
    private static void shown(Fields fields, Comparison.Builder comparison, String a, String b) {
        fields.text("left").ifPresent(left -> {
            if (!List.of("a", "b", a, b).contains(left)) {
                throw InvalidRequest.value("left", left, "a or b");
            }
            comparison.setLeft(left.equals("a") || left.equals(a) ? Comparison.Side.A : Comparison.Side.B);
        });
        List<String> order = new ArrayList<>();
        for (String name : fields.texts("displayed_order")) {
            order.add(name.equals("a") ? a : name.equals("b") ? b : name);
        }
        if (!order.isEmpty() && !(order.equals(List.of(a, b)) || order.equals(List.of(b, a)))) {
            throw InvalidRequest.value("displayed_order", order, "the two answers, in the order they appeared in");
        }
        comparison.addAllDisplayedOrder(order);
    }

    private Feedback.Builder common(Fields fields) {
        Feedback.Builder feedback = Feedback.newBuilder();
        id(fields, "feedback_id").ifPresent(feedback::setFeedbackId);
        rest(fields, feedback);
        return feedback;
    }

    private static void rest(Fields fields, Feedback.Builder feedback) {
        id(fields, "turn_id").ifPresent(feedback::setTurnId);
        fields.text("source").ifPresent(feedback::setSource);
        fields.text("group_id").ifPresent(feedback::setGroupId);
        feedback.addAllSubjects(fields.texts("subjects"));
        fields.text("event_time").ifPresent(time -> feedback.setEventTime(time(time)));
    }

    private static Optional<String> id(Fields fields, String name) {
        Optional<String> id = fields.text(name);
        id.filter(text -> text.isBlank() || text.length() > LONGEST_ID).ifPresent(text -> {
            throw InvalidRequest.value(fields.full(name), '"' + text + '"', "1 to " + LONGEST_ID + " characters");
        });
        return id;
    }

    private static Timestamp time(String text) {
        try {
            Instant instant = Instant.parse(text);
            return Timestamp.newBuilder()
                    .setSeconds(instant.getEpochSecond())
                    .setNanos(instant.getNano())
                    .build();
        } catch (DateTimeParseException e) {
            throw InvalidRequest.value("event_time", text, "a UTC time like 2026-11-23T09:30:00Z");
        }
    }

    /** A completion that can be rated. Its turn is the one given, or else the response that it belongs to. */
    private String completion(Fields fields, String name, Feedback.Builder feedback) {
        String expected = "<response id>/<choice>, as an answer's tidemill.completion_ids says";
        String id = fields.text(name).orElseThrow(() -> InvalidRequest.missing(name, expected));
        String turn;
        try {
            turn = turnOf(id);
        } catch (IllegalArgumentException e) {
            throw InvalidRequest.value(name, '"' + id + '"', expected);
        }
        whyNotRateable.apply(id).ifPresent(reason -> {
            throw InvalidRequest.value(name, id, "an answer that was stored: this one cannot be rated, " + reason);
        });
        if (feedback.getTurnId().isEmpty()) {
            feedback.setTurnId(turn);
        }
        return id;
    }

    private static String turnOf(String completionId) {
        return CompletionId.parse(completionId).responseId();
    }

    /** The objects of a body that holds one or an array of them. */
    static List<Fields> oneOrMany(JsonNode body) {
        if (!body.isArray()) {
            return List.of(Fields.of(body, ""));
        }
        List<Fields> many = new ArrayList<>();
        for (JsonNode element : body) {
            many.add(Fields.of(element, "[" + many.size() + "]"));
        }
        if (many.isEmpty()) {
            throw InvalidRequest.value("body", "[]", "an object or a non-empty array of objects");
        }
        return many;
    }
}
