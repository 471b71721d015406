package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.TokenSequence.Objective;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.round.RoundTrigger.EventWindows;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What starts a round, on a real broker. */
class TriggersTest extends TrainerRig {
    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private Trainer start(TestLog log, RoundTrigger trigger) {
        TrainerOptions usual = options(log, data, settings(0.003), base);
        return start(
                new TrainerOptions(
                        usual.model(),
                        usual.topicPrefix(),
                        usual.replicationFactor(),
                        usual.data(),
                        usual.baseModel(),
                        usual.filesUrl(),
                        usual.round(),
                        trigger,
                        usual.limits(),
                        usual.keep(),
                        usual.keepFor(),
                        usual.signers(),
                        usual.deltas(),
                        usual.waitingCapacity(),
                        usual.patience(),
                        usual.retry(),
                        usual.memory(),
                        usual.seed(),
                        usual.promotion(),
                        usual.gateThreads()),
                System::nanoTime);
    }

    private static void send(TestLog log, String id, Instant happened) {
        TokenSequence.Builder sequence = TokenSequence.newBuilder()
                .setExampleId(id)
                .addAllIds(List.of(5, 6, 7, 8, 9, 10))
                .setSplit(Split.TRAIN)
                .setObjective(Objective.CAUSAL_LM);
        sequence.getProvenanceBuilder().setEventTime(Timestamps.fromMillis(happened.toEpochMilli()));
        log.sequence(sequence.build());
    }

    @Test
    void aBackfillIsLearnedDayByDay() {
        TestLog log = log(base);
        Instant first = Instant.parse("2025-03-01T06:00:00Z");
        for (int i = 0; i < 30; i++) { // ten a day, in all partitions
            send(log, "example-" + i, first.plus(Duration.ofDays(i / 10)).plusSeconds(i));
        }
        start(
                log,
                new RoundTrigger(
                        1,
                        1,
                        Duration.ZERO,
                        Optional.empty(),
                        Optional.of(new EventWindows(Duration.ofDays(1), Duration.ofHours(1))),
                        Optional.empty()));
        for (int round = 1; round <= 2; round++) {
            CheckpointEvent event = awaitVersion(log, round, VersionState.PROMOTED);
            assertThat(event.getLineage().getExamplesMap()).containsEntry(Stages.PRETRAIN, 10L);
        }
        await().atMost(LONG).until(() -> newest(log).getWaitingMap().equals(Map.of(Stages.PRETRAIN, 10L)));
        log.startRound(MODEL); // the last day is not over
        assertThat(awaitVersion(log, 3, VersionState.PROMOTED).getLineage().getExamplesMap())
                .containsEntry(Stages.PRETRAIN, 10L);
    }

    private static RoundEvent newest(TestLog log) {
        List<RoundEvent> events = log.read(log.topics().rounds(), RoundEvent.parser());
        return events.isEmpty() ? RoundEvent.getDefaultInstance() : events.get(events.size() - 1);
    }

    @Test
    void aCommandForSomeStagesLeavesTheOthersExamplesWaiting() {
        TestLog log = log(base);
        log.documents(0, 20, 60);
        log.preferences(0, 20);
        log.ratings(0, 10);
        Command.Builder command = Command.newBuilder().setModel(MODEL);
        command.getStartRoundBuilder().addStages(Stages.PRETRAIN);
        log.command(command);
        start(log, new RoundTrigger(1000, 1000, Duration.ofDays(1)));
        CheckpointEvent first = awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(first.getLineage().getExamplesMap())
                .containsEntry(Stages.PRETRAIN, 16L)
                .doesNotContainKeys(Stages.PREFERENCE, Stages.RATING);

        log.startRound(MODEL);
        assertThat(awaitVersion(log, 2, VersionState.PROMOTED).getLineage().getExamplesMap())
                .containsEntry(Stages.PREFERENCE, 16L)
                .containsEntry(Stages.RATING, 10L)
                .doesNotContainKeys(Stages.PRETRAIN, Stages.REPEATED);
    }

    @Test
    void inQuietHoursNoRoundStartsByItselfAndACommandEndsThem() {
        TestLog log = log(base);
        log.documents(0, 20, 60);
        LocalTime now = LocalTime.now(ZoneOffset.UTC);
        QuietHours around = new QuietHours(now.minusHours(2), now.plusHours(2), ZoneOffset.UTC);
        start(log, new RoundTrigger(1, 1, Duration.ZERO, Optional.empty(), Optional.empty(), Optional.of(around)));
        await().atMost(LONG)
                .until(() -> newest(log).getWaitingCount() > 0 && newest(log).hasQuietUntil());
        assertThat(newest(log).getMessage()).startsWith("quiet hours ").endsWith("no round starts by itself");
        assertThat(log.checkpoints()).hasSize(1);

        Command.Builder none = Command.newBuilder().setModel(MODEL);
        none.getQuietHoursBuilder();
        log.command(none);
        awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(newest(log).hasQuietUntil()).isFalse();
    }
}
