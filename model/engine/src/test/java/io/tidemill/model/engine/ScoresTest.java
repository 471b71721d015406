package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Heads of scores: against transformers and PEFT, from what {@code bench/peers/make_score_fixtures.py} wrote; and critics. */
class ScoresTest {
    private static final Offset<Double> CLOSE = within(1e-5);
    private static final AdamWSettings SETTINGS = AdamWSettings.defaults();

    @TempDir
    Path directory;

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    // ---- against transformers and PEFT ------------------------------------------------------------------------------

    /** Texts of two models end in padding, which is scored before. */
    @ParameterizedTest
    @ValueSource(strings = {"llama", "mistral", "qwen2", "qwen3", "gpt2"})
    void scoresAreThoseOfTransformersAndStaySoWhenWrittenAndReadAgain(String name) {
        JsonNode expected = Fixtures.expected("scores/" + name);
        List<int[]> texts = Arrays.asList(Fixtures.rows(expected.get("texts")));
        try (LanguageModel model = load(name)) {
            assertScores(model.scores(texts), expected.get("scores"));
            model.save(directory, WeightType.FLOAT32);
            try (LanguageModel again = LanguageModel.load(directory, ComputeType.FLOAT32)) {
                assertThat(again.config()).isEqualTo(model.config());
                assertThat(again.digest()).isEqualTo(model.digest());
                assertScores(again.scores(texts), expected.get("scores"));
            }
        }
    }

