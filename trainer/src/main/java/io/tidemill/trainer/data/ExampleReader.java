package io.tidemill.trainer.data;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Ids;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.trainer.slice.Waiting;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/** Tells what a record of the training topics is good for. */
public final class ExampleReader {
    private static final Set<String> ROLES = Set.of("system", "user", "assistant");

    private final String preferencesTopic;
    private final String promptsTopic;
    private final int vocabularySize;
    private final Set<String> learned;
    private final Mixture mixture;
    private final ErasureSet erased;
    private final RecordReader<Preference> preferences = Readers.preferences();
    private final RecordReader<TokenSequence> sequences = Readers.tokenSequences();
    private final RecordReader<Prompt> prompts = Readers.prompts();

    /**
     * @param preferencesTopic of pairs and ratings
     * @param promptsTopic     records of any other topic are token sequences
     * @param vocabularySize   ids must be below it
     * @param learned          the stages that the model's rounds have
     * @param mixture          what of that takes part
     */
    public ExampleReader(
            String preferencesTopic, String promptsTopic, int vocabularySize, Set<String> learned, Mixture mixture) {
        this(preferencesTopic, promptsTopic, vocabularySize, learned, mixture, ErasureSet.none());
    }

    private ExampleReader(
            String preferencesTopic,
            String promptsTopic,
            int vocabularySize,
            Set<String> learned,
            Mixture mixture,
            ErasureSet erased) {
        this.preferencesTopic = preferencesTopic;
        this.promptsTopic = promptsTopic;
        this.vocabularySize = vocabularySize;
        this.learned = Set.copyOf(learned);
        this.mixture = mixture;
        this.erased = erased;
    }

    /** The same, to which what these erasures concern is good for nothing. */
    public ExampleReader without(ErasureSet erased) {
        return new ExampleReader(preferencesTopic, promptsTopic, vocabularySize, learned, mixture, erased);
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

        /** When it happened, where its producer says so. */
        default Optional<Timestamp> eventTime() {
            return Optional.empty();
        }

        private static Optional<Timestamp> eventTime(Provenance provenance) {
            return provenance.hasEventTime() ? Optional.of(provenance.getEventTime()) : Optional.empty();
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

        @Override
        public Optional<Timestamp> eventTime() {
            return Example.eventTime(message.getProvenance());
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

        @Override
        public Optional<Timestamp> eventTime() {
            return Example.eventTime(message.getProvenance());
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

        @Override
        public Optional<Timestamp> eventTime() {
            return message.hasEventTime() ? Optional.of(message.getEventTime()) : Optional.empty();
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
                example.tokens(),
                example.eventTime()
                        .filter(Timestamps::isValid)
                        .map(happened -> Math.min(Timestamps.toMillis(happened), record.timestamp()))
                        .orElse(record.timestamp()));
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
            return flaw(message).<Example>map(Unreadable::new).orElseGet(() -> sequence(message));
        }
        return refused(reading);
    }

    private Sequence sequence(TokenSequence message) {
        String source = message.getProvenance().getSource();
        String stage = takenIn(stage(message), source, message.getExampleId(), OptionalLong.empty());
        return new Sequence(
                stage,
                Waiting.isTrained(stage)
                        ? weighed(message.getWeight(), source, OptionalLong.empty())
                                .map(weight ->
                                        message.toBuilder().setWeight(weight).build())
                                .orElse(message)
                        : message);
    }

    /** The stage, unless the mixture leaves the example out. What is held out is held out of all shares. */
    private String takenIn(String stage, String source, String exampleId, OptionalLong age) {
        boolean trained = Waiting.isTrained(stage);
        if ((trained || stage.equals(Stages.HELD_OUT)) && mixture.isOff(source)) {
            return Stages.SOURCE_OFF;
        }
        if (trained && mixture.isStale(age)) {
            return Stages.STALE;
        }
        return trained && !mixture.samples(source, exampleId) ? Stages.NOT_SAMPLED : stage;
    }

    /** What an example counts, where that is not what it says itself. */
    private Optional<Double> weighed(double own, String source, OptionalLong age) {
        double factor = mixture.factor(source, age);
        return factor == 1 ? Optional.empty() : Optional.of(factor * ExampleCollector.weight(own));
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
            return flaw(message).<Example>map(Unreadable::new).orElseGet(() -> judgement(message));
        }
        return refused(reading);
    }

    private Judgement judgement(Preference message) {
        String source = message.getProvenance().getSource();
        OptionalLong age = age(message);
        String stage = takenIn(stage(message), source, message.getExampleId(), age);
        return new Judgement(
                stage,
                Waiting.isTrained(stage)
                        ? weighed(message.getWeight(), source, age)
                                .map(weight ->
                                        message.toBuilder().setWeight(weight).build())
                                .orElse(message)
                        : message);
    }

    /** Of the older of two answers. */
    private OptionalLong age(Preference message) {
        return Stream.of(
                        message.getPair().getChosen(),
                        message.getPair().getRejected(),
                        message.getScored().getAnswer())
                .map(answer -> mixture.age(answer.getModelVersion()))
                .flatMapToLong(OptionalLong::stream)
                .max();
    }

    private Example prompt(ConsumerRecord<byte[], byte[]> record) {
        Reading<Prompt> reading = prompts.read(record.value(), record.headers());
        if (reading instanceof Reading.Accepted<Prompt> accepted) {
            Prompt message = accepted.message();
            return badRole(message.getMessagesList())
                    .<Example>map(Unreadable::new)
                    .orElseGet(() -> question(message));
        }
        return refused(reading);
    }

    /** A prompt has no weight of its own: of its source only the share counts, and whether it is off. */
    private Question question(Prompt message) {
        Question question = new Question(learned(Split.TRAIN, Stages.ROLLOUT), message);
        return new Question(
                takenIn(question.stage(), message.getSource(), question.exampleId(), OptionalLong.empty()), message);
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
