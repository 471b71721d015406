package io.tidemill.trainer.round;

import static org.awaitility.Awaitility.await;

import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.Model;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.WeightType;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Ledger;
import io.tidemill.trainer.checkpoint.VersionSigner;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.encoder.EncoderSettings;
import io.tidemill.trainer.gate.GatePolicy;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.promotion.PromotionSettings;
import io.tidemill.trainer.rollout.RewardGuard;
import io.tidemill.trainer.slice.SliceLimits;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.PreferenceSettings;
import io.tidemill.trainer.stage.RatingSettings;
import io.tidemill.trainer.stage.SequenceSettings;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** A trainer of a tiny model on a real broker, with what its tests ask of it. */
abstract class TrainerRig {
    static final String MODEL = "tiny";
    static final Duration LONG = Duration.ofMinutes(2);
    static final AtomicInteger PREFIXES = new AtomicInteger();

    @TempDir
    static Path shared;

    @TempDir
    Path data;

    final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    /** @param base whose tokenizer the sequences are for */
    final TestLog log(Path base) {
        TestLog log =
                new TestLog(SharedKafka.bootstrapServers(), "trainer-test-" + PREFIXES.incrementAndGet() + ".", base);
        open.add(log);
        return log;
    }

    static RoundSettings settings(double learningRate) {
        return settings(learningRate, AdapterSettings.OFF);
    }

    static RoundSettings settings(double learningRate, AdapterSettings adapter) {
        return settings(learningRate, adapter, false, rollout("none"));
    }

    /** Answers are to be short. */
    static RolloutStageSettings rollout(String algorithm) {
        return new RolloutStageSettings(
                new OptimizerSettings(0.003, 0, Decay.CONSTANT, 1, 0.9, 0.95, 1e-8, 0),
                algorithm,
                Map.of(),
                List.of(Map.of("kind", "length", "name", "brevity", "target", "4")),
                List.of(),
                4,
                4,
                1,
                1,
                0,
                false,
                2,
                12,
                8,
                RewardGuard.USUAL.with(RewardGuard.Action.WARN));
    }

    static RoundSettings withRollouts(String algorithm, AdapterSettings adapter) {
        return settings(0.01, adapter, false, rollout(algorithm));
    }

    static RoundSettings withRewardModel(double learningRate) {
        return settings(learningRate, AdapterSettings.OFF, true, rollout("none"));
    }

    static RoundSettings settings(
            double learningRate, AdapterSettings adapter, boolean rewardModel, RolloutStageSettings rollout) {
        OptimizerSettings optimizer = new OptimizerSettings(learningRate, 0.1, Decay.LINEAR, 1, 0.9, 0.95, 1e-8, 0.01);
        return new RoundSettings(
                new SequenceSettings(optimizer, 4, 64, 1, 1),
                new SequenceSettings(optimizer, 4, 64, 1, 1),
                new PreferenceSettings(optimizer, "dpo", Map.of("beta", "0.1"), 4, 1),
                new RatingSettings(optimizer, "kto", Map.of(), 4, 1),
                new RewardModelSettings(optimizer, rewardModel, Map.of(), 4, 1),
                rollout,
                gate(""),
                1,
                ComputeType.FLOAT32,
                WeightType.FLOAT32,
                2,
                0.01,
                adapter,
                encoder(optimizer),
                MixtureSettings.NONE);
    }

    static RoundSettings with(MixtureSettings mixture, RoundSettings usual) {
        return with(mixture, usual.gate(), usual);
    }

    static RoundSettings with(MixtureSettings mixture, RoundSettings.GateSettings gate, RoundSettings usual) {
        return new RoundSettings(
                usual.pretrain(),
                usual.sft(),
                usual.preference(),
                usual.rating(),
                usual.rewardModel(),
                usual.rollout(),
                gate,
                usual.threads(),
                usual.compute(),
                usual.published(),
                usual.saveEvery(),
                usual.loggedReferences(),
                usual.adapter(),
                usual.encoder(),
                mixture);
    }

    static RoundSettings.GateSettings gate(String oldData) {
        return gate(oldData, 0);
    }

