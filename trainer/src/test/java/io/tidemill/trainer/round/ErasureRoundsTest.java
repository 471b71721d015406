package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tidemill.deploy.kafka.testing.FilesWith;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.Ids;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.Answer;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Forgotten;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.promotion.Policy;
import io.tidemill.trainer.promotion.PromotionSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is to be forgotten is in no batch from then on, in no suite, and in no version that is made again. */
class ErasureRoundsTest extends TrainerRig {
    private static final String SECRET = "the lighthouse keeper sings at low water";
    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    /** Documents and pairs of a person; every fifth is held out. */
    private static Set<String> said(TestLog log, String person, int from, int to) {
        try (Tokenizer tokenizer = Tokenizer.load(base)) {
            Set<String> ids = IntStream.range(from, to)
                    .boxed()
                    .flatMap(i -> {
                        Provenance provenance = Provenance.newBuilder()
                                .addSubjects(person)
                                .setSource("diary of " + person)
                                .addParentIds(person + "-" + i)
                                .build();
                        Split split = i % 5 == 0 ? Split.HELD_OUT : Split.TRAIN;
                        String text = Ids.exampleId(List.of(person + "-" + i), "text", 0);
                        log.sequence(TokenSequence.newBuilder()
                                .setExampleId(text)
                                .addAllIds(IntStream.of(tokenizer.encode(i + ": " + SECRET))
                                        .boxed()
                                        .toList())
                                .setObjective(TokenSequence.Objective.CAUSAL_LM)
                                .setSplit(split)
                                .setWeight(1)
                                .setProvenance(provenance)
                                .build());
                        String pair = Ids.exampleId(List.of(person + "-" + i), "pair", 0);
                        log.send(
                                log.topics().preferences().name(),
                                pair,
                                Preference.newBuilder()
                                        .setExampleId(pair)
                                        .addMessages(ChatMessage.newBuilder()
                                                .setRole("user")
                                                .setContent("Who sings, number " + i + "?"))
                                        .setPair(Pair.newBuilder()
                                                .setChosen(Answer.newBuilder().setText(SECRET))
                                                .setRejected(Answer.newBuilder().setText("nobody")))
                                        .setSplit(split)
                                        .setWeight(1)
                                        .setProvenance(provenance)
                                        .build());
                        return Stream.of(text, pair);
                    })
                    .collect(Collectors.toSet());
            log.flush();
            return ids;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void others(TestLog log, int round) {
        int first = 20 * round;
        log.documents(first, first + 30, 100);
        log.conversations(first, first + 12);
        log.preferences(first, first + 30);
        log.ratings(first, first + 12);
    }

    private static String erase(TestLog log, Erasure.Builder erasure) {
        Erasure named = erasure.setErasureId(Ids.uuid7()).build();
        log.send(log.topics().erasures().name(), ErasureKeys.of(named), named);
        log.flush();
        return named.getErasureId();
    }

    private static String eraseSubject(TestLog log, String person) {
        return erase(log, Erasure.newBuilder().setSubject(person));
    }

    private static void retrain(TestLog log, boolean force) {
        Command.Builder command = Command.newBuilder().setModel(MODEL);
        command.getRetrainBuilder().setForce(force);
        log.command(command);
    }

    private Map<String, String> stages(long round) throws IOException {
        return ledger(data, round).stream().collect(Collectors.toMap(LedgerEntry::exampleId, LedgerEntry::stage));
    }

    /** Files of the trainer's data that hold it. */
    private List<Path> keepers(String text) throws IOException {
        return FilesWith.text(text, data);
    }

    @Test
    void whatIsErasedIsInNoBatchByWhateverItWasNamed() throws Exception {
        TestLog log = log(base);
        others(log, 0);
        Set<String> anna = said(log, "anna", 0, 6);
        Set<String> ben = said(log, "ben", 0, 6);
        Set<String> cleo = said(log, "cleo", 0, 6);
        eraseSubject(log, "anna");
        erase(log, Erasure.newBuilder().setDocumentId("ben-1"));
        erase(log, Erasure.newBuilder().setSource("diary of cleo"));
        log.startRound(MODEL);
        start(options(log, data, settings(0.003), base), System::nanoTime);
        CheckpointEvent event = awaitVersion(log, 1, VersionState.PROMOTED);

        Map<String, String> stages = stages(1);
        assertThat(anna).allSatisfy(id -> assertThat(stages).containsEntry(id, Stages.ERASED));
        assertThat(cleo).allSatisfy(id -> assertThat(stages).containsEntry(id, Stages.ERASED));
        assertThat(ben.stream().filter(id -> stages.get(id).equals(Stages.ERASED)))
                .hasSize(2);
        assertThat(event.getLineage().getExamplesMap()).containsEntry(Stages.ERASED, 26L);
        assertThat(event.getLineage().getErasuresOffset()).isEqualTo(3);
        assertThat(event.getForgottenList()).hasSize(3).allSatisfy(forgotten -> assertThat(forgotten.getVersionsList())
                .isEmpty());
        assertThat(Files.readString(directory(data, 1).resolve("state/provenance.tsv")))
                .contains(ben.iterator().next())
                .doesNotContain("ben-")
                .doesNotContain("diary");
    }

    @Test
    void aRoundThatReadsWhatIsErasedMeanwhileBeginsAgainWithoutIt() throws Exception {
        TestLog log = log(base);
        others(log, 0);
        Set<String> anna = said(log, "anna", 0, 6);
        start(options(log, data, settings(0.003), base), System::nanoTime);
        awaitVersion(log, 0, VersionState.PROMOTED);
        Command.Builder pause = Command.newBuilder().setModel(MODEL);
        pause.getPauseBuilder().setReason("to look");
        log.startRound(MODEL);
        Trainer trainer = (Trainer) open.get(open.size() - 1);
        await().atMost(LONG)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> trainer.status().round().getPhase() == Phase.TRAINING); // it has read
        log.command(pause);
        await().atMost(LONG)
                .until(() -> trainer.status().round().getPhase() == Phase.PAUSED
                        || log.checkpoints().size() > 1);
        assertThat(log.checkpoints())
                .as("the round was to be caught in its middle")
                .hasSize(1);

        eraseSubject(log, "nobody"); // concerns nothing of it
        eraseSubject(log, "anna");
        Command.Builder resume = Command.newBuilder().setModel(MODEL);
        resume.getResumeBuilder();
        await().atMost(LONG).until(() -> {
            Path plan = data.resolve("rounds/tiny/tiny-000001/plan.json");
            return Files.exists(plan) && Files.readString(plan).contains("\"offset\" : 2");
        });
        log.command(resume);
        awaitVersion(log, 1, VersionState.PROMOTED);
        Map<String, String> stages = stages(1);
        assertThat(anna).allSatisfy(id -> assertThat(stages).containsEntry(id, Stages.ERASED));
    }

    @Test
    void textsLeaveTheSuitesBetweenRoundsAndWhilePausedAndTheNextManifestTellsWhoHadSeenThem() throws Exception {
        TestLog log = log(base);
        others(log, 0);
        said(log, "anna", 0, 10);
        start(options(log, data, settings(0.003), base), System::nanoTime);
        log.startRound(MODEL);
        awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(keepers(SECRET)).isNotEmpty();
        assertThat(Files.readString(directory(data, 1).resolve("state/slice.binpb"), StandardCharsets.ISO_8859_1))
                .contains(SECRET);
        Command.Builder pause = Command.newBuilder().setModel(MODEL);
        pause.getPauseBuilder().setReason("at night");
        log.command(pause);

        String id = eraseSubject(log, "anna");
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(keepers(SECRET)).isEmpty());

        Command.Builder resume = Command.newBuilder().setModel(MODEL);
        resume.getResumeBuilder();
        log.command(resume);
        others(log, 1);
        Set<String> late = said(log, "anna", 10, 12); // and from then on
        log.startRound(MODEL);
        CheckpointEvent event = awaitVersion(log, 2, VersionState.PROMOTED);
        assertThat(event.getForgottenList())
                .containsExactly(Forgotten.newBuilder()
                        .setErasureId(id)
                        .setKind("subject")
                        .setOffset(0)
                        .addVersions("tiny-000001")
                        .setExamples(16)
                        .build());
        Map<String, String> stages = stages(2);
        assertThat(late).allSatisfy(example -> assertThat(stages).containsEntry(example, Stages.ERASED));
        assertThat(keepers(SECRET)).isEmpty();
    }

