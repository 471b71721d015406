package io.tidemill.preprocess.route;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tidemill.preprocess.state.ExpiringMap;
import io.tidemill.preprocess.state.ExpiringMap.Entry;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Feedback;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * What is remembered of turns: completions that were shown, feedback that waits for one, who said what last, and which
 * feedback came already. Four maps in one store, each with its time and size limit.
 */
final class Turns {
    private static final char SEPARATOR = '\0';

    private final ExpiringMap completions;
    private final ExpiringMap waiting;
    private final ExpiringMap events;
    private final ExpiringMap newest;
    private final Consumer<Entry> unmatched;
    private final Consumer<Entry> forgotten;

    /**
     * Maps over a store.
     *
     * @param unmatched told of each feedback that has waited too long or has no room to wait
     * @param forgotten told of each other entry that goes
     */
    Turns(
            KeyValueStore<Bytes, byte[]> store,
            RouteSettings settings,
            Consumer<Entry> unmatched,
            Consumer<Entry> forgotten) {
        this.completions = new ExpiringMap(store, 'c', settings.completions());
        this.waiting = new ExpiringMap(store, 'w', settings.feedback());
        this.events = new ExpiringMap(store, 'e', settings.completions());
        this.newest = new ExpiringMap(store, 'n', settings.completions());
        this.unmatched = unmatched;
        this.forgotten = forgotten;
    }

    /** A completion with the time at which the broker appended it; milliseconds since 1970. */
    record Kept(Completion completion, long ingestedMillis) {}

    /** How far a feedback has come. */
    enum Progress {
        WAITING,
        EMITTED,
        ENDED
    }

    /** A feedback that came, of whom, and what became of it. */
    record Event(Progress progress, String subject) {}

    /** The newest word of a rater on something; event time in milliseconds since 1970. */
    record Newest(String feedbackId, long eventMillis) {}

    Optional<Kept> completion(String turn, String completionId) {
        return completions.get(turn + SEPARATOR + completionId).map(Turns::kept);
    }

    /** One of the turn's completions, which all answer the same prompt. */
    Optional<Kept> anyCompletion(String turn) {
        return completions.withPrefix(turn + SEPARATOR).stream().findFirst().map(Turns::kept);
    }

    private static Kept kept(Entry entry) {
        try {
            return new Kept(Completion.parseFrom(entry.value()), entry.atMillis());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("The store of completions holds something else: " + e.getMessage(), e);
        }
    }

    void keep(Completion completion, long ingestedMillis) {
        completions.put(
                completion.getTurnId() + SEPARATOR + completion.getCompletionId(),
                completion.toByteArray(),
                ingestedMillis,
                forgotten);
    }

    void await(String turn, Waiting feedback, long ingestedMillis) {
        waiting.put(
                turn + SEPARATOR + feedback.feedback().getFeedbackId(), feedback.toBytes(), ingestedMillis, unmatched);
    }

    /** Feedback that waits in a turn. */
    List<Entry> waiting(String turn) {
        return waiting.withPrefix(turn + SEPARATOR);
    }

    Optional<Waiting> stopWaiting(String turn, String feedbackId) {
        return waiting.remove(turn + SEPARATOR + feedbackId).map(entry -> Waiting.fromBytes(entry.value()));
    }

    Optional<Event> event(String feedbackId) {
        return events.get(feedbackId).map(Turns::event);
    }

    private static Event event(Entry entry) {
        String text = new String(entry.value(), UTF_8);
        int colon = text.indexOf(':');
        return new Event(Progress.valueOf(text.substring(0, colon)), text.substring(colon + 1));
    }

    void remember(Feedback feedback, Progress progress, long ingestedMillis) {
        String text = progress + ":" + feedback.getPrincipal().getSubject();
        events.put(feedback.getFeedbackId(), text.getBytes(UTF_8), ingestedMillis, forgotten);
    }

    Optional<Newest> newest(String raterAndMatter) {
        return newest.get(raterAndMatter).map(entry -> {
            String text = new String(entry.value(), UTF_8);
            int colon = text.indexOf(':');
            return new Newest(text.substring(colon + 1), Long.parseLong(text.substring(0, colon)));
        });
    }

    void setNewest(String raterAndMatter, Newest word, long ingestedMillis) {
        String text = word.eventMillis() + ":" + word.feedbackId();
        newest.put(raterAndMatter, text.getBytes(UTF_8), ingestedMillis, forgotten);
    }

    void forgetNewest(String raterAndMatter, String feedbackId) {
        if (newest(raterAndMatter)
                .filter(word -> word.feedbackId().equals(feedbackId))
                .isPresent()) {
            newest.remove(raterAndMatter);
        }
    }

    /**
     * Forgets the texts that erasures concern, and the names of raters among them.
     *
     * @param ended gets the feedback that waited
     * @return number of entries that are gone
     */
    long purge(ErasureSet erased, List<Waiting> ended) {
        Set<String> subjects = erased.all().stream()
                .map(Erasure::getSubject)
                .filter(subject -> !subject.isEmpty())
                .collect(Collectors.toSet());
        return completions.removeIf(
                        entry -> erased.concerns(ErasureKeys.of(kept(entry).completion())))
                + waiting.removeIf(entry -> {
                    Waiting feedback = Waiting.fromBytes(entry.value());
                    boolean gone = erased.concerns(ErasureKeys.of(feedback.feedback()));
                    if (gone) {
                        ended.add(feedback);
                    }
                    return gone;
                })
                + events.removeIf(entry -> subjects.contains(event(entry).subject()))
                + newest.removeIf(entry -> subjects.contains(
                        entry.key().substring(0, Math.max(0, entry.key().indexOf(SEPARATOR)))));
    }

    /** Forgets what is too old at {@code nowMillis}. */
    void expire(long nowMillis) {
        waiting.expire(nowMillis, unmatched);
        completions.expire(nowMillis, forgotten);
        events.expire(nowMillis, forgotten);
        newest.expire(nowMillis, forgotten);
    }
}
