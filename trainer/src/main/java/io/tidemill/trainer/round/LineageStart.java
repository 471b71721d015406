package io.tidemill.trainer.round;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderConfig.Head;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.WeightType;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.encoder.ClassWeights;
import io.tidemill.trainer.promotion.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a lineage begins with: the first version made of a base model, and whether base and settings suit each other. */
final class LineageStart {
    private static final Logger LOG = LoggerFactory.getLogger(LineageStart.class);

    /** What a manifest calls the base model of the jar. */
    private static final String EMBEDDED = "embedded";

    private static final long RANDOM_BASE_SEED = 1;

    private final TrainerOptions options;
    private boolean settingsFit;

    LineageStart(TrainerOptions options) {
        this.options = options;
    }

    /** Can a model of this shape be trained as the settings say, in the memory there is? Asked once, before all else is taken. */
    void checkSettings(Path model, String name) throws IOException {
        if (settingsFit) {
            return;
        }
        ModelShape shape = ModelShape.read(model);
        checkLabels(shape, name);
        if (shape.encoder().isPresent() && options.promotion().policy() == Policy.CANARY) {
            throw new BaseModelException(
                    "trainer.promotion.policy is canary, but " + name
                            + " is an encoder, and of what encoders say nothing"
                            + " is kept that people could rate. Take at-once or by-hand.",
                    null);
        }
        try {
            GateCheck.check(model, options.round().gate());
        } catch (IllegalArgumentException e) {
            throw new BaseModelException(name + " cannot be judged as the settings say. " + e.getMessage(), e);
        }
        if (shape.encoder().isPresent() && options.round().mixture().anchor().kl() > 0) {
            throw new BaseModelException(
                    "trainer.anchor.kl holds what a decoder says next, but " + name
                            + " is an encoder. Set trainer.anchor.l2 instead.",
                    null);
        }
        options.round().adapter().lora().ifPresent(adapter -> {
            try {
                shape.requireFits(adapter);
            } catch (IllegalArgumentException e) {
                throw new BaseModelException(
                        "trainer.adapter.target-modules does not suit " + name + ": " + e.getMessage(), e);
            }
        });
        Optional<String> refusal = options.memory().available().flatMap(available -> MemoryNeed.of(
                        shape.parameters(), options.round())
                .refusal(name, available));
        if (refusal.isPresent()) {
            throw new NoMemoryException(refusal.get(), null);
        }
        settingsFit = true;
    }

    /** Does the model tell apart what the settings say? */
    private void checkLabels(ModelShape shape, String name) {
        EncoderRoundSettings.Classification asked = options.round().encoder().classification();
        if (shape.encoder().isEmpty()) {
            if (!asked.labels().isEmpty()) {
                throw new BaseModelException(
                        "trainer.classification.labels is " + asked.labels() + ", but " + name
                                + " is a decoder. Start from an encoder (./tidemill import bert, then --model), or leave"
                                + " the labels out.",
                        null);
            }
            return;
        }
        EncoderConfig config = shape.encoder().get();
        if (config.head() == Head.NONE || config.head() == Head.BARE) {
            throw new BaseModelException(
                    name
                            + " is an encoder without a head, so no round can train it. Set trainer.classification.labels to"
                            + " make a classifier of it, or start from a BertForMaskedLM.",
                    null);
        }
        if (!asked.of(config).equals(config)) {
            throw new BaseModelException(
                    name + " tells apart " + config.labels() + " as " + config.problem()
                            + ", but trainer.classification has " + asked.labels() + " " + asked.problemType()
                            + ". Leave them out to go on with it, or give the new lineage a name of its own"
                            + " (--model-name, tidemill.model).",
                    null);
        }
        try {
            if (config.head() == Head.LABELS) {
                ClassWeights.check(asked.weights(), config.labels(), config.problem());
            }
        } catch (IllegalArgumentException e) {
            throw new BaseModelException("trainer.classification.class-weights " + e.getMessage() + ".", e);
        }
    }
    /** A directory that was asked for and is not used would be missed by nobody until the answers are looked at. */
    void checkBase(String began) {
        String asked = options.baseModel().map(Path::toString).orElse(began);
        if (!asked.equals(began)) {
            throw new BaseModelException(
                    options.model() + " began with " + (began.equals(EMBEDDED) ? "the embedded base" : began)
                            + " and not with " + asked
                            + ". Leave the directory out (--model, trainer.base-model) to go on"
                            + " with it, or give the new lineage a name of its own (--model-name, tidemill.model).",
                    null);
        }
    }
    /** Makes the first version, in the store; it is still to be announced. */
    CheckpointEvent importBase(VersionWriter versions) throws IOException {
        VersionId version = new VersionId(options.model(), 0);
        String base = options.baseModel().map(Path::toString).orElse(EMBEDDED);
        Path extracted = options.rounds().resolve("base");
        Durable.deleteTree(extracted);
        try {
            Path from = options.baseModel().orElse(extracted);
            if (options.baseModel().isEmpty()) {
                extractBase(extracted);
            } else if (wantsOtherLabels(from)) {
                from = writeClassifier(from, extracted);
            }
            checkSettings(from, base.equals(EMBEDDED) ? "The embedded base" : "The base model " + base);
            LOG.info(
                    "{} starts a new lineage from {}",
                    version,
                    options.baseModel().map(Path::toString).orElse("the embedded base"));
            return versions.importBase(from, version, base);
        } catch (IllegalArgumentException e) {
            throw new BaseModelException("The base model " + base + " cannot be used: " + e.getMessage(), e);
        } finally {
            Durable.deleteTree(extracted);
        }
    }

    private boolean wantsOtherLabels(Path base) throws IOException {
        return ModelShape.read(base)
                .encoder()
                .filter(config ->
                        !options.round().encoder().classification().of(config).equals(config))
                .isPresent();
    }

    /** The body of the base under a fresh head for the labels of the settings. */
    private Path writeClassifier(Path base, Path directory) throws IOException {
        Files.createDirectories(directory);
        VersionFiles.copyCompanions(base, directory);
        try (EncoderModel body = EncoderModel.load(base, ComputeType.FLOAT32)) {
            EncoderConfig wanted = options.round().encoder().classification().of(body.config());
            try (EncoderModel classifier = body.withLabels(wanted.labels(), wanted.problem(), options.seed())) {
                classifier.save(directory, WeightType.FLOAT32);
            }
        }
        return directory;
    }

    /** A build without base weights starts from random ones, so that the loop can be tried at all. */
    private static void extractBase(Path directory) throws IOException {
        if (BaseModel.isTrained()) {
            BaseModel.extractTo(directory);
            return;
        }
        LOG.warn("This build has no base weights; the lineage starts from random ones");
        BaseModel.extractRecipeTo(directory);
        ModelConfig config = ModelConfig.read(directory.resolve("config.json"));
        try (LanguageModel random = LanguageModel.random(config, RANDOM_BASE_SEED, ComputeType.FLOAT32)) {
            random.save(directory, WeightType.FLOAT32);
        }
    }
}
