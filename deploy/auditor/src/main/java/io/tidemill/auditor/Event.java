package io.tidemill.auditor;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Demonstration;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Prompt;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * A record that a person or a program has sent, as far as an auditor cares.
 *
 * @param id     by its producer, or as the contract makes one of its content
 * @param turn   that it belongs to; empty where it is of none
 * @param awaits completions that feedback is about
 * @param target feedback that a withdrawal takes back; empty for all else
 * @param names  what an erasure may call a completion; empty for all else
 */
record Event(String id, String turn, List<String> awaits, String target, Set<String> names) {
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
                    .map(prompt -> plain(prompt.getPromptId()));
        }
        if (topic.equals(topics.completions())) {
            return Wire.read(Completion.getDefaultInstance(), record.value(), record.headers())
                    .map(completion -> new Event(
                            completion.getCompletionId(),
                            completion.getTurnId(),
                            List.of(),
                            "",
                            Erasures.names(
                                    completion.getSubjectsList(),
                                    List.of(
                                            completion.getCompletionId(),
                                            completion.getResponseId(),
                                            completion.getTurnId(),
                                            completion.getSessionId(),
                                            completion.getGroupId()))));
        }
        return Wire.read(Feedback.getDefaultInstance(), record.value(), record.headers())
                .map(Event::of);
    }

    private static Event of(Document document) {
        String id = document.getDocumentId().isEmpty()
                ? Hash.content(document.getText().getBytes(UTF_8))
                : document.getDocumentId();
        return plain(id);
    }

    private static Event of(Demonstration demonstration) {
        String id = demonstration.getExampleId().isEmpty()
                ? Hash.content(
                        demonstration.getTextTarget().toByteArray(),
                        Hash.turn(demonstration.getMessagesList()).getBytes(UTF_8))
                : demonstration.getExampleId();
        return plain(id);
    }

    private static Event of(Feedback feedback) {
        String id =
                feedback.getFeedbackId().isEmpty() ? Hash.content(feedback.toByteArray()) : feedback.getFeedbackId();
        return new Event(
                id,
                feedback.getTurnId(),
                awaits(feedback),
                feedback.getWithdrawal().getFeedbackId(),
                Set.of());
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

    private static Event plain(String id) {
        return new Event(id, "", List.of(), "", Set.of());
    }
}
