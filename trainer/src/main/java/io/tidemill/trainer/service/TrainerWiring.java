package io.tidemill.trainer.service;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.NativeMemory;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.trainer.checkpoint.ModelSigningKey;
import io.tidemill.trainer.checkpoint.SigningKey;
import io.tidemill.trainer.checkpoint.VersionSigner;
import io.tidemill.trainer.data.Mixture.FeedbackAge;
import io.tidemill.trainer.data.Mixture.SourceShare;
import io.tidemill.trainer.encoder.EncoderSettings;
import io.tidemill.trainer.gate.GatePolicy;
import io.tidemill.trainer.gate.OperatorSuites;
import io.tidemill.trainer.optimizer.Curve;
import io.tidemill.trainer.promotion.PromotionSettings;
import io.tidemill.trainer.rollout.RewardGuard;
import io.tidemill.trainer.round.AdapterSettings;
import io.tidemill.trainer.round.EncoderRoundSettings;
import io.tidemill.trainer.round.HostMemory;
import io.tidemill.trainer.round.MixtureSettings;
import io.tidemill.trainer.round.QuietHours;
import io.tidemill.trainer.round.RewardModelSettings;
import io.tidemill.trainer.round.RolloutStageSettings;
import io.tidemill.trainer.round.RoundSettings;
import io.tidemill.trainer.round.RoundTrigger;
import io.tidemill.trainer.round.Trainer;
import io.tidemill.trainer.round.TrainerClients;
import io.tidemill.trainer.round.TrainerOptions;
import io.tidemill.trainer.round.Turns;
import io.tidemill.trainer.slice.SliceLimits;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.PreferenceSettings;
import io.tidemill.trainer.stage.RatingSettings;
import io.tidemill.trainer.stage.SequenceSettings;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.ConfigProvider;

/** Makes the trainers of the configured models, starts them with the process and stops them before. */
@ApplicationScoped
public class TrainerWiring {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.95;
    private static final double EPSILON = 1e-8;
    /** What keeps a model of some million parameters both moving and sane: docs/experiments.md. */
    private static final Map<String, String> SMALL_MODEL_KTO = Map.of("beta", "0.3", "desirable-weight", "1.33");

    private static final Map<String, String> SMALL_MODEL_DPO = Map.of("beta", "0.3", "supervised-weight", "1");

    private static final Duration METERS_PACE = Duration.ofSeconds(2);

