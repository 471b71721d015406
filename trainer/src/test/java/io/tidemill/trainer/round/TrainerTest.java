package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraAdapter;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.Announcer;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.gate.HeldOut;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole rounds of a tiny decoder on a real broker. */
class TrainerTest extends TrainerRig {
    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private TestLog log() {
        return log(base);
    }

    private Trainer start(TestLog log, Path directory, RoundSettings settings, LongSupplier nanoClock) {
        return start(options(log, directory, settings, base), nanoClock);
    }

    private Trainer start(TestLog log, Path directory) {
        return start(log, directory, settings(0.01), System::nanoTime);
    }

    // ---- the tests --------------------------------------------------------------------------------------------------

    @Test
    void theStreamBecomesAPromotedVersionWithAllThatIsSaidOfIt() throws Exception {
        TestLog log = log();
        start(log, data);
        CheckpointEvent first = awaitVersion(log, 0, VersionState.PROMOTED);
        assertThat(first.getParent()).isEmpty();
        FileDigests.verify(directory(data, 0), first.getFilesList());

        log.documents(0, 40, 150);
        log.conversations(0, 10);
        log.preferences(0, 40);
        log.ratings(0, 12);
        log.startRound(MODEL);

        CheckpointEvent event = awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(event.getParent()).isEqualTo("tiny-000000");
        assertThat(event.getUri()).isEqualTo("tidemill:tiny/tiny-000001");
        assertThat(event.getLineage().getExamplesMap())
                .containsEntry(Stages.PRETRAIN, 32L)
                .containsEntry(Stages.SFT, 10L)
                .containsEntry(Stages.PREFERENCE, 32L)
                .containsEntry(Stages.RATING, 12L)
                .containsEntry(Stages.HELD_OUT, 16L);
        assertThat(event.getLineage().getSlicesList().stream()
                        .mapToLong(slice -> slice.getRecords())
                        .sum())
                .isEqualTo(102);
        assertThat(event.getLineage().hasFirstFeedbackTime()).isTrue();
        assertThat(event.getAccount().getTopicsList())
                .allSatisfy(topic -> assertThat(topic.getOutcomesMap().values().stream()
                                .mapToLong(Long::longValue)
                                .sum())
                        .isEqualTo(topic.getRecords()));
        assertThat(event.getAccount().getTopicsList().stream()
                        .filter(topic -> topic.getTopic().endsWith("preferences"))
                        .findFirst()
                        .orElseThrow()
                        .getOutcomesMap())
                .isEqualTo(Map.of(Stages.PREFERENCE, 32L, Stages.RATING, 12L, Stages.HELD_OUT, 8L));
        assertThat(event.getAccount().getTrained()).isEqualTo(86);
        assertThat(event.getAccount().getCameInMillisList()).hasSize(101).isSorted();
        assertThat(event.getMetricsMap()).containsKeys("pretrain_gradient_norm", "preference_gradient_norm");
        assertThat(event.getVerdict().getPassed()).isTrue();
        assertThat(event.getVerdict().getSuitesList())
                .extracting(suite -> suite.getSuite())
                .containsExactly("held-out-loss", "preference-accuracy", "preference-gap");
        assertThat(event.getVerdict().getSuites(0).getDifferenceHigh()).isNegative();
        FileDigests.verify(directory(data, 1), event.getFilesList());
        assertThat(event.getFilesList())
                .extracting(file -> file.getPath())
                .contains(
                        "model.safetensors",
                        "config.json",
                        "tokenizer.json",
                        "README.md",
                        "manifest.json",
                        "probe.json")
                .noneMatch(path -> path.startsWith(CheckpointStore.STATE));
        assertThat(directory(data, 1).resolve("README.md"))
                .content()
                .contains("# tiny-000001")
                .contains("held-out-loss");

        assertThat(log.read(log.topics().rounds(), RoundEvent.parser()))
                .extracting(RoundEvent::getPhase)
                .contains(Phase.READING, Phase.TRAINING, Phase.GATING, Phase.PUBLISHING, Phase.PROMOTED_PHASE);
        await().atMost(LONG).untilAsserted(() -> assertThat(data.resolve("rounds/tiny/tiny-000001"))
                .doesNotExist());
    }

