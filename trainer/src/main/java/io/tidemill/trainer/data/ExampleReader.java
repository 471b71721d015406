package io.tidemill.trainer.data;

import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Ids;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.trainer.slice.Waiting;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** Tells what a record of the training topics is good for. */
public final class ExampleReader {
    private static final Set<String> ROLES = Set.of("system", "user", "assistant");

    private final String preferencesTopic;
    private final String promptsTopic;
    private final int vocabularySize;
    private final Set<String> learned;
    private final ErasureSet erased;
    private final RecordReader<Preference> preferences = Readers.preferences();
    private final RecordReader<TokenSequence> sequences = Readers.tokenSequences();
    private final RecordReader<Prompt> prompts = Readers.prompts();

    /**
     * @param preferencesTopic of pairs and ratings
     * @param promptsTopic     records of any other topic are token sequences
     * @param vocabularySize   ids must be below it
     * @param learned          the stages that the model's rounds have
     */
    public ExampleReader(String preferencesTopic, String promptsTopic, int vocabularySize, Set<String> learned) {
        this(preferencesTopic, promptsTopic, vocabularySize, learned, ErasureSet.none());
    }

    private ExampleReader(
            String preferencesTopic, String promptsTopic, int vocabularySize, Set<String> learned, ErasureSet erased) {
        this.preferencesTopic = preferencesTopic;
        this.promptsTopic = promptsTopic;
        this.vocabularySize = vocabularySize;
        this.learned = Set.copyOf(learned);
        this.erased = erased;
    }

    /** The same, to which what these erasures concern is good for nothing. */
    public ExampleReader without(ErasureSet erased) {
        return new ExampleReader(preferencesTopic, promptsTopic, vocabularySize, learned, erased);
    }

    /** One record as a stage uses it, or why none does. */
    public sealed interface Example {
        /** Stage, or another of {@link Stages}. */
        String stage();

        /** What makes it the same example when it comes again; empty where it cannot be read. */
        String exampleId();

        /** What it goes by where something is to be forgotten. */
        default Set<String> keys() {
            return Set.of();
        }

        default long tokens() {
            return 0;
        }
    }

    /** Tokens of a text, for a stage or the gate. */
    public record Sequence(String stage, TokenSequence message) implements Example {
        @Override
        public String exampleId() {
            return message.getExampleId();
        }

        @Override
        public Set<String> keys() {
            return ErasureKeys.of(message);
        }

        @Override
        public long tokens() {
            return message.getIdsCount();
        }
    }

    /** A pair for the preference stage or the gate, an answer that was rated alone, or a withdrawal. */
    public record Judgement(String stage, Preference message) implements Example {
        @Override
        public String exampleId() {
            return message.getExampleId();
        }

        @Override
        public Set<String> keys() {
            return ErasureKeys.of(message);
        }
    }

    /** A prompt that the model itself answers in training. */
    public record Question(String stage, Prompt message) implements Example {
        @Override
        public String exampleId() {
            return Ids.exampleId(List.of(message.getPromptId()), Stages.ROLLOUT, 0);
        }

        @Override
        public Set<String> keys() {
            return ErasureKeys.of(message);
        }
    }

    /** To be forgotten: nothing is left of it but its id. */
    public record Erased(String exampleId) implements Example {
        @Override
        public String stage() {
            return Stages.ERASED;
        }
    }

    /** Not usable. */
    public record Unreadable(String reason) implements Example {
        @Override
        public String stage() {
            return Stages.UNREADABLE;
        }

        @Override
        public String exampleId() {
            return "";
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
        Example example = readAll(record);
        return !erased.isEmpty() && erased.concerns(example.keys()) ? new Erased(example.exampleId()) : example;
    }

    private Example readAll(ConsumerRecord<byte[], byte[]> record) {
        if (record.topic().equals(preferencesTopic)) {
            return preference(record);
        }
        return record.topic().equals(promptsTopic) ? prompt(record) : sequence(record);
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

    private String stage(TokenSequence message) {
        return learned(
                message.getSplit(),
                switch (message.getObjective()) {
                    case CAUSAL_LM -> learned.contains(Stages.MASKED_LM) ? Stages.MASKED_LM : Stages.PRETRAIN;
                    case SFT -> Stages.SFT;
                    case LABELS -> Stages.CLASSIFICATION;
                    default -> Stages.WITHOUT_OBJECTIVE;
                });
    }

    /** What no stage of the model learns from is no measure of it either. */
    private String learned(Split split, String stage) {
        if (!learned.contains(stage)) {
            return Stages.WITHOUT_OBJECTIVE;
        }
        return split == Split.HELD_OUT ? Stages.HELD_OUT : stage;
    }

    private Example preference(ConsumerRecord<byte[], byte[]> record) {
        Reading<Preference> reading = preferences.read(record.value(), record.headers());
        if (reading instanceof Reading.Accepted<Preference> accepted) {
            Preference message = accepted.message();
            return flaw(message).<Example>map(Unreadable::new).orElseGet(() -> new Judgement(stage(message), message));
        }
        return refused(reading);
    }

    private Example prompt(ConsumerRecord<byte[], byte[]> record) {
        Reading<Prompt> reading = prompts.read(record.value(), record.headers());
        if (reading instanceof Reading.Accepted<Prompt> accepted) {
            Prompt message = accepted.message();
            return badRole(message.getMessagesList())
                    .<Example>map(Unreadable::new)
                    .orElseGet(() -> new Question(learned(Split.TRAIN, Stages.ROLLOUT), message));
        }
        return refused(reading);
    }

    private static Optional<String> flaw(Preference message) {
        return badRole(message.getMessagesList()).or(() -> flaw(message.getSplit(), message.getWeight()));
    }

    private static Optional<String> badRole(List<ChatMessage> messages) {
        return messages.stream()
                .filter(turn -> !ROLES.contains(turn.getRole()))
                .findFirst()
                .map(turn -> "role must be system, user or assistant, but was '" + turn.getRole() + "'");
    }

    private String stage(Preference message) {
        if (!message.hasPair() && !message.hasScored()) {
            return Stages.WITHDRAWAL;
        }
        if (message.hasPair()) {
            return learned(message.getSplit(), Stages.PREFERENCE);
        }
        if (message.getSplit() == Split.HELD_OUT) {
            return Stages.HELD_OUT;
        }
        return RatedExample.isDecided(message) ? learned(Split.TRAIN, Stages.RATING) : Stages.UNDECIDED;
    }

    private static Example refused(Reading<?> reading) {
        Reading.Refused<?> refused = (Reading.Refused<?>) reading;
        return new Unreadable(refused.code() + ": " + refused.reason());
    }
}