    private final ScheduledExecutorService refreshing = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "trainer-meters");
        thread.setDaemon(true);
        return thread;
    });

    @Produces
    @Singleton
    Trainers trainers(TrainerConfig config) {
        Turns turns = new Turns();
        return new Trainers(ModelSettings.of(config, ConfigProvider.getConfig()).stream()
                .map(of -> new Trainer(
                        options(of),
                        new TrainerClients(Map.of("bootstrap.servers", of.bootstrapServers())),
                        Clock.systemUTC(),
                        System::nanoTime,
                        turns))
                .toList());
    }

    /** The one that is meant where no model is named. */
    @Produces
    @Singleton
    Trainer trainer(Trainers trainers) {
        return trainers.first();
    }

    void start(@Observes StartupEvent event, Trainers trainers, MeterRegistry meters) {
        trainers.all().forEach(trainer -> start(trainer, meters));
    }

    private void start(Trainer trainer, MeterRegistry meters) {
        gauge(meters, trainer, "trainer_round", RoundEvent::getRound);
        gauge(meters, trainer, "trainer_step", RoundEvent::getStep);
        gauge(meters, trainer, "trainer_loss_nats", RoundEvent::getLoss);
        gauge(meters, trainer, "trainer_tokens_per_second", RoundEvent::getTokensPerSecond);
        gauge(meters, trainer, "trainer_waiting_records", round -> round.getWaitingMap().values().stream()
                .mapToLong(Long::longValue)
                .sum());
        TrainerMeters versions = new TrainerMeters(meters, trainer.model());
        var unusedBecauseItEndsWithTheProcess = refreshing.scheduleWithFixedDelay(
                () -> versions.refresh(trainer.status()),
                METERS_PACE.toMillis(),
                METERS_PACE.toMillis(),
                TimeUnit.MILLISECONDS);
        trainer.start();
    }

    private static void gauge(MeterRegistry meters, Trainer trainer, String name, ToDoubleFunction<RoundEvent> value) {
        meters.gauge(
                name,
                Tags.of("model", trainer.model()),
                trainer,
                it -> value.applyAsDouble(it.status().round()));
    }

    void stop(@Observes ShutdownEvent event, Trainers trainers) {
        refreshing.shutdownNow();
        trainers.all().forEach(Trainer::close);
    }

    /** The configuration as the core takes it. */
    public static TrainerOptions options(TrainerConfig config) {
        return new TrainerOptions(
                config.model(),
                config.topicPrefix(),
                config.replicationFactor(),
                Path.of(config.data()),
                config.baseModel().filter(directory -> !directory.isBlank()).map(Path::of),
                filesUrl(config.publicUrl()),
                round(config),
                new RoundTrigger(
                        config.round().minimumPreferences(),
                        config.round().minimumSequences(),
                        config.round().maximumWait(),
                        config.round().interval(),
                        config.round()
                                .eventWindow()
                                .map(window -> new RoundTrigger.EventWindows(
                                        window, config.round().eventGrace())),
                        config.round()
                                .quietHours()
                                .filter(hours -> !hours.isBlank())
                                .map(QuietHours::parse)),
                new SliceLimits(config.round().maximumExamples(), config.round().maximumTokens()),
                config.store().keep(),
                config.store().keepFor(),
                signers(config.store()),
                config.store().deltas(),
                config.round().waitingCapacity(),
                config.round().patience(),
                config.round().retry(),
                memory(config),
                config.seed(),
                promotion(config.promotion()),
                gateThreads(config));
    }

    /** The manifest's signature first: that of the model covers it. */
    private static List<VersionSigner> signers(TrainerConfig.Store store) {
        return Stream.of(
                        file(store.signingKey()).map(SigningKey::read),
                        file(store.modelSigningKey()).map(ModelSigningKey::read))
                .<VersionSigner>flatMap(Optional::stream)
                .toList();
    }

    private static Optional<Path> file(Optional<String> setting) {
        return setting.filter(file -> !file.isBlank()).map(Path::of);
    }

    /** Who says how many threads may train has said it of the gate too. */
    private static int gateThreads(TrainerConfig config) {
        int given = config.threads().orElse(Runtime.getRuntime().availableProcessors());
        return config.gate().threads().orElse(given);
    }

    private static PromotionSettings promotion(TrainerConfig.Promotion config) {
        return new PromotionSettings(
                config.policy(),
                config.patience(),
                new PromotionSettings.Canary(
                        config.canaryShare(),
                        config.canaryAlpha(),
                        config.canaryMargin(),
                        config.canaryRequires(),
                        config.canaryMinimumRatings(),
                        config.canaryPatience(),
                        config.canaryUndecided()));
    }

    private static HostMemory memory(TrainerConfig config) {
        if (config.memoryMegabytes().isPresent()) {
            return HostMemory.of(config.memoryMegabytes().getAsLong() << 20, "trainer.memory-megabytes");
        }
        HostMemory host = HostMemory.ofLinux(Path.of("/"));
        return () -> NativeMemory.isOfHost() ? host.available() : Optional.empty();
    }

    private static Function<VersionId, String> filesUrl(String publicUrl) {
        String base = publicUrl.replaceAll("/+$", "");
        return version -> base + "/v1/checkpoints/" + version + "/files/";
    }

    private static RoundSettings round(TrainerConfig config) {
        TrainerConfig.Pretrain pretrain = config.pretrain();
        TrainerConfig.Sft sft = config.sft();
        TrainerConfig.Preference preference = config.preference();
        TrainerConfig.Rating rating = config.rating();
        TrainerConfig.RewardModel rewardModel = config.rewardModel();
        TrainerConfig.Gate gate = config.gate();
        return new RoundSettings(
                new SequenceSettings(
                        optimizer(
                                pretrain.learningRate(),
                                pretrain.warmupShare(),
                                pretrain.decay(),
                                pretrain.maximumGradientNorm(),
                                pretrain.weightDecay()),
                        pretrain.rows(),
                        pretrain.length(),
                        pretrain.microBatches(),
                        pretrain.epochs()),
                new SequenceSettings(
                        optimizer(
                                sft.learningRate(),
                                sft.warmupShare(),
                                sft.decay(),
                                sft.maximumGradientNorm(),
                                sft.weightDecay()),
                        sft.rows(),
                        sft.length(),
                        sft.microBatches(),
                        sft.epochs()),
                new PreferenceSettings(
                        optimizer(
                                preference.learningRate(),
                                preference.warmupShare(),
                                preference.decay(),
                                preference.maximumGradientNorm(),
                                preference.weightDecay()),
                        preference.objective(),
                        parameters(preference),
                        preference.pairs(),
                        preference.epochs()),
                new RatingSettings(
                        optimizer(
                                rating.learningRate(),
                                rating.warmupShare(),
                                rating.decay(),
                                rating.maximumGradientNorm(),
                                rating.weightDecay()),
                        rating.objective(),
                        parameters(rating),
                        rating.answers(),
                        rating.epochs()),
                new RewardModelSettings(
                        optimizer(
                                rewardModel.learningRate(),
                                rewardModel.warmupShare(),
                                rewardModel.decay(),
                                rewardModel.maximumGradientNorm(),
                                rewardModel.weightDecay()),
                        rewardModel.enabled(),
                        rewardModel.parameters(),
                        rewardModel.pairs(),
                        rewardModel.epochs()),
                rollout(config),
                new RoundSettings.GateSettings(
                        gate.heldOutMargin(),
                        gate.oldDataMargin(),
                        gate.preferenceMargin(),
                        gate.labelMargin(),
                        gate.labelLossMargin(),
                        gate.pinned().orElse(""),
                        gate.pinnedMargins(),
                        gate.minimumWindows(),
                        gate.minimumPairs(),
                        gate.minimumTexts(),
                        gate.maximumSequences(),
                        gate.maximumOldData(),
                        gate.maximumPairs(),
                        gate.oldData().orElse(""),
                        gate.resamples(),
                        gate.alpha(),
                        policy(gate),
                        gate.preferenceGapMargin(),
                        gate.window().orElse(0)),
                config.threads().orElse(Math.max(1, Runtime.getRuntime().availableProcessors() - 1)),
                config.compute().orElse(ComputeType.best()),
                config.publishedWeights(),
                config.round().saveEvery(),
                config.round().loggedReferences(),
                new AdapterSettings(
                        config.adapter().rank(),
                        config.adapter().alpha(),
                        config.adapter().rankStabilized(),
                        config.adapter().targetModules().orElse(List.of())),
                encoder(config),
                mixture(config));
    }

    private static MixtureSettings mixture(TrainerConfig config) {
        Map<String, SourceShare> sources = new TreeMap<>();
        config.sources().forEach((name, source) -> sources.put(name, new SourceShare(source.weight(), source.share())));
        return new MixtureSettings(
                config.stages().orElse(List.of()),
                sources,
                new FeedbackAge(
                        config.feedback().maximumAge().orElse(Long.MAX_VALUE),
                        config.feedback().decay()),
                new MixtureSettings.Replay(
                        config.replay().share(), config.replay().slices()),
                new MixtureSettings.Anchor(config.anchor().l2(), config.anchor().kl()));
    }

    /** Files of the operator are read now too, so that a mistake in them is told at the start. */
    private static GatePolicy policy(GatePolicyConfig gate) {
        GatePolicy policy = new GatePolicy(
                gate.probes().orElse(List.of()),
                gate.safetyProbes().orElse(List.of()),
                gate.labelProbes().orElse(""),
                gate.probeMargin(),
                gate.minimumProbes(),
                gate.probeTokens(),
                new GatePolicy.Drift(
                        gate.driftPrompts().orElse(""),
                        gate.driftSample(),
                        gate.driftTokens(),
                        gate.minimumDrift(),
                        gate.lengthMargin(),
                        gate.repetitionMargin(),
                        gate.agreementMargin()),
                gate.required().orElse(List.of()),
                gate.superior().orElse(List.of()),
                gate.requireOperatorSuite());
        OperatorSuites.read(policy);
        return policy;
    }

    private static EncoderRoundSettings encoder(TrainerConfig config) {
        TrainerConfig.MaskedLm masked = config.maskedLm();
        TrainerConfig.Classification labels = config.classification();
        return new EncoderRoundSettings(
                new EncoderRoundSettings.MaskedLanguage(
                        new EncoderSettings(
                                ofEncoder(
                                        masked.learningRate(),
                                        masked.warmupShare(),
                                        masked.decay(),
                                        masked.maximumGradientNorm(),
                                        masked.weightDecay()),
                                masked.texts(),
                                masked.rows(),
                                masked.epochs()),
                        masked.length(),
                        masked.probability(),
                        masked.wholeWords()),
                new EncoderRoundSettings.Classification(
                        new EncoderSettings(
                                ofEncoder(
                                        labels.learningRate(),
                                        labels.warmupShare(),
                                        labels.decay(),
                                        labels.maximumGradientNorm(),
                                        labels.weightDecay()),
                                labels.texts(),
                                labels.rows(),
                                labels.epochs()),
                        labels.length(),
                        labels.labels().orElse(List.of()),
                        labels.problemType().orElse(""),
                        labels.classWeights().orElse(List.of())));
    }

    /** As BERT was trained, and as transformers has it. */
    private static OptimizerSettings ofEncoder(
            double learningRate, double warmupShare, Curve decay, double maximumGradientNorm, double weightDecay) {
        return new OptimizerSettings(
                learningRate, warmupShare, decay, maximumGradientNorm, BETA1, 0.999, EPSILON, weightDecay);
    }

    private static RolloutStageSettings rollout(TrainerConfig config) {
        TrainerConfig.Rollout rollout = config.rollout();
        RewardGuard usual = RewardGuard.USUAL;
        return new RolloutStageSettings(
                optimizer(
                        rollout.learningRate(),
                        rollout.warmupShare(),
                        rollout.decay(),
                        rollout.maximumGradientNorm(),
                        rollout.weightDecay()),
                rollout.algorithm(),
                rollout.parameters(),
                named(config.rewards()),
                named(config.heldOutRewards()),
                rollout.prompts(),
                rollout.answers(),
                rollout.miniBatches(),
                rollout.passes(),
                rollout.refills(),
                rollout.dropEqual(),
                rollout.epochs(),
                rollout.maxTokens(),
                rollout.atOnce(),
                new RewardGuard(
                        rollout.guard(),
                        usual.window(),
                        rollout.guardKl(),
                        usual.lengthFactor(),
                        usual.repeatedRise(),
                        usual.repetitionRise(),
                        usual.deviations()));
    }

    /** In the order of their names, which they bear in figures. */
    private static List<Map<String, String>> named(Map<String, Map<String, String>> rewards) {
        List<Map<String, String>> named = new ArrayList<>();
        new TreeMap<>(rewards).forEach((name, parameters) -> {
            Map<String, String> whole = new HashMap<>(parameters);
            if (!"total".equals(parameters.get("kind"))) {
                whole.putIfAbsent("name", name);
            }
            named.add(whole);
        });
        return named;
    }

    private static OptimizerSettings optimizer(
            double learningRate, double warmupShare, Curve decay, double maximumGradientNorm, double weightDecay) {
        return new OptimizerSettings(
                learningRate, warmupShare, decay, maximumGradientNorm, BETA1, BETA2, EPSILON, weightDecay);
    }

    private static Map<String, String> parameters(TrainerConfig.Rating rating) {
        boolean untouched =
                rating.objective().equals("kto") && rating.parameters().isEmpty();
        return untouched ? SMALL_MODEL_KTO : rating.parameters();
    }

    private static Map<String, String> parameters(TrainerConfig.Preference preference) {
        boolean untouched =
                preference.objective().equals("dpo") && preference.parameters().isEmpty();
        return untouched ? SMALL_MODEL_DPO : preference.parameters();
    }
}