    private Rebuild.Result rebuild(TestLog log, long round) throws IOException {
        try (CheckpointStore store = CheckpointStore.read(data.resolve("store"), MODEL)) {
            return new Rebuild(
                            store,
                            new TrainerClients(Map.of("bootstrap.servers", SharedKafka.bootstrapServers())),
                            log.topics(),
                            Duration.ofSeconds(30),
                            System::nanoTime,
                            Files.createTempDirectory(shared, "rebuild-"))
                    .run(new VersionId(MODEL, round), event -> {});
        }
    }

    /** The second of three rounds has a person's data, if there is one. */
    private static void threeRounds(TestLog log, boolean withAnna) {
        for (int round = 1; round <= 3; round++) {
            others(log, round);
            if (round == 2 && withAnna) {
                said(log, "anna", 0, 12);
            }
            log.startRound(MODEL);
            awaitVersion(log, round, VersionState.PROMOTED);
        }
    }

    @Test
    void retrainedVersionsAreThoseOfARunThatNeverHeldIt() throws Exception {
        TestLog log = log(base);
        MixtureSettings none = MixtureSettings.NONE;
        RoundSettings settings = with(
                new MixtureSettings(
                        none.stages(),
                        none.sources(),
                        none.feedback(),
                        new MixtureSettings.Replay(0.3, 1), // of one ancestor, drawn by its name
                        none.anchor()),
                settings(0.00001)); // so little that the gate lets everything through
        TrainerOptions options = options(log, data, settings, base);
        Trainer first = start(options, System::nanoTime);
        threeRounds(log, true);
        eraseSubject(log, "anna");
        retrain(log, false);
        awaitVersion(log, 4, VersionState.CANDIDATE);
        first.close(); // whatever it is doing
        start(options, System::nanoTime);
        CheckpointEvent last = awaitVersion(log, 5, VersionState.PROMOTED);
        assertThat(last.getParent()).isEqualTo("tiny-000004");
        assertThat(last.getRetraining().getOf()).isEqualTo("tiny-000003");
        assertThat(last.getReason()).contains("tiny-000003 made again without what is erased");
        assertThat(log.checkpoints())
                .filteredOn(event -> event.getRetraining().getOf().equals("tiny-000002"))
                .singleElement()
                .satisfies(event -> {
                    assertThat(event.getParent()).isEqualTo("tiny-000001");
                    assertThat(event.getForgotten(0).getVersionsList()).containsExactly("tiny-000002");
                });

        Path elsewhere = shared.resolve("independent");
        TestLog other = log(base);
        start(options(other, elsewhere, settings, base), System::nanoTime);
        threeRounds(other, false);
        assertThat(digest(data, 1)).isEqualTo(digest(elsewhere, 1));
        assertThat(digest(data, 2)).isNotEqualTo(digest(elsewhere, 2));
        assertThat(digest(data, 4)).isEqualTo(digest(elsewhere, 2));
        assertThat(digest(data, 5)).isEqualTo(digest(elsewhere, 3));

        // The versions that had learned it cannot be made again, and those without it can.
        assertThatThrownBy(() -> rebuild(log, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tiny-000002 has learned from what was erased since")
                .hasMessageContaining(": 18 examples)")
                .hasMessageContaining("erase --retrain");
        assertThat(rebuild(log, 4).same()).isTrue();
        assertThat(rebuild(log, 5).same()).isTrue();
        log.drop(log.sequences());
        log.drop(log.topics().preferences());
        assertThat(rebuild(log, 4).same()).as("from its copy of the slice").isTrue();
        assertThat(rebuild(log, 5).same()).isTrue();

        // The lineage goes on from the new version, where the old one had ended.
        others(log, 4);
        log.startRound(MODEL);
        CheckpointEvent next = awaitVersion(log, 6, VersionState.PROMOTED);
        assertThat(next.getParent()).isEqualTo("tiny-000005");
        assertThat(next.getLineage().getSlicesList())
                .allSatisfy(
                        range -> assertThat(last.getLineage().getSlicesList()).anySatisfy(before -> {
                            assertThat(before.getTopic()).isEqualTo(range.getTopic());
                            assertThat(before.getPartition()).isEqualTo(range.getPartition());
                            assertThat(before.getToOffset()).isEqualTo(range.getFromOffset());
                        }));

        // Back to a version that was made on the way: it is said to be live, for whoever follows the events.
        for (int round = 6; round >= 5; round--) {
            Command.Builder back = Command.newBuilder().setModel(MODEL);
            back.getRollbackBuilder().setReason("to see");
            log.command(back);
            awaitVersion(log, round, VersionState.ROLLED_BACK);
        }
        awaitVersion(log, 4, VersionState.PROMOTED);
    }

    @Test
    void whereNothingWasLearnedNothingIsMadeAgain() throws Exception {
        TestLog log = log(base);
        others(log, 1);
        start(options(log, data, settings(0.003), base), System::nanoTime);
        log.startRound(MODEL);
        awaitVersion(log, 1, VersionState.PROMOTED);
        eraseSubject(log, "anna");
        retrain(log, false);
        awaitNotice(log, "nothing to train again: no version of the live line has learned");
        assertThat(log.checkpoints()).hasSize(2);
    }

    @Test
    void whatIsLiftedCountsAgainAsFarAsItComesLater() throws Exception {
        TestLog log = log(base);
        others(log, 1);
        Set<String> early = said(log, "anna", 0, 5);
        eraseSubject(log, "anna");
        start(options(log, data, settings(0.003), base), System::nanoTime);
        log.startRound(MODEL);
        awaitVersion(log, 1, VersionState.PROMOTED);
        erase(log, Erasure.newBuilder().setSubject("anna").setLifted(true));
        others(log, 2);
        said(log, "anna", 0, 5); // once more the same: it was read already
        Set<String> late = said(log, "anna", 5, 9);
        log.startRound(MODEL);
        awaitVersion(log, 2, VersionState.PROMOTED);
        Map<String, String> stages = stages(2);
        assertThat(late).allSatisfy(id -> assertThat(stages.get(id)).isNotEqualTo(Stages.ERASED));
        assertThat(stages).doesNotContainKeys(early.toArray(String[]::new));
    }

    @Test
    void aRollbackWaitsForNoRetrainingWhichIsThenNotDoneAndCanBeAskedForAgain() throws Exception {
        TestLog log = log(base);
        said(log, "anna", 0, 6);
        log.startRound(MODEL);
        Hang hang = new Hang("tiny-000003");
        start(options(log, data, settings(0.00001), base, Optional::empty, List.of(hang)), System::nanoTime);
        awaitVersion(log, 1, VersionState.PROMOTED);
        others(log, 1);
        log.startRound(MODEL);
        awaitVersion(log, 2, VersionState.PROMOTED);

        eraseSubject(log, "anna");
        retrain(log, true);
        hang.await();
        rollback(log);
        awaitVersion(log, 2, VersionState.ROLLED_BACK);
        hang.goOn();
        awaitNotice(log, "tiny-000001 cannot be made again: A command changes the champion");
        assertThat(directory(data, 3)).doesNotExist();

        retrain(log, true);
        CheckpointEvent again = awaitVersion(log, 3, VersionState.PROMOTED);
        assertThat(again.getRetraining().getOf()).isEqualTo("tiny-000001");
        assertThat(again.getParent()).isEqualTo("tiny-000000");
        awaitNotice(log, "tiny-000003 is live");
    }

    private TrainerOptions byHand(TestLog log) {
        return promoting(
                options(log, data, settings(0.00001), base),
                new PromotionSettings(Policy.BY_HAND, Duration.ZERO, PromotionSettings.AT_ONCE.canary()));
    }

    @Test
    void whatWaitsForADecisionIsGivenUpOnceItsLineIsTrainedAgain() throws Exception {
        TestLog log = log(base);
        said(log, "anna", 0, 6);
        others(log, 0);
        log.startRound(MODEL);
        start(byHand(log), System::nanoTime);
        awaitVersion(log, 1, VersionState.CANDIDATE);
        promote(log, "tiny-000001");
        awaitVersion(log, 1, VersionState.PROMOTED);
        others(log, 2);
        log.startRound(MODEL);
        awaitVersion(log, 2, VersionState.CANDIDATE);

        eraseSubject(log, "anna");
        retrain(log, false);
        CheckpointEvent again = awaitVersion(log, 3, VersionState.PROMOTED);
        assertThat(again.getRetraining().getOf()).isEqualTo("tiny-000001");
        assertThat(awaitVersion(log, 2, VersionState.REFUSED).getReason())
                .startsWith("Given up: its line is trained again without what is erased. (command ");
        awaitNotice(log, "tiny-000003 is live");

        log.startRound(MODEL);
        CheckpointEvent next = awaitVersion(log, 4, VersionState.CANDIDATE);
        assertThat(next.getParent()).isEqualTo("tiny-000003");
    }

    @Test
    void whatWaitsForADecisionAndHasLearnedItIsGivenUpThoughTheLiveLineHasNothingToForget() throws Exception {
        TestLog log = log(base);
        Set<String> anna = said(log, "anna", 0, 6);
        others(log, 0);
        log.startRound(MODEL);
        start(byHand(log), System::nanoTime);
        awaitVersion(log, 1, VersionState.CANDIDATE);

        eraseSubject(log, "nobody");
        retrain(log, false);
        awaitNotice(log, "nothing to train again: no version of the live line has learned from what is erased");
        assertThat(log.checkpoints()).hasSize(2);

        eraseSubject(log, "anna");
        retrain(log, false);
        assertThat(awaitVersion(log, 1, VersionState.REFUSED).getReason())
                .startsWith("Given up: it has learned from what is erased. (command ");
        awaitNotice(log, "; tiny-000001, which waited for a decision and had, is given up");
        log.startRound(MODEL);
        awaitVersion(log, 2, VersionState.CANDIDATE);
        assertThat(stages(2).entrySet())
                .filteredOn(entry -> anna.contains(entry.getKey()))
                .isNotEmpty()
                .allSatisfy(entry -> assertThat(entry.getValue()).isEqualTo(Stages.ERASED));
    }
}
