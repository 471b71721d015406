package io.tidemill.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.Answer;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.Scored;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.TokenSequence.Objective;
import io.tidemill.trainer.data.Mixture.FeedbackAge;
import io.tidemill.trainer.data.Mixture.SourceShare;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class ExampleCollectorTest {
    private static final String SEQUENCES = "token-sequences";
    private static final String PREFERENCES = "preferences";
    private static final String PROMPTS = "prompts";

    private static final Set<String> DECODER = Set.of(Stages.PRETRAIN, Stages.SFT, Stages.PREFERENCE);

    private Set<String> learned = DECODER;
    private Mixture mixture = Mixture.EVERYTHING;
    private final ExampleSet seen = new ExampleSet();
    private final List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();

    private void record(String topic, byte[] value) {
        long offset = records.size();
        records.add(new ConsumerRecord<>(
                topic,
                (int) (offset % 2),
                offset,
                1_000 + offset,
                TimestampType.LOG_APPEND_TIME,
                0,
                value.length,
                new byte[0],
                value,
                new RecordHeaders(),
                Optional.empty()));
    }

    private static Preference rated(String id, double score, String... parents) {
        return pair(id, Split.TRAIN).toBuilder()
                .setScored(Scored.newBuilder()
                        .setScore(score)
                        .setAnswer(Answer.newBuilder().setText("an answer")))
                .setProvenance(Provenance.newBuilder().addAllParentIds(List.of(parents)))
                .setOrigin(Preference.Origin.RATINGS)
                .build();
    }

    @Test
    void ratingsAreLearnedUnlessTheyAreUndecidedHeldOutOrInAPair() {
        learned = Set.of(Stages.PRETRAIN, Stages.SFT, Stages.PREFERENCE, Stages.RATING);
        record(PREFERENCES, rated("up", 1, "feedback 1", "completion 1"));
        record(PREFERENCES, rated("four stars", 0.75, "feedback 2", "completion 2"));
        record(PREFERENCES, rated("three stars", 0.5, "feedback 3", "completion 3"));
        record(PREFERENCES, rated("paired", 0, "feedback 4", "completion 4"));
        record(
                PREFERENCES,
                pair("a pair", Split.TRAIN).toBuilder()
                        .setOrigin(Preference.Origin.RATINGS)
                        .setProvenance(Provenance.newBuilder()
                                .addAllParentIds(List.of("feedback 4", "completion 4", "feedback 5", "completion 5")))
                        .build());
        record(
                PREFERENCES,
                rated("in secret", 0, "feedback 6", "completion 6").toBuilder()
                        .setSplit(Split.HELD_OUT)
                        .build());

        RoundExamples examples = collect(records);
        assertThat(examples.ratings())
                .extracting(RatedExample::exampleId, RatedExample::desirable, RatedExample::weight)
                .containsExactlyInAnyOrder(tuple("up", true, 1.0), tuple("four stars", true, 0.5));
        assertThat(examples.heldOutPreferences()).isEmpty(); // only pairs are judged by
        assertThat(examples.counts())
                .isEqualTo(Map.of(
                        Stages.RATING, 2L,
                        Stages.UNDECIDED, 1L,
                        Stages.IN_A_PAIR, 1L,
                        Stages.PREFERENCE, 1L,
                        Stages.HELD_OUT, 1L));
    }

    @Test
    void promptsAreAnsweredInTrainingWhereAStageDoes() {
        Prompt prompt = Prompt.newBuilder()
                .setPromptId("a prompt")
                .addMessages(ChatMessage.newBuilder().setRole("user").setContent("?"))
                .putRewardData("answer", "42")
                .build();
        record(PROMPTS, prompt);
        assertThat(collect(records).counts()).isEqualTo(Map.of(Stages.WITHOUT_OBJECTIVE, 1L));

        learned = Set.of(Stages.ROLLOUT);
        RoundExamples examples = collect(records);
        assertThat(examples.counts()).isEqualTo(Map.of(Stages.ROLLOUT, 1L));
        assertThat(examples.prompts()).singleElement().satisfies(one -> {
            assertThat(one.rewardData()).isEqualTo(Map.of("answer", "42"));
            assertThat(examples.ledger())
                    .extracting(RoundExamples.LedgerEntry::exampleId)
                    .containsExactly(one.exampleId());
        });
    }

    private void record(String topic, Message message) {
        record(topic, message.toByteArray());
    }

    private RoundExamples collect(List<ConsumerRecord<byte[], byte[]>> inOrder) {
        ExampleCollector collector =
                new ExampleCollector(new ExampleReader(PREFERENCES, PROMPTS, 100, learned, mixture), seen, 42);
        inOrder.forEach(collector::add);
        return collector.finish();
    }

    private static TokenSequence sequence(String id, Objective objective, Split split, int... ids) {
        TokenSequence.Builder sequence = TokenSequence.newBuilder()
                .setExampleId(id)
                .setObjective(objective)
                .setSplit(split)
                .setProvenance(Provenance.newBuilder().setSource("a book"));
        for (int token : ids) {
            sequence.addIds(token);
        }
        return sequence.build();
    }

    private static Preference pair(String id, Split split) {
        return Preference.newBuilder()
                .setExampleId(id)
                .setSplit(split)
                .addMessages(ChatMessage.newBuilder().setRole("user").setContent("?"))
                .setPair(Pair.newBuilder()
                        .setChosen(Answer.newBuilder().setText("good"))
                        .setRejected(Answer.newBuilder().setText("bad")))
                .build();
    }

    @Test
    void everyRecordGoesToOneStageOrIsCountedAsWhatItIs() {
        seen.add("seen before");
        record(SEQUENCES, sequence("document", Objective.CAUSAL_LM, Split.TRAIN, 1, 2));
        record(
                SEQUENCES,
                sequence("chat", Objective.SFT, Split.TRAIN, 1, 2).toBuilder()
                        .setLossMask(ByteString.copyFrom(new byte[] {0, 1}))
                        .build());
        record(SEQUENCES, sequence("kept back", Objective.CAUSAL_LM, Split.HELD_OUT, 1, 2));
        record(SEQUENCES, sequence("seen before", Objective.CAUSAL_LM, Split.TRAIN, 1, 2));
        record(SEQUENCES, sequence("no split", Objective.CAUSAL_LM, Split.SPLIT_UNSPECIFIED, 1, 2));
        record(SEQUENCES, sequence("of another tokenizer", Objective.CAUSAL_LM, Split.HELD_OUT, 1, 100));
        record(SEQUENCES, "\u0007garbage".getBytes(StandardCharsets.UTF_8));
        record(PREFERENCES, pair("liked", Split.TRAIN));
        record(PREFERENCES, pair("liked in secret", Split.HELD_OUT));
        record(
                PREFERENCES,
                pair("stars", Split.TRAIN).toBuilder()
                        .setScored(Scored.newBuilder().setScore(1))
                        .build());

        RoundExamples examples = collect(records);
        assertThat(examples.documents()).extracting(TrainingSequence::exampleId).containsExactly("document");
        assertThat(examples.sft()).singleElement().satisfies(chat -> {
            assertThat(chat.lossMask()).containsExactly(false, true);
            assertThat(chat.weight()).isEqualTo(1); // none was given
        });
        assertThat(examples.pairs()).singleElement().satisfies(pair -> assertThat(pair.chosen())
                .isEqualTo("good"));
        assertThat(examples.heldOutSequences())
                .extracting(TokenSequence::getExampleId)
                .containsExactly("kept back");
        assertThat(examples.heldOutPreferences())
                .extracting(Preference::getExampleId)
                .containsExactly("liked in secret");
        assertThat(examples.counts())
                .isEqualTo(Map.of(
                        Stages.PRETRAIN, 1L,
                        Stages.SFT, 1L,
                        Stages.PREFERENCE, 1L,
                        Stages.HELD_OUT, 2L,
                        Stages.REPEATED, 1L,
                        Stages.WITHOUT_OBJECTIVE, 1L,
                        Stages.UNREADABLE, 3L));
        assertThat(examples.sources()).isEqualTo(Map.of("a book", 2L, "unnamed", 1L));
    }

    @Test
    void whatAModelDoesNotLearnFromIsNoMeasureOfItEither() {
        for (Split split : List.of(Split.TRAIN, Split.HELD_OUT)) {
            record(SEQUENCES, sequence("document " + split, Objective.CAUSAL_LM, split, 1, 2));
            record(SEQUENCES, sequence("chat " + split, Objective.SFT, split, 1, 2));
            record(
                    SEQUENCES,
                    sequence("labelled " + split, Objective.LABELS, split, 1, 2).toBuilder()
                            .addLabels("ham")
                            .build());
            record(PREFERENCES, pair("pair " + split, split));
        }
        RoundExamples decoder = collect(records);
        assertThat(decoder.labelled()).isEmpty();
        assertThat(decoder.counts())
                .isEqualTo(Map.of(
                        Stages.PRETRAIN, 1L,
                        Stages.SFT, 1L,
                        Stages.PREFERENCE, 1L,
                        Stages.HELD_OUT, 3L,
                        Stages.WITHOUT_OBJECTIVE, 2L));

        learned = Set.of(Stages.MASKED_LM);
        RoundExamples masked = collect(records);
        assertThat(masked.documents()).extracting(TrainingSequence::exampleId).containsExactly("document TRAIN");
        assertThat(masked.counts())
                .isEqualTo(Map.of(Stages.MASKED_LM, 1L, Stages.HELD_OUT, 1L, Stages.WITHOUT_OBJECTIVE, 6L));
        assertThat(masked.sources()).isEqualTo(Map.of("a book", 1L));

        learned = Set.of(Stages.CLASSIFICATION);
        RoundExamples labels = collect(records);
        assertThat(labels.labelled()).singleElement().satisfies(text -> {
            assertThat(text.exampleId()).isEqualTo("labelled TRAIN");
            assertThat(text.labels()).containsExactly("ham");
            assertThat(text.weight()).isEqualTo(1);
        });
        assertThat(labels.heldOutSequences())
                .extracting(TokenSequence::getExampleId)
                .containsExactly("labelled HELD_OUT");
        assertThat(labels.counts())
                .isEqualTo(Map.of(Stages.CLASSIFICATION, 1L, Stages.HELD_OUT, 1L, Stages.WITHOUT_OBJECTIVE, 6L));
    }

    @Test
    void aSourceThatIsOffIsCountedAndAnotherCountsAsMuchAsItsWeightSays() {
        mixture = new Mixture(
                Map.of("spam", new SourceShare(0, 1), "a book", new SourceShare(0.5, 1), "rare", new SourceShare(4, 1)),
                FeedbackAge.ANY,
                Optional.empty());
        for (Split split : List.of(Split.TRAIN, Split.HELD_OUT)) {
            record(SEQUENCES, from("spam", sequence("spam " + split, Objective.CAUSAL_LM, split, 1, 2)));
            record(SEQUENCES, sequence("page " + split, Objective.CAUSAL_LM, split, 1, 2));
        }
        record(
                SEQUENCES,
                from("rare", sequence("note", Objective.SFT, Split.TRAIN, 1, 2)).toBuilder()
                        .setWeight(0.25)
                        .build());
        record(
                PREFERENCES,
                pair("liked", Split.TRAIN).toBuilder()
                        .setWeight(3)
                        .setProvenance(Provenance.newBuilder().setSource("a book"))
                        .build());

        RoundExamples examples = collect(records);
        assertThat(examples.documents())
                .extracting(TrainingSequence::exampleId, TrainingSequence::weight)
                .containsExactly(tuple("page TRAIN", 0.5));
        assertThat(examples.sft()).extracting(TrainingSequence::weight).containsExactly(1.0);
        assertThat(examples.pairs()).extracting(PairExample::weight).containsExactly(1.5);
        assertThat(examples.heldOutSequences())
                .extracting(TokenSequence::getExampleId)
                .containsExactly("page HELD_OUT");
        assertThat(examples.counts())
                .isEqualTo(Map.of(
                        Stages.SOURCE_OFF, 2L,
                        Stages.PRETRAIN, 1L,
                        Stages.SFT, 1L,
                        Stages.PREFERENCE, 1L,
                        Stages.HELD_OUT, 1L));
    }

    private static TokenSequence from(String source, TokenSequence sequence) {
        return sequence.toBuilder()
                .setProvenance(Provenance.newBuilder().setSource(source))
                .build();
    }

    @Test
    void aShareOfASourceIsChosenByIdsAndAMissingExampleMovesNoOther() {
        for (int i = 0; i < 400; i++) {
            record(SEQUENCES, sequence("page " + i, Objective.CAUSAL_LM, Split.TRAIN, 1, 2));
        }
        record(SEQUENCES, sequence("kept back", Objective.CAUSAL_LM, Split.HELD_OUT, 1, 2));
        mixture = new Mixture(Map.of("a book", new SourceShare(1, 0.25)), FeedbackAge.ANY, Optional.empty());
        RoundExamples all = collect(records);
        assertThat(all.documents().size()).isBetween(70, 130);
        assertThat(all.counts())
                .containsEntry(Stages.NOT_SAMPLED, 400L - all.documents().size())
                .containsEntry(Stages.HELD_OUT, 1L);

        RoundExamples half = collect(records.subList(200, records.size()));
        assertThat(ids(all)).containsAll(ids(half));
        mixture = new Mixture(Map.of("a book", new SourceShare(1, 0.5)), FeedbackAge.ANY, Optional.empty());
        assertThat(ids(collect(records))).containsAll(ids(all)).hasSizeGreaterThan(150);
    }

    private static List<String> ids(RoundExamples examples) {
        return examples.documents().stream().map(TrainingSequence::exampleId).toList();
    }

    @Test
    void feedbackCountsLessTheOlderTheAnswerIsAndIsStaleBeyondTheLimit() {
        learned = Set.of(Stages.PREFERENCE, Stages.RATING);
        mixture = new Mixture(Map.of(), new FeedbackAge(3, 0.5), Optional.of(VersionId.parse("mine-000010")));
        record(PREFERENCES, answered("of the champion", "mine-000010", "mine-000010"));
        record(PREFERENCES, answered("one older", "mine-000010", "mine-000009"));
        record(PREFERENCES, answered("three older", "mine-000007", ""));
        record(PREFERENCES, answered("four older", "mine-000010", "mine-000006"));
        record(PREFERENCES, answered("rolled back since", "mine-000012", "mine-000012"));
        record(PREFERENCES, answered("of another model", "yours-000001", "gpt"));
        record(
                PREFERENCES,
                answered("old, but held out", "mine-000001", "mine-000001").toBuilder()
                        .setSplit(Split.HELD_OUT)
                        .build());
        record(
                PREFERENCES,
                rated("an old thumb", 1).toBuilder()
                        .setScored(Scored.newBuilder()
                                .setScore(1)
                                .setAnswer(Answer.newBuilder().setText("a").setModelVersion("mine-000002")))
                        .build());

        RoundExamples examples = collect(records);
        assertThat(examples.pairs())
                .extracting(PairExample::exampleId, PairExample::weight)
                .containsExactlyInAnyOrder(
                        tuple("of the champion", 1.0),
                        tuple("one older", 0.5),
                        tuple("three older", 0.125),
                        tuple("rolled back since", 1.0),
                        tuple("of another model", 1.0));
        assertThat(examples.counts()).isEqualTo(Map.of(Stages.PREFERENCE, 5L, Stages.STALE, 2L, Stages.HELD_OUT, 1L));
        assertThat(examples.ledger()).contains(new RoundExamples.LedgerEntry("an old thumb", Stages.STALE));
    }

    private static Preference answered(String id, String chosenVersion, String rejectedVersion) {
        return pair(id, Split.TRAIN).toBuilder()
                .setPair(Pair.newBuilder()
                        .setChosen(Answer.newBuilder().setText("good").setModelVersion(chosenVersion))
                        .setRejected(Answer.newBuilder().setText("bad").setModelVersion(rejectedVersion)))
                .build();
    }

    @Test
    void theResultDoesNotDependOnTheOrderInWhichPartitionsWereRead() {
        for (int i = 0; i < 60; i++) {
            record(SEQUENCES, sequence("example-" + i % 40, Objective.CAUSAL_LM, Split.TRAIN, 1, i));
        }
        RoundExamples inOrder = collect(records);
        Collections.shuffle(records, new Random(3));
        assertThat(collect(records)).usingRecursiveComparison().isEqualTo(inOrder);
        assertThat(inOrder.counts()).isEqualTo(Map.of(Stages.PRETRAIN, 40L, Stages.REPEATED, 20L));
        // of two revisions the later one counts
        assertThat(inOrder.documents())
                .filteredOn(sequence -> sequence.exampleId().equals("example-3"))
                .singleElement()
                .satisfies(sequence -> assertThat(sequence.ids()).containsExactly(1, 43));
    }

    @Test
    void theFirstFeedbackIsTheOneAppendedFirst() {
        Instant early = Instant.parse("2026-01-01T00:00:00Z");
        for (int i = 0; i < 5; i++) {
            record(
                    PREFERENCES,
                    pair("p" + i, Split.TRAIN).toBuilder()
                            .setProvenance(Provenance.newBuilder()
                                    .setIngestTime(Timestamps.fromMillis(
                                            early.plusSeconds((i + 3) % 5).toEpochMilli())))
                            .build());
        }
        assertThat(collect(records).firstFeedback()).contains(early);
    }

    @Test
    void pairsPutAsideAreCountedAsWhatBecameOfThem() {
        record(PREFERENCES, pair("short", Split.TRAIN));
        record(PREFERENCES, pair("long", Split.TRAIN));
        RoundExamples examples = collect(records).without(Map.of("long", Stages.TOO_LONG));
        assertThat(examples.pairs()).extracting(PairExample::exampleId).containsExactly("short");
        assertThat(examples.counts()).isEqualTo(Map.of(Stages.PREFERENCE, 1L, Stages.TOO_LONG, 1L));
        assertThat(examples.ledger())
                .contains(new RoundExamples.LedgerEntry("long", Stages.TOO_LONG))
                .hasSize(2);
    }

    @Test
    void whatItsRaterTakesBackInTheSameSliceIsNotLearned() {
        record(PREFERENCES, of(pair("liked", Split.TRAIN), "ann", "f1"));
        record(PREFERENCES, of(pair("kept", Split.TRAIN), "bob", "f2"));
        record(PREFERENCES, takingBack("w1", "ann", "f1"));
        record(PREFERENCES, takingBack("w2", "ann", "f2")); // bob's
        record(PREFERENCES, takingBack("w3", "ann", "the book"));
        record(PREFERENCES, takingBack("w4", "bob", "f3"));
        record(SEQUENCES, of(sequence("correction", Objective.SFT, Split.TRAIN, 1, 2), "bob", "f3"));
        record(SEQUENCES, of(sequence("document", Objective.CAUSAL_LM, Split.TRAIN, 1, 2), "ann", "the book"));
        Preference ofTwo = of(pair("two scores", Split.TRAIN), "", "f1").toBuilder()
                .setOrigin(Preference.Origin.RATINGS)
                .build();
        record(PREFERENCES, ofTwo);

        List<ConsumerRecord<byte[], byte[]>> shuffled = new ArrayList<>(records);
        Collections.shuffle(shuffled, new Random(11));
        for (RoundExamples examples : List.of(collect(records), collect(shuffled))) {
            assertThat(examples.pairs()).extracting(PairExample::exampleId).containsExactly("kept");
            assertThat(examples.sft()).isEmpty();
            assertThat(examples.documents()).hasSize(1);
            assertThat(examples.counts())
                    .containsEntry(Stages.WITHDRAWN, 3L)
                    .containsEntry(Stages.WITHDRAWAL, 4L)
                    .containsEntry(Stages.PREFERENCE, 1L);
        }
    }

    private static Preference of(Preference preference, String subject, String feedback) {
        return preference.toBuilder()
                .setProvenance(provenance(subject, feedback))
                .build();
    }

    private static TokenSequence of(TokenSequence sequence, String subject, String feedback) {
        return sequence.toBuilder().setProvenance(provenance(subject, feedback)).build();
    }

    private static Provenance provenance(String subject, String feedback) {
        Provenance.Builder provenance = Provenance.newBuilder().addParentIds(feedback);
        if (!subject.isEmpty()) {
            provenance.getPrincipalBuilder().setSubject(subject);
        }
        return provenance.build();
    }

    private static Preference takingBack(String id, String subject, String feedback) {
        return Preference.newBuilder()
                .setExampleId(id)
                .setSplit(Split.TRAIN)
                .setProvenance(provenance(subject, id))
                .addWithdrawn(feedback)
                .build();
    }
}
