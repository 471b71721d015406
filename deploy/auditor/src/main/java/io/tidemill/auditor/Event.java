package io.tidemill.auditor;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Demonstration;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Prompt;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A record that a person or a program has sent, as far as an auditor cares.
 *
 * @param id      by its producer, or as the contract makes one of its content
 * @param turn    that it belongs to; empty where it is of none
 * @param awaits  completions that feedback is about
 * @param target  feedback that a withdrawal takes back; empty for all else
 * @param at      when it happened, by its producer
 * @param subjects whose data it is
 */
record Event(String id, String turn, List<String> awaits, String target, Optional<Instant> at, List<String> subjects) {
    static Optional<Event> of(ConsumerRecord<byte[], byte[]> record, Topics topics) {
        String topic = record.topic();
        if (topic.equals(topics.documents())) {
            return Wire.read(Document.getDefaultInstance(), record.value(), record.headers())
                    .map(Event::of);
        }
        if (topic.equals(topics.demonstrations())) {
            return Wire.read(Demonstration.getDefaultInstance(), record.value(), record.headers())
                    .map(Event::of);
        }
        if (topic.equals(topics.prompts())) {
            return Wire.read(Prompt.getDefaultInstance(), record.value(), record.headers())
                    .map(prompt -> plain(prompt.getPromptId(), prompt.getEventTime(), prompt.getSubjectsList()));
        }
        if (topic.equals(topics.completions())) {
            return Wire.read(Completion.getDefaultInstance(), record.value(), record.headers())
                    .map(completion -> new Event(
                            completion.getCompletionId(),
                            completion.getTurnId(),
                            List.of(),
                            "",
                            time(completion.getEventTime()),
                            completion.getSubjectsList()));
        }
        return Wire.read(Feedback.getDefaultInstance(), record.value(), record.headers())
                .map(Event::of);
    }

    private static Event of(Document document) {
        String id = document.getDocumentId().isEmpty()
                ? Hash.content(document.getText().getBytes(UTF_8))
                : document.getDocumentId();
        return plain(id, document.getEventTime(), document.getSubjectsList());
    }

    private static Event of(Demonstration demonstration) {
        String id = demonstration.getExampleId().isEmpty()
                ? Hash.content(
                        demonstration.getTextTarget().toByteArray(),
                        Hash.turn(demonstration.getMessagesList()).getBytes(UTF_8))
                : demonstration.getExampleId();
        return plain(id, demonstration.getEventTime(), demonstration.getSubjectsList());
    }

    private static Event of(Feedback feedback) {
        String id =
                feedback.getFeedbackId().isEmpty() ? Hash.content(feedback.toByteArray()) : feedback.getFeedbackId();
        return new Event(
                id,
                feedback.getTurnId(),
                awaits(feedback),
                feedback.getWithdrawal().getFeedbackId(),
                time(feedback.getEventTime()),
                feedback.getSubjectsList());
    }

    private static List<String> awaits(Feedback feedback) {
        return switch (feedback.getKindCase()) {
            case THUMB -> List.of(feedback.getThumb().getCompletionId());
            case RATING -> List.of(feedback.getRating().getCompletionId());
            case CORRECTION -> List.of(feedback.getCorrection().getCompletionId());
            case COMPARISON -> {
                Comparison comparison = feedback.getComparison();
                yield comparison.hasSelfContained()
                        ? List.of()
                        : List.of(comparison.getCompletionA(), comparison.getCompletionB());
            }
            default -> List.of();
        };
    }

    private static Event plain(String id, Timestamp at, List<String> subjects) {
        return new Event(id, "", List.of(), "", time(at), subjects);
    }

    private static Optional<Instant> time(Timestamp at) {
        return at.equals(Timestamp.getDefaultInstance())
                ? Optional.empty()
                : Optional.of(Instant.ofEpochMilli(Timestamps.toMillis(at)));
    }
}