    @Test
    void aRoundThatWasInterruptedEndsWithTheSameWeights() throws Exception {
        TestLog straightLog = log();
        Path straight = data.resolve("straight");
        TestLog brokenLog = log();
        Path broken = data.resolve("broken");
        for (TestLog log : List.of(straightLog, brokenLog)) {
            log.documents(0, 30, 100);
            log.conversations(0, 20);
            log.preferences(0, 30);
            log.ratings(0, 20);
            log.startRound(MODEL);
        }
        start(straightLog, straight, withRewardModel(0.01), System::nanoTime);
        // each step asks the clock twice: in the first stage, in a later one, and once more right after a resume
        start(brokenLog, broken, withRewardModel(0.01), failingAtStepCall(7, 20, 27, 28, 53, 63));

        awaitVersion(straightLog, 1, VersionState.PROMOTED);
        awaitVersion(brokenLog, 1, VersionState.PROMOTED);
        assertThat(brokenLog.read(brokenLog.topics().rounds(), RoundEvent.parser()))
                .extracting(RoundEvent::getPhase)
                .contains(Phase.FAILED);
        assertThat(digest(broken, 1)).isEqualTo(digest(straight, 1)).isNotEqualTo(digest(straight, 0));
        assertThat(rewardModelDigest(broken, 1)).isEqualTo(rewardModelDigest(straight, 1));
    }

    private static String rewardModelDigest(Path data, long round) {
        try (LanguageModel model =
                LanguageModel.load(directory(data, round).resolve(VersionFiles.REWARD_MODEL), ComputeType.FLOAT32)) {
            return model.digest();
        }
    }

    @ParameterizedTest
    @CsvSource({"grpo, 0", "ppo, 0", "ppo, 2"})
    void promptsAreAnsweredJudgedAndLearnedFromAndAnInterruptedRoundEndsTheSame(String algorithm, int rank)
            throws Exception {
        RoundSettings settings = withRollouts(
                algorithm, rank == 0 ? AdapterSettings.OFF : new AdapterSettings(rank, 16, false, List.of()));
        TestLog straightLog = log();
        Path straight = data.resolve("straight");
        TestLog brokenLog = log();
        Path broken = data.resolve("broken");
        for (TestLog log : List.of(straightLog, brokenLog)) {
            log.documents(0, 20, 60);
            log.prompts(0, 12);
            log.startRound(MODEL);
        }
        start(straightLog, straight, settings, System::nanoTime);
        start(brokenLog, broken, settings, failingAtStepCall(9, 12, 17));

        CheckpointEvent event = awaitVersion(straightLog, 1, VersionState.PROMOTED);
        awaitVersion(brokenLog, 1, VersionState.PROMOTED);
        assertThat(event.getLineage().getExamplesMap()).containsEntry(Stages.ROLLOUT, 12L);
        assertThat(event.getMetricsMap()).containsKeys("rollout_reward", "rollout_kl", "rollout_steps");
        assertThat(event.getMetricsMap().get("rollout_steps")).isEqualTo(6);
        assertThat(digest(broken, 1)).isEqualTo(digest(straight, 1)).isNotEqualTo(digest(straight, 0));
    }

    @Test
    void aRewardModelIsTrainedOnThePairsPublishedBesideTheVersionAndKeptWhereNoPairIsNew() throws Exception {
        TestLog log = log();
        log.documents(0, 30, 100);
        log.preferences(0, 60);
        log.startRound(MODEL);
        start(log, data, withRewardModel(0.01), System::nanoTime);
        CheckpointEvent first = awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(first.getFilesList())
                .extracting(file -> file.getPath())
                .contains("reward-model/model.safetensors", "reward-model/config.json", "reward-model/tokenizer.json");
        assertThat(directory(data, 1).resolve("reward-model/config.json"))
                .content()
                .contains("LlamaForSequenceClassification");
        assertThat(first.getMetricsMap().get("reward_model_accuracy")).isGreaterThan(0.9);

        log.documents(30, 60, 100); // no new pair: it stays as it was
        log.startRound(MODEL);
        awaitVersion(log, 2, VersionState.PROMOTED);
        assertThat(rewardModelDigest(data, 2)).isEqualTo(rewardModelDigest(data, 1));
    }

