package io.tidemill.trainer.data;

import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.trainer.slice.Waiting;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** Tells what a record of the two training topics is good for. */
public final class ExampleReader {
    private static final Set<String> ROLES = Set.of("system", "user", "assistant");

    private final String preferencesTopic;
    private final int vocabularySize;
    private final RecordReader<Preference> preferences = Readers.preferences();
    private final RecordReader<TokenSequence> sequences = Readers.tokenSequences();

    /**
     * @param preferencesTopic records of any other topic are token sequences
     * @param vocabularySize   ids must be below it
     */
    public ExampleReader(String preferencesTopic, int vocabularySize) {
        this.preferencesTopic = preferencesTopic;
        this.vocabularySize = vocabularySize;
    }

    /** One record as a stage uses it, or why none does. */
    public sealed interface Example {
        /** Stage, or another of {@link Stages}. */
        String stage();

        default long tokens() {
            return 0;
        }
    }

    /** Tokens for pretraining, fine-tuning or the gate. */
    public record Sequence(String stage, TokenSequence message) implements Example {
        @Override
        public long tokens() {
            return message.getIdsCount();
        }
    }

    /** A pair for the preference stage or the gate, a scored completion, which no stage uses yet, or a withdrawal. */
    public record Judgement(String stage, Preference message) implements Example {}

    /** Not usable. */
    public record Unreadable(String reason) implements Example {
        @Override
        public String stage() {
            return Stages.UNREADABLE;
        }
    }

    public Waiting classify(ConsumerRecord<byte[], byte[]> record) {
        Example example = read(record);
        return new Waiting(
                new TopicPartition(record.topic(), record.partition()),
                record.offset(),
                record.timestamp(),
                example.stage(),
                example.tokens());
    }

    public Example read(ConsumerRecord<byte[], byte[]> record) {
        return record.topic().equals(preferencesTopic) ? preference(record) : sequence(record);
    }

    private Example sequence(ConsumerRecord<byte[], byte[]> record) {
        Reading<TokenSequence> reading = sequences.read(record.value(), record.headers());
        if (reading instanceof Reading.Accepted<TokenSequence> accepted) {
            TokenSequence message = accepted.message();
            return flaw(message).<Example>map(Unreadable::new).orElseGet(() -> new Sequence(stage(message), message));
        }
        return refused(reading);
    }

    private Optional<String> flaw(TokenSequence message) {
        for (int id : message.getIdsList()) {
            if (id < 0 || id >= vocabularySize) {
                return Optional.of("ids must be from 0 to " + (vocabularySize - 1) + ", but one is " + id
                        + "; was it cut by another tokenizer?");
            }
        }
        return flaw(message.getSplit(), message.getWeight());
    }

    private static Optional<String> flaw(Split split, double weight) {
        if (split != Split.TRAIN && split != Split.HELD_OUT) {
            return Optional.of("split must be TRAIN or HELD_OUT, but was " + split);
        }
        if (!(weight >= 0) || Double.isInfinite(weight)) {
            return Optional.of("weight must be finite and not negative, but was " + weight);
        }
        return Optional.empty();
    }

    private static String stage(TokenSequence message) {
        if (message.getSplit() == Split.HELD_OUT) {
            return Stages.HELD_OUT;
        }
        return switch (message.getObjective()) {
            case CAUSAL_LM -> Stages.PRETRAIN;
            case SFT -> Stages.SFT;
            default -> Stages.WITHOUT_OBJECTIVE;
        };
    }

    private Example preference(ConsumerRecord<byte[], byte[]> record) {
        Reading<Preference> reading = preferences.read(record.value(), record.headers());
        if (reading instanceof Reading.Accepted<Preference> accepted) {
            Preference message = accepted.message();
            return flaw(message).<Example>map(Unreadable::new).orElseGet(() -> new Judgement(stage(message), message));
        }
        return refused(reading);
    }

    private static Optional<String> flaw(Preference message) {
        return message.getMessagesList().stream()
                .filter(turn -> !ROLES.contains(turn.getRole()))
                .findFirst()
                .map(turn -> "role must be system, user or assistant, but was '" + turn.getRole() + "'")
                .or(() -> flaw(message.getSplit(), message.getWeight()));
    }

    private static String stage(Preference message) {
        if (!message.hasPair() && !message.hasScored()) {
            return Stages.WITHDRAWAL;
        }
        if (!message.hasPair()) {
            return Stages.WITHOUT_OBJECTIVE;
        }
        return message.getSplit() == Split.HELD_OUT ? Stages.HELD_OUT : Stages.DPO;
    }

    private static Example refused(Reading<?> reading) {
        Reading.Refused<?> refused = (Reading.Refused<?>) reading;
        return new Unreadable(refused.code() + ": " + refused.reason());
    }
}
