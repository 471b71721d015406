package io.tidemill.ingest.upload;

import com.google.protobuf.Message;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Demonstration;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Principal;
import io.tidemill.proto.v1.Prompt;
import java.time.Clock;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * One kind of record: how its JSON is read, where its id stands, and which topic takes it under which key.
 *
 * @param name what it is called in paths and metrics, for instance {@code documents}
 */
public record Intake<M extends Message>(
        String name,
        Topic topic,
        Function<byte[], Reading<M>> read,
        Function<M, String> idOf,
        BiFunction<M, String, M> withId,
        Function<M, String> keyOf) {
    private static final int MAX_ID_CHARACTERS = 512;

    /** Records that are keyed by their id. */
    Intake(
            String name,
            Topic topic,
            Function<byte[], Reading<M>> read,
            Function<M, String> idOf,
            BiFunction<M, String, M> withId) {
        this(name, topic, read, idOf, withId, idOf);
    }

    public static Intake<Document> documents(TopicCatalogue topics) {
        RecordReader<Document> reader = Readers.documents();
        return new Intake<>(
                "documents",
                topics.documents(),
                reader::readJson,
                Document::getDocumentId,
                (document, id) -> document.toBuilder().setDocumentId(id).build());
    }

    public static Intake<Demonstration> demonstrations(TopicCatalogue topics) {
        RecordReader<Demonstration> reader = Readers.demonstrations();
        return new Intake<>(
                "demonstrations",
                topics.demonstrations(),
                reader::readJson,
                Demonstration::getExampleId,
                (demonstration, id) ->
                        demonstration.toBuilder().setExampleId(id).build());
    }

    public static Intake<Prompt> prompts(TopicCatalogue topics) {
        RecordReader<Prompt> reader = Readers.prompts();
        return new Intake<>(
                "prompts", topics.prompts(), reader::readJson, Prompt::getPromptId, (prompt, id) -> prompt.toBuilder()
                        .setPromptId(id)
                        .build());
    }

    /**
     * Pairs from elsewhere; they join nothing, so their own id is a key as good as any.
     *
     * @param sender who vouches for them; the default instance where nobody is known to
     */
    public static Intake<Feedback> preferences(TopicCatalogue topics, Principal sender) {
        return new Intake<>(
                "preferences",
                topics.feedback(),
                json -> sentBy(sender, PreferenceJson.read(json)),
                Feedback::getFeedbackId,
                (feedback, id) -> feedback.toBuilder().setFeedbackId(id).build());
    }

    /** What is to be forgotten, keyed by that. */
    public static Intake<Erasure> erasures(TopicCatalogue topics, Clock clock) {
        RecordReader<Erasure> reader = Readers.erasures();
        return new Intake<>(
                "erasures",
                topics.erasures(),
                json -> requested(clock, reader.readJson(json)),
                Erasure::getErasureId,
                (erasure, id) -> erasure.toBuilder().setErasureId(id).build(),
                ErasureKeys::of);
    }

    private static Reading<Erasure> requested(Clock clock, Reading<Erasure> reading) {
        return reading instanceof Reading.Accepted<Erasure> accepted
                        && !accepted.message().hasRequestedAt()
                ? new Reading.Accepted<>(accepted.message().toBuilder()
                        .setRequestedAt(Timestamps.fromMillis(clock.millis()))
                        .build())
                : reading;
    }

    private static Reading<Feedback> sentBy(Principal sender, Reading<Feedback> reading) {
        return reading instanceof Reading.Accepted<Feedback> accepted && !sender.equals(Principal.getDefaultInstance())
                ? new Reading.Accepted<>(
                        accepted.message().toBuilder().setPrincipal(sender).build())
                : reading;
    }

    /**
     * The event that a record's JSON stands for.
     *
     * @param newId  makes the id of a record that has none
     */
    Reading<Event> event(byte[] json, Supplier<String> newId, int maxRecordBytes) {
        Reading<M> reading = read.apply(json);
        if (reading instanceof Reading.Refused<M> refused) {
            return refusedAs(refused);
        }
        M message = ((Reading.Accepted<M>) reading).message();
        String id = idOf.apply(message);
        if (id.length() > MAX_ID_CHARACTERS) {
            String expected = "at most " + MAX_ID_CHARACTERS + " characters";
            return new Reading.Refused<>(
                    "wrong-value",
                    "An id must have " + expected + ", but this one has " + id.length() + ".",
                    "id",
                    id.substring(0, 80) + "…",
                    expected);
        }
        if (id.isEmpty()) {
            id = newId.get();
            message = withId.apply(message, id);
        }
        if (message.getSerializedSize() > maxRecordBytes) {
            return refusedAs(Piece.tooLarge(maxRecordBytes, Integer.toString(message.getSerializedSize())));
        }
        return new Reading.Accepted<>(new Event(id, keyOf.apply(message), message));
    }

    private static <T> Reading.Refused<T> refusedAs(Reading.Refused<?> refused) {
        return new Reading.Refused<>(
                refused.code(), refused.reason(), refused.field(), refused.value(), refused.expected());
    }
}