    @Test
    void aRoundWithoutMemoryBeginsAgainWithASmallerMicroBatchAndEndsTheSameWhateverIsInterrupted() throws Exception {
        TestLog straightLog = log();
        Path straight = data.resolve("straight");
        TestLog brokenLog = log();
        Path broken = data.resolve("broken");
        for (TestLog log : List.of(straightLog, brokenLog)) {
            log.documents(0, 30, 100);
            log.conversations(0, 20);
            log.preferences(0, 30);
            log.startRound(MODEL);
        }
        List<String> refused = Collections.synchronizedList(new ArrayList<>());
        start(
                options(straightLog, straight, settings(0.01), base),
                System::nanoTime,
                memoryFor(2, 1, 1024, 3, new ArrayList<>())); // late: two steps were saved
        // right after the first restart, in its second step, in a later stage, and right after a resume
        start(
                options(brokenLog, broken, settings(0.01), base),
                failingAtStepCall(2, 5, 14, 15, 40),
                memoryFor(2, 1, 1024, refused));

        awaitVersion(straightLog, 1, VersionState.PROMOTED);
        CheckpointEvent event = awaitVersion(brokenLog, 1, VersionState.PROMOTED);
        assertThat(digest(broken, 1)).isEqualTo(digest(straight, 1)).isNotEqualTo(digest(straight, 0));
        for (Path data : List.of(straight, broken)) {
            assertThat(Manifest.read(directory(data, 1)).origin().get("micro_batch"))
                    .hasToString("{\"rows\":2,\"pairs\":1,\"referenceTokens\":1024,\"gateTokens\":1024,"
                            + "\"recompute\":false}");
        }
        // each size is tried once: what was recorded outlives the interruptions
        assertThat(refused)
                .containsExactly(
                        "4 rows", "4096 tokens", "2048 tokens", "4 pairs", "2 pairs", "4096 tokens", "2048 tokens");
        assertThat(event.getLineage().getExamplesMap()).containsEntry(Stages.PRETRAIN, 24L);
        assertThat(brokenLog.read(brokenLog.topics().rounds(), RoundEvent.parser()))
                .extracting(RoundEvent::getMessage)
                .anyMatch(message -> message.startsWith("Step 1 of stage pretrain: libtorch got no memory when it asked"
                        + " for 5.0 MiB. The round begins again with 2 rows, 4 pairs,"));
    }