    @Test
    void labelsAndPaddingAreReadAndWritten() {
        try (LanguageModel model = load("qwen2")) {
            assertThat(model.config().head())
                    .isEqualTo(new DecoderHead(DecoderHead.Kind.SCORES, List.of("bad", "so-so", "good"), 7));
            assertThat(model.config().toJson())
                    .contains("Qwen2ForSequenceClassification")
                    .contains("\"pad_token_id\" : 7")
                    .contains("\"so-so\" : 1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "mistral", "qwen3", "gpt2"})
    void aRewardModelLearnsFromPairsAsInTorch(String name) {
        JsonNode expected = Fixtures.expected("scores/" + name);
        try (LanguageModel model = load(name);
                TrainableModel padded = TrainableModel.from(model, SETTINGS);
                TrainableModel learner = TrainableModel.from(model, SETTINGS)) {
            padded.form(PrefixRows.Form.PADDED);
            padded.recomputeActivations(true);
            assertThat(padded.accumulate(pairs(expected), bradleyTerry(expected)))
                    .isCloseTo(expected.get("loss").asDouble(), CLOSE);
            assertGradients(padded, expected.get("gradients"));
            assertThat(learner.accumulate(pairs(expected), bradleyTerry(expected)))
                    .isCloseTo(expected.get("loss").asDouble(), CLOSE);
            assertGradients(learner, expected.get("gradients"));
            learner.discardGradients();
            assertThat(losses(learner, expected)).hasSize(20);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "gpt2"})
    void anAdapterLearnsItsScoresAsAWholeAsInPeft(String name) throws IOException {
        JsonNode expected = Fixtures.expected("scores/" + name + "-lora");
        List<int[]> texts = Arrays.asList(Fixtures.rows(expected.get("texts")));
        try (LanguageModel base = load(name);
                LoraAdapter adapter = LoraAdapter.load(Fixtures.directory("scores/" + name + "-lora"), base.config());
                LanguageModel merged = adapter.mergedInto(base);
                TrainableAdapter learner = TrainableAdapter.from(base, adapter, SETTINGS)) {
            assertScores(adapter.scores(base, texts), expected.get("scores"));
            assertScores(merged.scores(texts), expected.get("scores"));
            assertThat(learner.accumulate(pairs(expected), bradleyTerry(expected)))
                    .isCloseTo(expected.get("loss").asDouble(), CLOSE);
            assertGradients(learner, expected.get("gradients"));
            learner.discardGradients();
            losses(learner, expected);
            try (LoraAdapter learned = learner.snapshot()) {
                Path written = directory.resolve("adapter");
                learned.save(written, base);
                assertThat(Files.readString(written.resolve("adapter_config.json")))
                        .contains("\"task_type\" : \"SEQ_CLS\"")
                        .contains("\"modules_to_save\" : [ \"score\" ]");
                try (LoraAdapter again = LoraAdapter.load(written, base.config())) {
                    assertThat(again.digest()).isEqualTo(learned.digest()).isNotEqualTo(adapter.digest());
                }
            }
        }
    }

    private static List<Double> losses(DecoderLearner learner, JsonNode expected) {
        List<Double> losses = new ArrayList<>();
        for (JsonNode loss : expected.get("losses")) {
            losses.add(learner.accumulate(pairs(expected), bradleyTerry(expected)));
            learner.clip(1);
            learner.update(3e-3);
            assertThat(losses.get(losses.size() - 1))
                    .as("loss of step " + losses.size())
                    .isCloseTo(loss.asDouble(), within(1e-4));
        }
        return losses;
    }

    private static LanguageModel load(String name) {
        return LanguageModel.load(Fixtures.directory("scores/" + name), ComputeType.FLOAT32);
    }

    private static List<PromptAnswers> pairs(JsonNode expected) {
        List<PromptAnswers> pairs = new ArrayList<>();
        for (JsonNode pair : expected.get("pairs")) {
            pairs.add(AnswersTest.text(
                    Fixtures.ints(pair.get("prompt")),
                    Fixtures.ints(pair.get("chosen")),
                    Fixtures.ints(pair.get("rejected"))));
        }
        return pairs;
    }

    private static AnswerObjective bradleyTerry(JsonNode expected) {
        double total = 0;
        for (JsonNode pair : expected.get("pairs")) {
            total += pair.get("weight").asDouble();
        }
        double ofStep = total;
        return (which, call) -> {
            double loss = 0;
            for (int f = 0; f < which.length; f++) {
                double weight = expected.at("/pairs/" + which[f] + "/weight").asDouble() / ofStep;
                double margin = call.score(f, 0) - call.score(f, 1);
                double slope = -weight / (1 + Math.exp(margin));
                loss += weight * Math.log1p(Math.exp(-margin));
                call.valueSlopes(f, 0)[call.valueSlopes(f, 0).length - 1] += slope;
                call.valueSlopes(f, 1)[call.valueSlopes(f, 1).length - 1] -= slope;
                assertThat(call.logProbabilities(f, 0)).isEmpty();
            }
            return loss;
        };
    }

    private static void assertScores(List<float[]> found, JsonNode expected) {
        assertThat(found).hasSize(expected.size());
        for (int text = 0; text < found.size(); text++) {
            assertThat(found.get(text)).hasSize(expected.get(text).size());
            for (int label = 0; label < found.get(text).length; label++) {
                assertThat((double) found.get(text)[label])
                        .as("score %d of text %d", label, text)
                        .isCloseTo(expected.get(text).get(label).asDouble(), CLOSE);
            }
        }
    }

    private static void assertGradients(Trainable learner, JsonNode expected) {
        for (Map.Entry<String, JsonNode> probe : expected.get("probes").properties()) {
            float[] found = learner.gradient(probe.getKey());
            for (int i = 0; i < probe.getValue().size(); i++) {
                assertThat((double) found[i])
                        .as(probe.getKey() + "[" + i + "]")
                        .isCloseTo(probe.getValue().get(i).asDouble(), CLOSE);
            }
        }
        double norm = expected.get("norm").asDouble();
        assertThat(learner.clip(1e9)).isCloseTo(norm, within(1e-4 * norm));
    }

    // ---- critics ----------------------------------------------------------------------------------------------------

    /** Every value counts differently, and so does every log-probability. */
    private static final AnswerObjective BOTH = (which, call) -> {
        double loss = 0;
        for (int f = 0; f < which.length; f++) {
            for (int a = 0; a < call.answers(f); a++) {
                double[] values = call.values(f, a);
                for (int t = 0; t < values.length; t++) {
                    double error = values[t] - which[f] + a - 0.1 * t;
                    loss += error * error / 20;
                    call.valueSlopes(f, a)[t] = error / 10;
                }
                for (int t = 0; t < values.length - 1; t++) {
                    loss += call.logProbabilities(f, a)[t] * 0.02 * (t + 1);
                    call.logProbabilitySlopes(f, a)[t] = 0.02 * (t + 1);
                }
            }
        }
        return loss;
    };

    @ParameterizedTest
    @EnumSource(Family.class)
    void aCriticsValuesAreTheScoresOfTheTextUpToEachToken(Family family) {
        try (LanguageModel plain = LanguageModel.random(Fixtures.tiny(family, 64), 3, ComputeType.FLOAT32);
                LanguageModel critic = plain.withHead(DecoderHead.LANGUAGE_AND_VALUE, 8);
                TrainableModel learner = TrainableModel.from(critic, SETTINGS);
                TrainableAdapter adapter = TrainableAdapter.from(critic, LoraConfig.of(3, 6), 4, SETTINGS)) {
            double[][][] values = learner.values(AnswersTest.TEXTS);
            assertThat(adapter.values(AnswersTest.TEXTS)).isDeepEqualTo(values); // it begins with the base's matrix
            assertThat(learner.logProbabilities(AnswersTest.TEXTS))
                    .isDeepEqualTo(plain.answerLogProbabilities(AnswersTest.TEXTS, 4096));
            for (int f = 0; f < values.length; f++) {
                int[] prompt = AnswersTest.TEXTS.get(f).prompt();
                for (int a = 0; a < values[f].length; a++) {
                    int[] answer = AnswersTest.TEXTS.get(f).answers().get(a);
                    assertThat(values[f][a]).hasSize(answer.length + 1);
                    for (int t = 0; t <= answer.length; t++) {
                        int[] text = Arrays.copyOf(prompt, prompt.length + t);
                        System.arraycopy(answer, 0, text, prompt.length, t);
                        assertThat(values[f][a][t])
                                .as("text %d, answer %d, token %d", f, a, t)
                                .isCloseTo(critic.scores(List.of(text)).get(0)[0], within(1e-5));
                    }
                }
            }
        }
    }

    /** The one thing that the gradient of values is not held against elsewhere: several of one text, in every form. */
    @ParameterizedTest
    @EnumSource(Family.class)
    void gradientsOfValuesAndLogProbabilitiesAddUpInEveryForm(Family family) {
        ModelConfig config = Fixtures.tiny(family, 64).withHead(DecoderHead.LANGUAGE_AND_VALUE);
        try (LanguageModel critic = LanguageModel.random(config, 3, ComputeType.FLOAT32);
                TrainableModel padded = TrainableModel.from(critic, SETTINGS);
                TrainableAdapter adapter = TrainableAdapter.from(critic, LoraConfig.of(3, 6), 4, SETTINGS);
                TrainableAdapter paddedAdapter = TrainableAdapter.from(critic, LoraConfig.of(3, 6), 4, SETTINGS)) {
            padded.form(PrefixRows.Form.PADDED);
            double loss = padded.accumulate(AnswersTest.TEXTS, BOTH);
            double step = 1e-3;
            double slope = padded.gradient("score.weight")[5];
            assertThat((lossAt(critic, step) - lossAt(critic, -step)) / (2 * step))
                    .as("the derivative of the loss by one weight of the critic")
                    .isCloseTo(slope, within(1e-3 * Math.max(1, Math.abs(slope))));
            for (TrainableAdapter each : List.of(adapter, paddedAdapter)) {
                each.form(PrefixRows.Form.PADDED);
                each.accumulate(AnswersTest.TEXTS, BOTH);
                each.update(1e-2); // so that B is no longer zero
            }
            double lossOfAdapter = paddedAdapter.accumulate(AnswersTest.TEXTS, BOTH);
            for (PrefixRows.Form form : PrefixRows.Form.values()) {
                for (boolean again : new boolean[] {false, true}) {
                    try (TrainableModel other = TrainableModel.from(critic, SETTINGS)) {
                        other.form(form);
                        other.recomputeActivations(again);
                        assertThat(other.accumulate(AnswersTest.TEXTS, BOTH))
                                .isCloseTo(loss, within(1e-5 * Math.abs(loss)));
                        AnswersTest.assertSameGradients(other, padded, new Layout(config));
                    }
                    adapter.form(form);
                    adapter.recomputeActivations(again);
                    assertThat(adapter.accumulate(AnswersTest.TEXTS, BOTH))
                            .isCloseTo(lossOfAdapter, within(1e-5 * Math.abs(lossOfAdapter)));
                    AnswersTest.assertSameGradients(
                            adapter,
                            paddedAdapter,
                            new Layout(config, adapter.config().modules(config)));
                    adapter.discardGradients();
                }
            }
        }
    }

    /** With one weight of the critic's matrix moved. */
    private static double lossAt(LanguageModel critic, double moved) {
        try (LanguageModel other = critic.copy();
                LanguageModel held = moved(other, moved);
                TrainableModel learner = TrainableModel.from(held, SETTINGS)) {
            return learner.accumulate(AnswersTest.TEXTS, BOTH);
        }
    }

    private static LanguageModel moved(LanguageModel model, double by) {
        LanguageModel copy = model.copy();
        float before = copy.weights("score.weight")[5];
        long at = new Layout(model.config()).slot("score.weight").at() + 5;
        copy.master().write(at, new float[] {(float) (before + by)}, 1);
        return copy;
    }

    @ParameterizedTest
    @EnumSource(ComputeType.class)
    void aCriticBeginsAtZeroLearnsAndIsNoPartOfWhatIsPublished(ComputeType type) {
        Path state = directory.resolve("state.safetensors");
        try (LanguageModel plain = LanguageModel.random(Fixtures.TINY, 3, type);
                LanguageModel critic = plain.withValueHead();
                TrainableModel learner = TrainableModel.from(critic, SETTINGS);
                TrainableModel resumed = TrainableModel.from(critic, SETTINGS)) {
            assertThat(learner.values(AnswersTest.TEXTS)[0][0]).containsOnly(0);
            try (LanguageModel snapshot = learner.snapshot(type)) {
                assertThat(snapshot.digest()).isEqualTo(plain.digest());
                assertThat(snapshot.config()).isEqualTo(plain.config());
            }
            double first = step(learner);
            learner.saveState(state);
            resumed.loadState(state);
            for (int i = 0; i < 10; i++) {
                assertThat(step(resumed)).isEqualTo(step(learner)); // bit for bit, the critic's head too
            }
            assertThat(step(learner)).isLessThan(first - 0.1);
            try (TrainableModel other = TrainableModel.from(plain, SETTINGS)) {
                assertThatThrownBy(() -> other.loadState(state)).hasMessageContaining("LANGUAGE_AND_VALUE");
            }
        }
    }

    private static double step(DecoderLearner learner) {
        double loss = learner.accumulate(AnswersTest.TEXTS, BOTH);
        learner.clip(1);
        learner.update(1e-2);
        return loss;
    }

    @Test
    void anAdapterThatHasLearntGoesOnBesideACriticFromWhereItIs() {
        try (LanguageModel plain = LanguageModel.random(Fixtures.TINY, 3, ComputeType.FLOAT32);
                TrainableAdapter alone = TrainableAdapter.from(plain, LoraConfig.of(3, 6), 4, SETTINGS)) {
            PackedBatch batch = AgainstTransformersTest.batchOfStep(0, Fixtures.TINY.vocabularySize());
            alone.accumulate(batch, batch.lossTokens());
            alone.update(1e-2);
            try (LoraAdapter learnt = alone.snapshot();
                    LanguageModel critic = plain.withValueHead();
                    LoraAdapter wider = learnt.withValueHead();
                    TrainableAdapter learner = TrainableAdapter.from(critic, wider, SETTINGS)) {
                assertThat(learner.values(AnswersTest.TEXTS)[0][0]).containsOnly(0);
                try (LoraAdapter snapshot = learner.snapshot()) {
                    assertThat(snapshot.digest()).isEqualTo(learnt.digest());
                }
            }
        }
    }

    @Test
    void anAdapterThatLearntBesideACriticIsOneForThePlainModel() {
        try (LanguageModel plain = LanguageModel.random(Fixtures.TINY, 3, ComputeType.FLOAT32);
                LanguageModel critic = plain.withValueHead();
                TrainableAdapter learner = TrainableAdapter.from(critic, LoraConfig.of(3, 6), 4, SETTINGS)) {
            step(learner);
            assertThat(learner.values(AnswersTest.TEXTS)[0][0][1]).isNotZero();
            try (LoraAdapter adapter = learner.snapshot();
                    LanguageModel merged = adapter.mergedInto(plain);
                    LanguageModel alsoMerged = adapter.mergedInto(learner.base())) {
                adapter.save(directory.resolve("adapter"), plain);
                assertThat(alsoMerged.digest()).isEqualTo(merged.digest()).isNotEqualTo(plain.digest());
                assertThat(alsoMerged.config()).isEqualTo(plain.config());
                double[][][] said = learner.logProbabilities(AnswersTest.TEXTS);
                assertThat(merged.answerLogProbabilities(AnswersTest.TEXTS, 4096)[1][0])
                        .containsExactly(said[1][0], CLOSE);
                assertThat(adapter.answerLogProbabilities(learner.base(), AnswersTest.TEXTS, 4096))
                        .isDeepEqualTo(said);
            }
        }
    }

    // ---- making and refusing ----------------------------------------------------------------------------------------

    @Test
    void aLanguageModelBecomesARewardModelWithTheSameBody() {
        List<int[]> texts = IntStream.range(0, 300)
                .mapToObj(i -> IntStream.range(0, 1 + i % 50)
                        .map(t -> 3 + (i * 7 + t * 5) % 50)
                        .toArray())
                .toList();
        try (LanguageModel plain = LanguageModel.random(Fixtures.TINY, 3, ComputeType.FLOAT32);
                LanguageModel first = plain.withScores(1, 5);
                LanguageModel same = plain.withScores(1, 5);
                LanguageModel other = plain.withScores(1, 6);
                LanguageModel three =
                        plain.withHead(new DecoderHead(DecoderHead.Kind.SCORES, List.of("a", "b", "c"), 0), 5)) {
            assertThat(first.digest()).isEqualTo(same.digest()).isNotEqualTo(other.digest());
            assertThat(first.weights("model.layers.1.mlp.up_proj.weight"))
                    .isEqualTo(plain.weights("model.layers.1.mlp.up_proj.weight"));
            List<float[]> scores = first.scores(texts);
            for (int i : new int[] {0, 49, 50, 217}) {
                assertThat(scores.get(i)[0])
                        .as("text " + i + " among others and alone")
                        .isCloseTo(first.scores(List.of(texts.get(i))).get(0)[0], within(1e-5f));
            }
            assertThat(three.scores(texts.subList(0, 2))).allMatch(of -> of.length == 3);
        }
    }

    @Test
    void whatAHeadCannotSayIsRefused() {
        PackedBatch batch = Fixtures.randomBatch(Fixtures.TINY, 1, 1, 8);
        try (LanguageModel plain = LanguageModel.random(Fixtures.TINY, 3, ComputeType.FLOAT32);
                LanguageModel reward = plain.withScores(1, 5);
                LanguageModel classes = plain.withScores(2, 5);
                LanguageModel critic = plain.withValueHead();
                TrainableModel learner = TrainableModel.from(reward, SETTINGS);
                TrainableModel speaker = TrainableModel.from(plain, SETTINGS);
                TrainableModel classifier = TrainableModel.from(classes, SETTINGS)) {
            String silent = "head over the vocabulary";
            int[] ids = {3, 4, 5};
            assertThatThrownBy(() -> reward.logits(ids)).hasMessageContaining(silent);
            assertThatThrownBy(() -> reward.logProbabilities(List.of(ids))).hasMessageContaining(silent);
            assertThatThrownBy(() -> reward.answerLogProbabilities(AnswersTest.TEXTS, 4096))
                    .hasMessageContaining(silent);
            assertThatThrownBy(
                            () -> new Generator(reward).generate(ids, Sampling.greedy(3, Set.of()), (token, p) -> true))
                    .hasMessageContaining(silent);
            assertThatThrownBy(() -> learner.accumulate(batch, batch.lossTokens()))
                    .hasMessageContaining(silent);
            assertThatThrownBy(() -> plain.scores(List.of(ids))).hasMessageContaining("withScores");
            assertThatThrownBy(() -> speaker.values(AnswersTest.TEXTS)).hasMessageContaining("withScores");
            assertThatThrownBy(() -> classifier.accumulate(AnswersTest.TEXTS, BOTH))
                    .hasMessageContaining("LABEL_1");
            assertThatThrownBy(() -> critic.save(directory, WeightType.FLOAT32)).hasMessageContaining("snapshot");
            assertThatThrownBy(() -> reward.withValueHead()).hasMessageContaining(silent);
            assertThatThrownBy(() -> plain.withScores(0, 1)).hasMessageContaining("num_labels");
            assertThatThrownBy(() -> new DecoderHead(DecoderHead.Kind.SCORES, List.of("a", "a"), -1))
                    .hasMessageContaining("[a, a]");
        }
    }

    @Test
    void aScoredTextMustFitWithItsLastToken() {
        PromptAnswers just = new PromptAnswers(new int[40], List.of(new int[24]));
        PromptAnswers tooLong = new PromptAnswers(new int[40], List.of(new int[25]));
        try (LanguageModel plain = LanguageModel.random(Fixtures.TINY, 3, ComputeType.FLOAT32);
                LanguageModel reward = plain.withScores(1, 5);
                TrainableModel learner = TrainableModel.from(reward, SETTINGS)) {
            assertThat(learner.values(List.of(just))[0][0]).hasSize(25);
            assertThatThrownBy(() -> learner.values(List.of(tooLong)))
                    .hasMessageContaining("40 tokens")
                    .hasMessageContaining("64");
        }
    }
}
