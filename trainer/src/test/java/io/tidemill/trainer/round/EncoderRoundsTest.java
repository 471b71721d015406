package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderAdapter;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderConfig.Head;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.checkpoint.Probe;
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.encoder.EncoderText;
import io.tidemill.trainer.offline.TinyEncoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole rounds of a tiny encoder on a real broker. */
class EncoderRoundsTest extends TrainerRig {
    private static final List<String> LABELS = List.of("mill", "tide");

    private static Path base; // with the head for masked words
    private static Tokenizer tokenizer;

    @BeforeAll
    static void writeBase() throws IOException {
        base = TinyEncoder.write(shared.resolve("encoder"));
        tokenizer = Tokenizer.load(base);
    }

    @AfterAll
    static void closeTokenizer() {
        tokenizer.close();
    }

    private static RoundSettings masking(AdapterSettings adapter) {
        return of(settings(0.01, adapter), List.of(), List.of(), WeightType.FLOAT32, "");
    }

    private static RoundSettings classifying(AdapterSettings adapter) {
        return of(settings(0.01, adapter), LABELS, List.of(), WeightType.FLOAT32, "");
    }

    private static RoundSettings weighing(String... weights) {
        return of(settings(0.01), LABELS, List.of(weights), WeightType.FLOAT32, "");
    }

    private static RoundSettings of(
            RoundSettings usual, List<String> labels, List<String> weights, WeightType published, String oldData) {
        EncoderRoundSettings.MaskedLanguage masked = usual.encoder().maskedLanguage();
        return new RoundSettings(
                usual.pretrain(),
                usual.sft(),
                usual.preference(),
                usual.rating(),
                usual.rewardModel(),
                usual.rollout(),
                gate(oldData),
                usual.threads(),
                usual.compute(),
                published,
                usual.saveEvery(),
                usual.loggedReferences(),
                usual.adapter(),
                new EncoderRoundSettings(
                        masked, new EncoderRoundSettings.Classification(masked.training(), 24, labels, "", weights)),
                usual.mixture());
    }

    private Trainer start(TestLog log, Path directory, RoundSettings settings, LongSupplier nanoClock) {
        return start(options(log, directory, settings, base), nanoClock);
    }

