package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SliceRange;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Ledger;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.slice.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Rounds that learn some of what their ancestors have learned once more. */
class ReplayTest extends TrainerRig {
    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private static RoundSettings replaying(double share, int slices) {
        MixtureSettings none = MixtureSettings.NONE;
        return with(
                new MixtureSettings(
                        none.stages(),
                        none.sources(),
                        none.feedback(),
                        new MixtureSettings.Replay(share, slices),
                        none.anchor()),
                settings(0.003));
    }

    /** Three rounds; the third's clock may fail. */
    private TestLog threeRounds(Path directory, RoundSettings settings, LongSupplier third) throws Exception {
        TestLog log = log(base);
        Trainer trainer = start(options(log, directory, settings, base), System::nanoTime);
        for (int round = 1; round <= 3; round++) {
            if (round == 3) {
                trainer.close();
                start(options(log, directory, settings, base), third);
            }
            int first = 30 * round;
            log.documents(first, first + 20, 100);
            log.conversations(first, first + 14);
            log.preferences(first, first + 20);
            log.startRound(MODEL);
            awaitVersion(log, round, VersionState.PROMOTED);
        }
        return log;
    }

    private static List<LedgerEntry> replayed(Path data, long round) throws IOException {
        return Ledger.readReplayed(directory(data, round).resolve(CheckpointStore.STATE));
    }

    private static Set<LedgerEntry> trained(Path data, int... rounds) throws IOException {
        Set<LedgerEntry> trained = new HashSet<>();
        for (int round : rounds) {
            ledger(data, round).stream()
                    .filter(entry -> Waiting.isTrained(entry.stage()))
                    .forEach(trained::add);
        }
        return trained;
    }

    @Test
    void aShareOfEachStageIsReadAgainFromAncestorsSlicesAndIsNotNew() throws Exception {
        TestLog log = threeRounds(data, replaying(0.3, 4), System::nanoTime);
        CheckpointEvent first = awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(first.getLineage().getReplayedMap()).isEmpty();
        assertThat(replayed(data, 1)).isEmpty();

        CheckpointEvent third = awaitVersion(log, 3, VersionState.PROMOTED);
        assertThat(third.getLineage().getExamplesMap())
                .containsEntry(Stages.PRETRAIN, 16L)
                .containsEntry(Stages.SFT, 14L)
                .containsEntry(Stages.PREFERENCE, 16L);
        // 3 to 7: 16 · 3/7 = 6.9, 14 · 3/7 = 6
        assertThat(third.getLineage().getReplayedMap())
                .isEqualTo(Map.of(Stages.PRETRAIN, 7L, Stages.SFT, 6L, Stages.PREFERENCE, 7L));
        assertThat(replayed(data, 3)).hasSize(20).isSubsetOf(trained(data, 1, 2));
        assertThat(replayed(data, 3)).anyMatch(trained(data, 1)::contains).anyMatch(trained(data, 2)::contains);
        assertThat(ledger(data, 3)).doesNotContainAnyElementsOf(replayed(data, 3));
        assertThat(third.getMetricsMap())
                .containsEntry("replayed_examples", 20.0)
                .containsEntry("replay_gone", 0.0);
        assertThat(third.getLineage().getReplayedSlicesList())
                .extracting(SliceRange::getTopic)
                .contains(log.sequences().name(), log.topics().preferences().name());
    }

    @Test
    void anInterruptedRoundLearnsTheSameOnceMoreAndRebuildsBitForBit() throws Exception {
        Path straight = data.resolve("straight");
        Path broken = data.resolve("broken");
        threeRounds(straight, replaying(0.3, 1), System::nanoTime);
        TestLog log = threeRounds(broken, replaying(0.3, 1), failingAtStepCall(3, 9, 20));
        assertThat(replayed(broken, 3)).isEqualTo(replayed(straight, 3)).isNotEmpty();
        assertThat(digest(broken, 3)).isEqualTo(digest(straight, 3)).isNotEqualTo(digest(straight, 2));
        // one slice is read, however many ancestors there are
        assertThat(List.of(
                        trained(broken, 1).containsAll(replayed(broken, 3)),
                        trained(broken, 2).containsAll(replayed(broken, 3))))
                .containsExactlyInAnyOrder(true, false);

        try (CheckpointStore store = CheckpointStore.read(broken.resolve("store"), MODEL)) {
            Rebuild.Result result = new Rebuild(
                            store,
                            new TrainerClients(Map.of("bootstrap.servers", SharedKafka.bootstrapServers())),
                            log.topics(),
                            Duration.ofSeconds(30),
                            System::nanoTime,
                            Files.createTempDirectory(shared, "rebuild-"))
                    .run(new VersionId(MODEL, 3), new ArrayList<>()::add);
            assertThat(result.rebuilt()).isEqualTo(result.published()).isEqualTo(digest(broken, 3));
        }
    }

    @Test
    void whatRetentionHasTakenIsCountedAndTheRestIsReplayed() throws Exception {
        TestLog log = threeRounds(data, replaying(0.3, 4), System::nanoTime);
        log.drop(log.topics().preferences(), 2);
        for (int round = 1; round <= 2; round++) { // as with the weights of old versions
            Files.delete(directory(data, round).resolve("state/slice.binpb"));
        }
        log.documents(200, 220, 100);
        log.preferences(200, 220);
        log.startRound(MODEL);
        CheckpointEvent event = awaitVersion(log, 4, VersionState.PROMOTED);
        assertThat(event.getLineage().getReplayedMap()).isEqualTo(Map.of(Stages.PRETRAIN, 7L, Stages.PREFERENCE, 7L));
        assertThat(event.getMetricsMap().get("replay_gone")).isPositive();
        assertThat(event.getLineage().getReplayedSlicesList().stream().filter(range -> range.getTopic()
                        .equals(log.topics().preferences().name())))
                .isNotEmpty()
                .allMatch(range -> range.getFromOffset() >= 2);
    }

    @Test
    void whatTheLogHasDroppedIsReplayedFromTheCopiesThatVersionsKeep() throws Exception {
        TestLog log = threeRounds(data, replaying(0.3, 4), System::nanoTime);
        log.drop(log.topics().preferences());
        log.drop(log.sequences());
        log.documents(200, 220, 100);
        log.preferences(200, 220);
        log.startRound(MODEL);
        CheckpointEvent event = awaitVersion(log, 4, VersionState.PROMOTED);
        assertThat(event.getLineage().getReplayedMap()).isEqualTo(Map.of(Stages.PRETRAIN, 7L, Stages.PREFERENCE, 7L));
        assertThat(event.getMetricsMap()).containsEntry("replay_gone", 0.0);
        assertThat(replayed(data, 4)).hasSize(14).isSubsetOf(trained(data, 1, 2, 3));
    }
}