    /** @param window predicted tokens at most; 0 for a row of pretraining */
    static RoundSettings.GateSettings gate(String oldData, int window) {
        return new RoundSettings.GateSettings(
                0.02,
                0.1,
                0.02,
                0.02,
                0.1,
                "",
                5,
                5,
                5,
                5,
                100,
                20,
                100,
                oldData,
                500,
                0.05,
                GatePolicy.NONE,
                0,
                window);
    }

    static EncoderRoundSettings encoder(OptimizerSettings optimizer) {
        EncoderSettings training = new EncoderSettings(optimizer, 4, 4, 2);
        return new EncoderRoundSettings(
                new EncoderRoundSettings.MaskedLanguage(training, 24, 0.15, false),
                new EncoderRoundSettings.Classification(training, 24, List.of(), "", List.of()));
    }

    static TrainerOptions options(TestLog log, Path directory, RoundSettings settings, Path base) {
        return options(log, directory, settings, base, Optional::empty);
    }

    static TrainerOptions options(TestLog log, Path directory, RoundSettings settings, Path base, HostMemory memory) {
        return options(log, directory, settings, base, memory, List.of());
    }

    static TrainerOptions options(
            TestLog log,
            Path directory,
            RoundSettings settings,
            Path base,
            HostMemory memory,
            List<VersionSigner> signers) {
        return new TrainerOptions(
                MODEL,
                log.topics().prefix(),
                (short) 1,
                directory,
                Optional.of(base),
                version -> "http://127.0.0.1/v1/checkpoints/" + version + "/files/",
                settings,
                new RoundTrigger(1_000_000, 1_000_000, Duration.ofDays(1)),
                new SliceLimits(10_000, 1_000_000),
                10,
                Optional.empty(),
                signers,
                true,
                100_000,
                Duration.ofSeconds(30),
                Duration.ofMillis(50),
                memory,
                1,
                null,
                1);
    }

    /** The same with another policy of promotion. */
    static TrainerOptions promoting(TrainerOptions options, PromotionSettings promotion) {
        return with(options, options.deltas(), promotion);
    }

    /** The same, with or without deltas. */
    static TrainerOptions withDeltas(TrainerOptions options, boolean deltas) {
        return with(options, deltas, options.promotion());
    }

    private static TrainerOptions with(TrainerOptions options, boolean deltas, PromotionSettings promotion) {
        return new TrainerOptions(
                options.model(),
                options.topicPrefix(),
                options.replicationFactor(),
                options.data(),
                options.baseModel(),
                options.filesUrl(),
                options.round(),
                options.trigger(),
                options.limits(),
                options.keep(),
                options.keepFor(),
                options.signers(),
                deltas,
                options.waitingCapacity(),
                options.patience(),
                options.retry(),
                options.memory(),
                options.seed(),
                promotion,
                options.gateThreads());
    }

    final Trainer start(TrainerOptions options, LongSupplier nanoClock) {
        return start(options, nanoClock, Arithmetic.OF_ENGINE);
    }

    final Trainer start(TrainerOptions options, LongSupplier nanoClock, Arithmetic arithmetic) {
        Trainer trainer = new Trainer(
                options,
                new TrainerClients(Map.of("bootstrap.servers", SharedKafka.bootstrapServers())),
                Clock.systemUTC(),
                nanoClock,
                arithmetic);
        open.add(trainer);
        trainer.start();
        return trainer;
    }