    @Test
    void aRoundThatDoesNotFitRowByRowStopsTheTrainerAndChampionAndRecordsStay() {
        TestLog log = log();
        log.documents(0, 10, 100);
        log.startRound(MODEL);
        List<String> refused = Collections.synchronizedList(new ArrayList<>());
        Trainer trainer =
                start(options(log, data, settings(0.01), base), System::nanoTime, memoryFor(0, 1, 4096, refused));
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(trainer.status().stopped()).isTrue();
            assertThat(trainer.status().failure().orElseThrow())
                    .startsWith(
                            "Round 1 does not fit into memory: Step 1 of stage pretrain: libtorch got no memory when"
                                    + " it asked for 5.0 MiB. It was down to a row of 64 tokens at once with activations"
                                    + " recomputed. The champion tiny-000000 stays, and the records wait.")
                    .contains("trainer.pretrain.length");
        });
        assertThat(refused).containsExactly("4 rows", "2 rows", "1 rows", "1 rows");
        assertThat(log.checkpoints()).hasSize(1);
        trainer.close();

        start(log, data); // with more memory
        log.startRound(MODEL);
        CheckpointEvent promoted = awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(promoted.getLineage().getExamplesMap()).containsEntry(Stages.PRETRAIN, 8L);
    }

    @Test
    void aModelWhoseWeightsDoNotFitIsRefusedAtTheStartWithTheNumbers() {
        TestLog log = log();
        Trainer trainer = start(
                options(log, data, settings(0.01), base, HostMemory.of(3 << 20, "what this test has")),
                System::nanoTime);
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(trainer.status().stopped()).isTrue();
            assertThat(trainer.status().failure().orElseThrow())
                    .startsWith("The base model " + base + " has ")
                    .contains("but there are 3 MiB (what this test has)")
                    .contains("trainer.adapter.rank");
        });
        assertThat(log.checkpoints()).isEmpty();
    }

    @Test
    void anAdapterIsTrainedByAllStagesMergedIntoTheVersionAndStandsBesideIt() throws Exception {
        TestLog straightLog = log();
        Path straight = data.resolve("straight");
        TestLog brokenLog = log();
        Path broken = data.resolve("broken");
        RoundSettings settings = settings(0.02, new AdapterSettings(4, 8, true, List.of("q_proj", "down_proj")));
        for (TestLog log : List.of(straightLog, brokenLog)) {
            log.documents(0, 30, 100);
            log.conversations(0, 20);
            log.preferences(0, 30);
            log.startRound(MODEL);
        }
        start(straightLog, straight, settings, System::nanoTime);
        start(brokenLog, broken, settings, failingAtStepCall(7, 14, 15, 40, 50));

        CheckpointEvent event = awaitVersion(straightLog, 1, VersionState.PROMOTED);
        awaitVersion(brokenLog, 1, VersionState.PROMOTED);
        assertThat(digest(broken, 1)).isEqualTo(digest(straight, 1)).isNotEqualTo(digest(straight, 0));
        FileDigests.verify(directory(straight, 1), event.getFilesList());
        assertThat(event.getFilesList())
                .extracting(file -> file.getPath())
                .contains("model.safetensors", "adapter/adapter_config.json", "adapter/adapter_model.safetensors");
        assertThat(Manifest.read(directory(straight, 1)).settings().get("adapter"))
                .hasToString("{\"rank\":4,\"alpha\":8.0,\"rankStabilized\":true,"
                        + "\"targetModules\":[\"q_proj\",\"down_proj\"]}");

        // the version is its parent and the adapter, merged
        try (LanguageModel parent = LanguageModel.load(directory(straight, 0), ComputeType.FLOAT32);
                LoraAdapter adapter = LoraAdapter.load(directory(straight, 1).resolve("adapter"), parent.config());
                LanguageModel merged = adapter.mergedInto(parent)) {
            assertThat(merged.digest()).isEqualTo(digest(straight, 1));
            assertThat(adapter.config().baseModel()).contains("tiny-000000");
            assertThat(merged.weights("model.layers.0.self_attn.k_proj.weight"))
                    .isEqualTo(parent.weights("model.layers.0.self_attn.k_proj.weight"));
        }
    }

    @Test
    void anAdapterOnLayersThatTheModelDoesNotHaveStopsTheTrainerBeforeItBegins() {
        TestLog log = log();
        Trainer trainer =
                start(log, data, settings(0.01, new AdapterSettings(4, 8, false, List.of("c_attn"))), System::nanoTime);
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(trainer.status().stopped()).isTrue();
            assertThat(trainer.status().failure().orElseThrow())
                    .contains("trainer.adapter.target-modules does not suit")
                    .contains("c_attn")
                    .contains("q_proj");
        });
        assertThat(log.checkpoints()).isEmpty();
    }

    @Test
    void aRoundThatFailsThreeTimesIsRefusedWithItsReasonAndTheStreamGoesOn() {
        TestLog log = log();
        log.documents(0, 10, 100);
        log.startRound(MODEL);
        start(log, data, settings(0.01), failingAtStepCall(1, 2, 3));
        CheckpointEvent refused = awaitVersion(log, 1, VersionState.REFUSED);
        assertThat(refused.getReason())
                .startsWith("The round failed 3 times")
                .contains("crash injected at step call 3");

        log.documents(10, 20, 100);
        log.startRound(MODEL);
        // the first ten in two halves, then the others
        assertThat(pretrained(awaitVersion(log, 2, VersionState.PROMOTED))
                        + pretrained(awaitVersion(log, 3, VersionState.PROMOTED)))
                .isEqualTo(8);
        assertThat(pretrained(awaitVersion(log, 4, VersionState.PROMOTED))).isEqualTo(8);
    }

    @Test
    void aTrainerStoppedInTheMiddleOfARoundGoesOnWithItAtTheNextStart() throws Exception {
        TestLog straightLog = log();
        Path straight = data.resolve("straight");
        TestLog stoppedLog = log();
        Path stopped = data.resolve("stopped");
        for (TestLog log : List.of(straightLog, stoppedLog)) {
            log.documents(0, 60, 150);
            log.startRound(MODEL);
        }
        start(straightLog, straight);
        awaitVersion(straightLog, 1, VersionState.PROMOTED);

        Trainer first = start(stoppedLog, stopped);
        await().atMost(LONG)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> first.status().round().getStep() >= 1
                        || stoppedLog.checkpoints().size() > 1);
        first.close();
        start(stoppedLog, stopped);
        awaitVersion(stoppedLog, 1, VersionState.PROMOTED);
        assertThat(stoppedLog.checkpoints()).hasSize(2);
        assertThat(digest(stopped, 1)).isEqualTo(digest(straight, 1));
    }

    @Test
    void noExampleIsTrainedTwiceAndNoneOfTheHeldOutEver() throws Exception {
        TestLog log = log();
        start(log, data);
        log.documents(0, 20, 100);
        log.preferences(0, 20);
        log.startRound(MODEL);
        awaitVersion(log, 1, VersionState.PROMOTED);

        log.documents(10, 30, 100); // half of them again
        log.preferences(10, 30);
        log.preferences(25, 30); // twice in one slice
        log.startRound(MODEL);
        CheckpointEvent second = awaitVersion(log, 2, VersionState.PROMOTED);
        assertThat(second.getLineage().getExamplesMap()).containsEntry(Stages.REPEATED, 25L);

        List<LedgerEntry> all = new ArrayList<>(ledger(data, 1));
        all.addAll(ledger(data, 2));
        assertThat(all)
                .extracting(LedgerEntry::exampleId)
                .doesNotHaveDuplicates()
                .hasSize(60);
        List<String> heldOut = all.stream()
                .filter(entry -> entry.stage().equals(Stages.HELD_OUT))
                .map(LedgerEntry::exampleId)
                .toList();
        HeldOut suites = HeldOut.read(directory(data, 2).resolve(CheckpointStore.STATE));
        assertThat(heldOut).hasSize(12);
        assertThat(suites.pairs()).hasSize(6).allMatch(pair -> heldOut.contains(pair.getExampleId()));
        assertThat(suites.sequences())
                .isNotEmpty()
                .allMatch(window -> heldOut.contains(window.getExampleId().replaceAll("#.*", "")));
    }

    @Test
    void theGateMayReadShorterWindowsThanTraining() throws Exception {
        TestLog log = log();
        start(log, data, with(MixtureSettings.NONE, gate("", 16), settings(0.01)), System::nanoTime);
        log.documents(0, 40, 100);
        log.startRound(MODEL);
        awaitVersion(log, 1, VersionState.PROMOTED);
        // 99 predicted tokens of each of 8 held-out documents: 6 windows of 16 and one of 3
        List<TokenSequence> windows =
                HeldOut.read(directory(data, 1).resolve(CheckpointStore.STATE)).sequences();
        assertThat(windows).hasSize(56).allMatch(window -> window.getIdsCount() <= 17);
    }

    @Test
    void fromTheSecondRoundOnACandidateIsComparedWithTheFirstVersionToo() {
        TestLog log = log();
        start(log, data);
        for (int round = 1; round <= 2; round++) {
            log.documents(30 * round, 30 * round + 30, 100);
            log.startRound(MODEL);
            awaitVersion(log, round, VersionState.PROMOTED);
        }
        CheckpointEvent first = awaitVersion(log, 1, VersionState.PROMOTED);
        CheckpointEvent second = awaitVersion(log, 2, VersionState.PROMOTED);
        assertThat(first.getVerdict().getSuitesList())
                .allSatisfy(suite -> assertThat(suite.getAgainst()).isEmpty());
        List<SuiteResult> losses = second.getVerdict().getSuitesList().stream()
                .filter(suite -> suite.getSuite().equals("held-out-loss"))
                .toList();
        assertThat(losses).extracting(SuiteResult::getAgainst).containsExactly("", "tiny-000000");
        assertThat(losses.get(1).getBefore()).isGreaterThan(losses.get(0).getBefore());
        assertThat(losses.get(1).getAfter()).isEqualTo(losses.get(0).getAfter());
        assertThat(losses.get(1).getMargin()).isEqualTo(5 * losses.get(0).getMargin());
    }

    private static long pretrained(CheckpointEvent event) {
        return event.getLineage().getExamplesOrDefault(Stages.PRETRAIN, 0);
    }

    @Test
    void aRefusedRangeIsTriedAgainInHalvesQuarantinedIfThatIsRefusedTooAndReleasedByHand() throws Exception {
        TestLog log = log();
        Trainer trainer = start(log, data, settings(3), System::nanoTime);
        log.documents(0, 40, 150);
        log.startRound(MODEL);
        CheckpointEvent refused = awaitVersion(log, 1, VersionState.REFUSED);
        assertThat(refused.getVerdict().getPassed()).isFalse();
        assertThat(refused.getReason()).isNotEmpty();
        assertThat(directory(data, 1).resolve("model.safetensors")).doesNotExist();
        assertThat(log.read(log.topics().quarantine(), Rejected.parser())).isEmpty();

        log.documents(40, 50, 150);
        log.startRound(MODEL);
        CheckpointEvent older = awaitVersion(log, 2, VersionState.REFUSED);
        CheckpointEvent newer = awaitVersion(log, 3, VersionState.REFUSED);
        assertThat(pretrained(older)).isPositive();
        assertThat(pretrained(newer)).isPositive();
        assertThat(pretrained(older) + pretrained(newer)).isEqualTo(pretrained(refused));
        assertThat(pretrained(awaitVersion(log, 4, VersionState.REFUSED))).isEqualTo(8);
        List<Rejected> quarantined = log.read(log.topics().quarantine(), Rejected.parser());
        assertThat(quarantined).hasSize(40).allSatisfy(record -> {
            assertThat(record.getVersion()).isIn("tiny-000002", "tiny-000003");
            assertThat(record.getReason()).contains(record.getVersion());
        });

        // the last ten are tried once more, the first forty no longer; a gentle trainer learns from them
        trainer.close();
        Trainer gentle = start(log, data);
        log.documents(50, 60, 150);
        log.startRound(MODEL);
        CheckpointEvent promoted = awaitVersion(log, 5, VersionState.PROMOTED);
        assertThat(promoted.getParent()).isEqualTo("tiny-000000");
        assertThat(pretrained(promoted) + pretrained(awaitVersion(log, 6, VersionState.PROMOTED)))
                .isEqualTo(8);
        assertThat(pretrained(awaitVersion(log, 7, VersionState.PROMOTED))).isEqualTo(8);

        Command.Builder release = Command.newBuilder().setModel(MODEL);
        release.getReleaseBuilder().setVersion("tiny-000002");
        log.command(release);
        await().atMost(LONG)
                .until(() -> gentle.status().round().getWaitingOrDefault(Stages.PRETRAIN, 0) == pretrained(older));
        log.startRound(MODEL);
        assertThat(pretrained(awaitVersion(log, 8, VersionState.PROMOTED))).isEqualTo(pretrained(older));
    }

    @Test
    void whatAStepDivergedByGoesToQuarantineAndTheRestIsLearned() throws Exception {
        TestLog log = log();
        start(options(log, data, settings(0.01), base), System::nanoTime, divergingAtStep(3));
        log.documents(0, 40, 150);
        log.startRound(MODEL);

        CheckpointEvent diverged = awaitVersion(log, 1, VersionState.REFUSED);
        assertThat(diverged.getReason())
                .contains("Step 3 of stage pretrain diverged")
                .contains("Weights are those of step 2");
        List<Rejected> quarantined = log.read(log.topics().quarantine(), Rejected.parser());
        assertThat(quarantined).hasSizeBetween(1, 8).allMatch(record -> record.getCode()
                .equals("diverged"));
        List<String> ids = new ArrayList<>();
        for (Rejected record : quarantined) {
            ids.add(TokenSequence.parseFrom(record.getValue()).getExampleId());
        }
        assertThat(ids).allMatch(diverged.getReason()::contains);

        log.startRound(MODEL);
        CheckpointEvent older = awaitVersion(log, 2, VersionState.PROMOTED);
        CheckpointEvent newer = awaitVersion(log, 3, VersionState.PROMOTED);
        assertThat(pretrained(older) + pretrained(newer)).isEqualTo(32 - quarantined.size());
        assertThat(older.getLineage().getExamplesOrDefault(Stages.QUARANTINED, 0)
                        + newer.getLineage().getExamplesOrDefault(Stages.QUARANTINED, 0))
                .isEqualTo(quarantined.size());
    }

    @Test
    void aVersionInTheStoreThatWasNeverAnnouncedIsAnnouncedAtTheNextStart() {
        TestLog log = log();
        Trainer trainer = start(log, data);
        log.documents(0, 10, 100);
        log.startRound(MODEL);
        List<CheckpointEvent> before = new ArrayList<>(List.of(awaitVersion(log, 0, VersionState.PROMOTED)));
        before.add(awaitVersion(log, 1, VersionState.PROMOTED));
        trainer.close();

        TestLog empty = log(); // as after a broker that lost the topic
        start(empty, data);
        awaitVersion(empty, 1, VersionState.PROMOTED);
        assertThat(empty.checkpoints()).isEqualTo(before);
    }

    @Test
    void aRollbackMakesTheParentLiveOnceHoweverOftenTheTrainerStarts() {
        TestLog log = log();
        Trainer trainer = start(log, data);
        log.documents(0, 10, 100);
        log.startRound(MODEL);
        awaitVersion(log, 1, VersionState.PROMOTED);
        Command.Builder rollback = Command.newBuilder().setModel(MODEL);
        rollback.getRollbackBuilder().setReason("it rambles");
        log.command(rollback);
        CheckpointEvent event = awaitVersion(log, 1, VersionState.ROLLED_BACK);
        assertThat(event.getReason()).startsWith("Rolled back: it rambles");

        trainer.close();
        Trainer next = start(log, data);
        log.documents(10, 20, 100);
        log.startRound(MODEL);
        CheckpointEvent second = awaitVersion(log, 2, VersionState.PROMOTED);
        assertThat(second.getParent()).isEqualTo("tiny-000000");
        assertThat(pretrained(second) + pretrained(awaitVersion(log, 3, VersionState.PROMOTED)))
                .isEqualTo(8);
        assertThat(pretrained(awaitVersion(log, 4, VersionState.PROMOTED))).isEqualTo(8);
        assertThat(log.checkpoints()).hasSize(6);
        assertThat(next.status().ready()).isTrue();
    }

    @Test
    void aPauseHoldsRoundsBackUntilItEnds() {
        TestLog log = log();
        Trainer trainer = start(log, data);
        awaitVersion(log, 0, VersionState.PROMOTED);
        Command.Builder pause = Command.newBuilder().setModel(MODEL);
        pause.getPauseBuilder().setReason("maintenance");
        log.command(pause);
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(trainer.status().round().getPhase()).isEqualTo(Phase.PAUSED);
            assertThat(trainer.status().round().getMessage()).isEqualTo("paused: maintenance");
        });
        trainer.close();

        Trainer restarted = start(log, data);
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(restarted.status().round().getPhase()).isEqualTo(Phase.PAUSED));
        Command.Builder resume = Command.newBuilder().setModel(MODEL);
        resume.getResumeBuilder();
        log.command(resume);
        await().atMost(LONG)
                .untilAsserted(
                        () -> assertThat(restarted.status().round().getPhase()).isEqualTo(Phase.WAITING));
    }

    @Test
    void aTrainerWhoseNameWasTakenOverStopsAndSaysSo() {
        TestLog log = log();
        Trainer trainer = start(log, data);
        awaitVersion(log, 0, VersionState.PROMOTED);
        TrainerClients clients = new TrainerClients(Map.of("bootstrap.servers", SharedKafka.bootstrapServers()));
        String id = log.topics().prefix() + "trainer-" + MODEL;
        Announcer other = new Announcer(() -> clients.transactional(id), id, log.topics());
        open.add(other);
        other.open();
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(trainer.status().stopped()).isTrue();
            assertThat(trainer.status().ready()).isFalse();
            assertThat(trainer.status().failure()).hasValueSatisfying(reason -> assertThat(reason)
                    .contains("Another trainer has taken over transactional id " + id));
        });
    }

    @Test
    void aBaseModelThatCannotBeUsedStopsTheTrainerWithItsReason() throws Exception {
        TestLog log = log();
        Path strange = Files.createDirectory(data.resolve("strange"));
        for (String file : List.of("model.safetensors", "tokenizer.json")) {
            Files.copy(base.resolve(file), strange.resolve(file));
        }
        Files.writeString(strange.resolve("config.json"), "{\"model_type\": \"mamba\"}");
        Trainer trainer = start(options(log, data.resolve("its"), settings(0.01), strange), System::nanoTime);
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(trainer.status().stopped()).isTrue();
            assertThat(trainer.status().failure().orElseThrow())
                    .startsWith("The base model " + strange + " cannot be used: ")
                    .contains("mamba");
        });
        assertThat(log.checkpoints()).isEmpty();
    }

    @Test
    void anotherBaseModelThanTheOneThatALineageBeganWithIsNotPassedOver() throws Exception {
        TestLog log = log();
        Path store = data.resolve("its");
        Trainer first = start(options(log, store, settings(0.01), base), System::nanoTime);
        await().atMost(LONG).untilAsserted(() -> assertThat(log.checkpoints()).hasSize(1));
        first.close();

        Path other = data.resolve("other");
        Trainer trainer = start(options(log, store, settings(0.01), other), System::nanoTime);
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(trainer.status().stopped()).isTrue();
            assertThat(trainer.status().failure().orElseThrow())
                    .contains(MODEL + " began with " + base + " and not with " + other)
                    .contains("--model-name");
        });
        assertThat(log.checkpoints()).hasSize(1);
    }

    @Test
    void aStoreThatLacksTheLiveVersionIsToldAndNothingIsOverwritten() throws Exception {
        TestLog log = log();
        Trainer trainer = start(log, data.resolve("one"));
        awaitVersion(log, 0, VersionState.PROMOTED);
        Trainer elsewhere = start(log, data.resolve("other"));
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(elsewhere.status().stopped()).isTrue();
            assertThat(elsewhere.status().failure())
                    .hasValueSatisfying(reason ->
                            assertThat(reason).contains("tiny-000000 is live").contains("Restore the store"));
        });
        assertThat(trainer.status().ready()).isTrue();
        assertThat(log.checkpoints()).hasSize(1);
        assertThat(Files.exists(directory(data.resolve("other"), 0))).isFalse();
    }
}
