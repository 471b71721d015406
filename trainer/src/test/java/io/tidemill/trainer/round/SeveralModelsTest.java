package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.data.Stages;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Several models, of which one learns an adapter, trained by one process on the same topics. */
class SeveralModelsTest extends TrainerRig {
    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private void start(TestLog log, String model, RoundSettings settings, Turns turns) {
        TrainerOptions usual = options(log, data, settings, base);
        Trainer trainer = new Trainer(
                new TrainerOptions(
                        model,
                        usual.topicPrefix(),
                        usual.replicationFactor(),
                        usual.data(),
                        usual.baseModel(),
                        usual.filesUrl(),
                        usual.round(),
                        usual.trigger(),
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
                new TrainerClients(Map.of("bootstrap.servers", SharedKafka.bootstrapServers())),
                Clock.systemUTC(),
                System::nanoTime,
                turns);
        open.add(trainer);
        trainer.start();
    }

    private static List<CheckpointEvent> promoted(TestLog log, String model) {
        return log.checkpoints().stream()
                .filter(event -> event.getModel().equals(model) && event.getState() == VersionState.PROMOTED)
                .toList();
    }

    private static List<RoundEvent> rounds(TestLog log, String model) {
        return log.read(log.topics().rounds(), RoundEvent.parser()).stream()
                .filter(event -> event.getModel().equals(model))
                .toList();
    }

    @Test
    void eachModelHasItsOwnLineageAndPositionAndTheyTrainInTurn() {
        TestLog log = log(base);
        Turns turns = new Turns();
        RoundSettings whole = settings(0.003);
        start(log, "alpha", whole, turns);
        start(log, "beta", settings(0.003, new AdapterSettings(2, 8, false, List.of())), turns);
        log.documents(0, 40, 100);
        log.startRound("alpha");
        await().atMost(LONG).until(() -> promoted(log, "alpha").size() == 2);
        assertThat(promoted(log, "beta").size()).isLessThan(2); // what alpha has read, beta has not

        log.documents(40, 60, 100);
        log.startRound("beta");
        log.startRound("alpha");
        await().atMost(LONG)
                .until(() -> promoted(log, "alpha").size() == 3
                        && promoted(log, "beta").size() == 2);
        assertThat(promoted(log, "alpha"))
                .extracting(event -> event.getLineage().getExamplesMap().getOrDefault(Stages.PRETRAIN, 0L))
                .containsExactly(0L, 32L, 16L);
        CheckpointEvent beta = promoted(log, "beta").get(1);
        assertThat(beta.getVersion()).isEqualTo("beta-000001");
        assertThat(beta.getLineage().getExamplesMap()).containsEntry(Stages.PRETRAIN, 48L);
        assertThat(data.resolve("store/beta/beta-000001/adapter/adapter_config.json"))
                .exists();
        assertThat(data.resolve("store/alpha/alpha-000001/adapter")).doesNotExist();
    }

    @Test
    void aModelWaitsForItsTurnAndSaysForWhom() throws Exception {
        TestLog log = log(base);
        Turns turns = new Turns();
        start(log, "alpha", settings(0.003), turns);
        await().atMost(LONG).until(() -> promoted(log, "alpha").size() == 1);
        assertThat(turns.take("gamma", LONG)).isTrue();
        log.documents(0, 10, 60);
        log.startRound("alpha");
        await().atMost(LONG).until(() -> rounds(log, "alpha").stream()
                .anyMatch(event -> event.getPhase() == Phase.WAITING
                        && event.getMessage().equals("waiting for its turn: gamma trains")));
        assertThat(promoted(log, "alpha")).hasSize(1);
        turns.end();
        await().atMost(LONG).until(() -> promoted(log, "alpha").size() == 2);
        await().atMost(LONG).until(() -> turns.holder().equals("nobody"));
    }
}