    private static SuiteResult suite(CheckpointEvent event, String name) {
        return event.getVerdict().getSuitesList().stream()
                .filter(suite -> suite.getSuite().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void documentsAreLearnedByMaskingAndWhatIsPublishedIsAnEncoder() throws Exception {
        TestLog log = log(base);
        start(log, data, masking(AdapterSettings.OFF), System::nanoTime);
        log.sentences(0, 100, tokenizer);
        log.labelled(0, 10, tokenizer);
        log.startRound(MODEL);

        CheckpointEvent event = awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(event.getLineage().getExamplesMap())
                .containsEntry(Stages.MASKED_LM, 80L)
                .containsEntry(Stages.HELD_OUT, 20L)
                .containsEntry(Stages.WITHOUT_OBJECTIVE, 10L);
        assertThat(event.getMetricsMap())
                .containsKeys("masked-lm_loss", "held_out_loss_before", "held_out_loss_after")
                .containsEntry("masked-lm_steps", 40.0);
        SuiteResult loss = suite(event, "held-out-loss");
        assertThat(loss.getUnit()).isEqualTo("nats per masked token");
        assertThat(loss.getAfter()).isLessThan(loss.getBefore());

        FileDigests.verify(directory(data, 1), event.getFilesList());
        EncoderConfig config = EncoderConfig.read(directory(data, 1).resolve("config.json"));
        assertThat(config.head()).isEqualTo(Head.MASKED);
        assertThat(event.getParameters()).isEqualTo(config.parameterCount());
        assertThat(directory(data, 1).resolve("README.md"))
                .content()
                .contains("pipeline_tag: fill-mask")
                .contains("AutoModelForMaskedLM");
        try (EncoderModel model = EncoderModel.load(directory(data, 1), ComputeType.FLOAT32)) {
            assertThat(Probe.of(directory(data, 1), tokenizer).distance(model)).isZero();
        }
    }

    @Test
    void aBaseWithoutLabelsBecomesAClassifierOfThoseThatAreSetAndLearnsFromLabelledTexts() throws Exception {
        TestLog log = log(base);
        log.labelled(0, 100, tokenizer);
        log.sequence(log.encoded("longer than an input, and still one text", 0, "the tide ".repeat(20), tokenizer)
                .setObjective(TokenSequence.Objective.LABELS)
                .addLabels("tide")
                .build());
        log.sentences(0, 10, tokenizer);
        log.sequence(log.encoded("of the sea", 1, "the sea", tokenizer)
                .setObjective(TokenSequence.Objective.LABELS)
                .addLabels("sea")
                .build());
        log.sequence(log.encoded("scored", 1, "the tide", tokenizer)
                .setObjective(TokenSequence.Objective.LABELS)
                .setScore(0.5)
                .build());
        log.startRound(MODEL);
        start(log, data, classifying(AdapterSettings.OFF), System::nanoTime);

        CheckpointEvent event = awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(event.getLineage().getExamplesMap())
                .containsEntry(Stages.CLASSIFICATION, 80L)
                .containsEntry(Stages.HELD_OUT, 21L)
                .containsEntry(Stages.OTHER_LABELS, 2L)
                .containsEntry(Stages.WITHOUT_OBJECTIVE, 10L);
        SuiteResult accuracy = suite(event, "label-accuracy");
        assertThat(accuracy.getExamples()).isEqualTo(21);
        assertThat(accuracy.getAfter()).isEqualTo(1);
        assertThat(suite(event, "held-out-loss").getUnit()).isEqualTo("nats per text");
        for (int round = 0; round < 2; round++) {
            EncoderConfig config = EncoderConfig.read(directory(data, round).resolve("config.json"));
            assertThat(config.labels()).isEqualTo(LABELS);
        }
        assertThat(directory(data, 1).resolve("README.md"))
                .content()
                .contains("pipeline_tag: text-classification")
                .contains("AutoModelForSequenceClassification");
        try (EncoderModel model = EncoderModel.load(directory(data, 1), ComputeType.FLOAT32)) {
            float[] logits = model.labelLogits(
                            List.of(new EncoderText(tokenizer, 24).input("the mill does not stop after a")))[0];
            assertThat(logits[0]).isGreaterThan(logits[1]);
        }
        assertThat(ledger(data, 1))
                .contains(new LedgerEntry("of the sea", Stages.OTHER_LABELS))
                .contains(new LedgerEntry("scored", Stages.OTHER_LABELS));
    }

    @ParameterizedTest
    @CsvSource({"masked-lm, 0", "masked-lm, 2", "classification, 0", "classification, 2"})
    void aRoundThatWasInterruptedEndsWithTheSameWeights(String stage, int rank) throws Exception {
        AdapterSettings adapter = rank == 0 ? AdapterSettings.OFF : new AdapterSettings(rank, 16, false, List.of());
        RoundSettings settings = stage.equals(Stages.MASKED_LM) ? masking(adapter) : classifying(adapter);
        TestLog straightLog = log(base);
        Path straight = data.resolve("straight");
        TestLog brokenLog = log(base);
        Path broken = data.resolve("broken");
        for (TestLog log : List.of(straightLog, brokenLog)) {
            log.sentences(0, 40, tokenizer);
            log.labelled(0, 40, tokenizer);
            log.startRound(MODEL);
        }
        start(straightLog, straight, settings, System::nanoTime);
        start(brokenLog, broken, settings, failingAtStepCall(1, 7, 20));

        CheckpointEvent event = awaitVersion(straightLog, 1, VersionState.PROMOTED);
        awaitVersion(brokenLog, 1, VersionState.PROMOTED);
        assertThat(event.getLineage().getExamplesMap()).containsEntry(stage, 32L);
        assertThat(digest(broken, 1)).isEqualTo(digest(straight, 1)).isNotEqualTo(digest(straight, 0));
        assertThat(adapterDigest(broken)).isEqualTo(adapterDigest(straight));
        assertThat(Files.exists(directory(straight, 1).resolve(VersionFiles.ADAPTER)))
                .isEqualTo(rank > 0);
    }

    private static String adapterDigest(Path data) {
        Path version = directory(data, 1);
        if (!Files.exists(version.resolve(VersionFiles.ADAPTER))) {
            return "none";
        }
        try (EncoderAdapter adapter = EncoderAdapter.load(
                version.resolve(VersionFiles.ADAPTER), EncoderConfig.read(version.resolve("config.json")))) {
            return adapter.digest();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static RoundSettings published(double learningRate) {
        return of(settings(learningRate), LABELS, List.of(), WeightType.BFLOAT16, "");
    }

    @Test
    void weightsPublishedInBfloat16AreLearnedFromInFloat32AndJudgedAgainstTheFirstVersionToo() throws Exception {
        TestLog log = log(base);
        Trainer first = start(log, data, published(0.01), System::nanoTime);
        log.labelled(100, 160, tokenizer);
        log.startRound(MODEL);
        awaitVersion(log, 1, VersionState.PROMOTED);
        first.close();

        start(log, data, published(1e-12), System::nanoTime); // what moves nothing ends with what it began with
        log.labelled(200, 260, tokenizer);
        log.startRound(MODEL);
        CheckpointEvent event = awaitVersion(log, 2, VersionState.PROMOTED);
        assertThat(event.getVerdict().getSuitesList())
                .extracting(SuiteResult::getSuite, SuiteResult::getAgainst)
                .contains(tuple("label-accuracy", "tiny-000000"), tuple("held-out-loss", "tiny-000000"));
        assertThat(suite(event, "label-accuracy").getExamples()).isEqualTo(24); // of both rounds
        Path learntFirst = directory(data, 1).resolve(CheckpointStore.STATE).resolve("masters");
        Path learntThen = directory(data, 2).resolve(CheckpointStore.STATE).resolve("masters");
        assertThat(embeddings(learntThen)).containsExactly(embeddings(learntFirst), within(1e-9f));
        assertThat(embeddings(learntThen)).isNotEqualTo(embeddings(directory(data, 2)));
    }

    private static float[] embeddings(Path directory) {
        try (EncoderModel model = EncoderModel.load(directory, ComputeType.FLOAT32)) {
            return model.weights("bert.embeddings.word_embeddings.weight");
        }
    }

    @Test
    void weightsOfClassesChangeWhatIsLearned() throws Exception {
        List<String> digests = new ArrayList<>();
        for (RoundSettings settings : List.of(weighing(), weighing("1", "1.5"), weighing("balanced"))) {
            TestLog log = log(base);
            log.labelled(0, 39, tokenizer); // of 31 to learn from one more is about the mill
            log.startRound(MODEL);
            Path directory = data.resolve("store of " + digests.size());
            start(log, directory, settings, System::nanoTime);
            awaitVersion(log, 1, VersionState.PROMOTED);
            digests.add(digest(directory, 1));
        }
        assertThat(digests).doesNotHaveDuplicates();
    }

    @Test
    void oldTextOfTheOperatorIsJudgedByMaskedWordsToo() throws Exception {
        Path old = data.resolve("old.jsonl");
        Files.writeString(old, "{\"text\": \"the happy tide does not stop after another word\"}\n".repeat(6));
        TestLog log = log(base);
        log.sentences(0, 60, tokenizer);
        log.startRound(MODEL);
        start(
                log,
                data,
                of(settings(0.01), List.of(), List.of(), WeightType.FLOAT32, old.toString()),
                System::nanoTime);
        CheckpointEvent event = awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(suite(event, "old-data-loss").getUnit()).isEqualTo("nats per masked token");
        assertThat(suite(event, "old-data-loss").getExamples()).isBetween(1L, 6L);
    }

    @Test
    void aCandidateThatGotWorseIsRefused() throws Exception {
        TestLog log = log(base);
        start(log, data, classifying(AdapterSettings.OFF), System::nanoTime);
        log.labelled(0, 100, tokenizer);
        log.startRound(MODEL);
        awaitVersion(log, 1, VersionState.PROMOTED);

        for (int i = 0; i < 80; i++) { // all of them wrong, and none of them held out
            String text = i % 2 == 0 ? "the tide does not stop after " : "the mill does not stop after ";
            log.sequence(log.encoded("wrong-" + i, 1, text + (char) ('a' + i % 26), tokenizer)
                    .setSplit(Split.TRAIN)
                    .setObjective(TokenSequence.Objective.LABELS)
                    .addLabels(LABELS.get(i % 2))
                    .build());
        }
        log.startRound(MODEL);
        CheckpointEvent refused = awaitVersion(log, 2, VersionState.REFUSED);
        assertThat(suite(refused, "label-accuracy").getPassed()).isFalse();
        assertThat(directory(data, 2).resolve("README.md")).content().contains("pipeline_tag: text-classification");
    }

    @ParameterizedTest
    @ValueSource(strings = {Stages.MASKED_LM, Stages.CLASSIFICATION})
    void aRoundWithoutMemoryBeginsAgainWithFewerTexts(String stage) throws Exception {
        TestLog log = log(base);
        log.sentences(0, 20, tokenizer);
        log.labelled(0, 20, tokenizer);
        log.startRound(MODEL);
        List<String> refused = Collections.synchronizedList(new ArrayList<>());
        RoundSettings settings =
                stage.equals(Stages.MASKED_LM) ? masking(AdapterSettings.OFF) : classifying(AdapterSettings.OFF);
        start(options(log, data, settings, base), System::nanoTime, memoryForTexts(1, refused));
        awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(refused).last().isEqualTo("2 texts");
        assertThat(Manifest.read(directory(data, 1)).origin().get("micro_batch").get("rows"))
                .hasToString("1");
    }

    @Test
    void aRoundThatDoesNotFitTextByTextSaysWhatToSet() {
        TestLog log = log(base);
        log.sentences(0, 20, tokenizer);
        log.startRound(MODEL);
        List<String> refused = Collections.synchronizedList(new ArrayList<>());
        Trainer trainer = start(
                options(log, data, masking(AdapterSettings.OFF), base), System::nanoTime, memoryForTexts(0, refused));
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(trainer.status().stopped()).isTrue();
            assertThat(trainer.status().failure().orElseThrow())
                    .contains("It was down to a text of ")
                    .doesNotContain("recomputed")
                    .contains("trainer.masked-lm.length");
        });
        assertThat(refused).last().isEqualTo("1 texts");
    }

    private static Arithmetic memoryForTexts(int most, List<String> refused) {
        return new Arithmetic(
                Arithmetic.OF_ENGINE.learner(),
                Arithmetic.OF_ENGINE.scorer(),
                Arithmetic.OF_ENGINE.answers(),
                learner -> (EncoderLearner) Proxy.newProxyInstance(
                        EncoderLearner.class.getClassLoader(),
                        new Class<?>[] {EncoderLearner.class},
                        (proxy, method, arguments) -> {
                            if (method.getName().startsWith("accumulate") && ((List<?>) arguments[0]).size() > most) {
                                throw refusing(refused, ((List<?>) arguments[0]).size() + " texts");
                            }
                            try {
                                return method.invoke(learner, arguments);
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        }),
                Arithmetic.OF_ENGINE.encoderScoring());
    }

    // ---- what cannot be
    // -----------------------------------------------------------------------------------------------

    private void assertStops(TestLog log, Path directory, RoundSettings settings, Path from, String... parts) {
        Trainer trainer = start(options(log, directory, settings, from), System::nanoTime);
        await().atMost(LONG).untilAsserted(() -> {
            assertThat(trainer.status().stopped()).isTrue();
            assertThat(trainer.status().failure().orElseThrow()).contains(parts);
        });
        trainer.close();
    }

    @Test
    void labelsForADecoderAreRefusedWithTheWayOut() {
        Path decoder = TinyBase.write(shared.resolve("decoder"));
        assertStops(
                log(decoder),
                data,
                classifying(AdapterSettings.OFF),
                decoder,
                "trainer.classification.labels is [mill, tide]",
                "is a decoder",
                "./tidemill import bert");
    }

    @Test
    void anEncoderWithoutAHeadIsRefusedUnlessLabelsAreSet() throws Exception {
        Path bare = data.resolve("bare");
        Files.createDirectories(bare);
        VersionFiles.copyCompanions(base, bare);
        EncoderConfig shape = EncoderConfig.read(base.resolve("config.json"));
        EncoderConfig headless = new EncoderConfig(
                shape.vocabularySize(),
                shape.hiddenSize(),
                shape.intermediateSize(),
                shape.layers(),
                shape.heads(),
                shape.maxPositions(),
                shape.tokenTypes(),
                shape.layerNormEpsilon(),
                shape.initializerRange(),
                shape.padTokenId(),
                Head.NONE,
                List.of());
        try (EncoderModel model = EncoderModel.random(headless, 1, ComputeType.FLOAT32)) {
            model.save(bare, WeightType.FLOAT32);
        }
        assertStops(
                log(base),
                data.resolve("a"),
                masking(AdapterSettings.OFF),
                bare,
                "encoder without a head",
                "trainer.classification.labels");

        TestLog log = log(base);
        start(options(log, data.resolve("b"), classifying(AdapterSettings.OFF), bare), System::nanoTime);
        awaitVersion(log, 0, VersionState.PROMOTED);
    }

    @Test
    void weightsThatAreNotOneALabelAreRefused() {
        assertStops(
                log(base),
                data,
                weighing("1", "2", "3"),
                base,
                "trainer.classification.class-weights must be 'balanced' or one number, 0 or more, for each of [mill, tide]",
                "but were [1, 2, 3]");
    }

    @Test
    void anAdapterOnLayersThatAnEncoderDoesNotHaveIsRefused() {
        assertStops(
                log(base),
                data,
                masking(new AdapterSettings(2, 16, false, List.of("q_proj"))),
                base,
                "trainer.adapter.target-modules does not suit",
                "q_proj");
    }

    @Test
    void otherLabelsThanThoseOfALineageAreRefusedWithBoth() {
        TestLog log = log(base);
        Trainer first = start(log, data, classifying(AdapterSettings.OFF), System::nanoTime);
        awaitVersion(log, 0, VersionState.PROMOTED);
        first.close();
        assertStops(
                log,
                data,
                of(settings(0.01), List.of("ham", "spam"), List.of(), WeightType.FLOAT32, ""),
                base,
                "tells apart [mill, tide]",
                "[ham, spam]",
                "--model-name");
    }
}