    static CheckpointEvent awaitVersion(TestLog log, long round, VersionState state) {
        String version = new VersionId(MODEL, round).toString();
        return await().atMost(LONG)
                .until(
                        () -> log.checkpoints().stream()
                                .filter(event -> event.getVersion().equals(version) && event.getState() == state)
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    static Path directory(Path data, long round) {
        return data.resolve("store").resolve(MODEL).resolve(new VersionId(MODEL, round).toString());
    }

    static List<LedgerEntry> ledger(Path data, long round) throws IOException {
        return Ledger.read(directory(data, round).resolve(CheckpointStore.STATE));
    }

    static String digest(Path data, long round) {
        try (Model<?> model = Model.load(directory(data, round), ComputeType.FLOAT32)) {
            return model.digest();
        }
    }

    /** Fails inside the n-th call from a training step, as a crash between two saved states would. */
    static LongSupplier failingAtStepCall(int... calls) {
        AtomicInteger count = new AtomicInteger();
        return () -> {
            boolean inStep = StackWalker.getInstance().walk(frames -> frames.limit(6)
                    .anyMatch(frame -> frame.getClassName().endsWith(".TrainStep")));
            if (inStep) {
                int call = count.incrementAndGet();
                for (int failing : calls) {
                    if (call == failing) {
                        throw new IllegalStateException("crash injected at step call " + call);
                    }
                }
            }
            return System.nanoTime();
        };
    }

    /** Has memory for so many rows and pairs of a call, and scores so many tokens at once. */
    static Arithmetic memoryFor(int rows, int pairs, int tokens, List<String> refused) {
        return memoryFor(rows, pairs, tokens, 0, refused);
    }

    /** @param first calls of training that there is memory for whatever they are */
    static Arithmetic memoryFor(int rows, int pairs, int tokens, int first, List<String> refused) {
        AtomicInteger batches = new AtomicInteger();
        return new Arithmetic(
                learner -> (DecoderLearner) Proxy.newProxyInstance(
                        DecoderLearner.class.getClassLoader(),
                        new Class<?>[] {DecoderLearner.class},
                        (proxy, method, arguments) -> {
                            Object argument = arguments == null ? null : arguments[0];
                            if (argument instanceof PackedBatch batch
                                    && batches.incrementAndGet() > first
                                    && batch.rows() > rows) {
                                throw refusing(refused, batch.rows() + " rows");
                            }
                            if (method.getName().equals("accumulate")
                                    && argument instanceof List<?> some
                                    && Math.min(some.size(), (int) arguments[1]) > pairs) {
                                throw refusing(refused, Math.min(some.size(), (int) arguments[1]) + " pairs");
                            }
                            try {
                                return method.invoke(learner, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        }),
                (model, sequences, atOnce) -> {
                    if (atOnce > tokens) {
                        throw refusing(refused, atOnce + " tokens");
                    }
                    return model.logProbabilities(sequences, atOnce);
                },
                (model, texts, atOnce) -> {
                    if (atOnce > tokens) {
                        throw refusing(refused, atOnce + " tokens");
                    }
                    return model.answerLogProbabilities(texts, atOnce);
                },
                Arithmetic.OF_ENGINE.encoderLearner(),
                Arithmetic.OF_ENGINE.encoderScoring());
    }

    /** Has a gradient that is not a number at that step of the first stage, once. */
    static Arithmetic divergingAtStep(int step) {
        AtomicInteger clips = new AtomicInteger();
        return new Arithmetic(
                learner -> (DecoderLearner) Proxy.newProxyInstance(
                        DecoderLearner.class.getClassLoader(),
                        new Class<?>[] {DecoderLearner.class},
                        (proxy, method, arguments) -> {
                            if (method.getName().equals("clip") && clips.incrementAndGet() == step) {
                                return Double.NaN;
                            }
                            try {
                                return method.invoke(learner, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        }),
                Arithmetic.OF_ENGINE.scorer(),
                Arithmetic.OF_ENGINE.answers(),
                Arithmetic.OF_ENGINE.encoderLearner(),
                Arithmetic.OF_ENGINE.encoderScoring());
    }

    static NativeMemoryException refusing(List<String> refused, String what) {
        refused.add(what);
        return new NativeMemoryException(5 << 20, null);
    }

    static void promote(TestLog log, String version) {
        Command.Builder command = Command.newBuilder().setModel(MODEL);
        command.getPromoteBuilder().setVersion(version);
        log.command(command);
    }

    /** To the parent of what is live. */
    static void rollback(TestLog log) {
        Command.Builder command = Command.newBuilder().setModel(MODEL);
        command.getRollbackBuilder().setReason("it rambles");
        log.command(command);
    }

    /** Told of a command. */
    static void awaitNotice(TestLog log, String text) {
        await().atMost(LONG).until(() -> log.read(log.topics().rounds(), RoundEvent.parser()).stream()
                .anyMatch(event -> event.getNotice().getText().contains(text)));
    }

    static void awaitMessage(TestLog log, String message) {
        await().atMost(LONG).until(() -> log.read(log.topics().rounds(), RoundEvent.parser()).stream()
                .anyMatch(event -> event.getMessage().contains(message)));
    }
}
