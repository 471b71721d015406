package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** BERT against torch 2.13 and transformers 5.18: {@code bench/peers/make_encoder_fixtures.py}. */
class EncoderModelTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Offset<Double> CLOSE = within(1e-4);
    private static final double NARROW = 2e-2; // relative, of what bfloat16 computes
    private static final int MASK = 4;
    private static final int[] LENGTHS = {11, 17, 6};
    private static final EncoderConfig TINY = new EncoderConfig(
            61, 24, 40, 2, 4, 32, 2, 1e-12, 0.2, 0, EncoderConfig.Head.LABELS, List.of("good", "bad"));

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    // ---- as transformers --------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"bert-masked", "bert-labels"})
    void hiddenStatesAndLogitsAreThoseOfTransformersWhateverIsPadded(String name) {
        JsonNode expected = Fixtures.expected(name);
        List<EncoderInput> inputs = inputs(0);
        try (EncoderModel model = load(name, ComputeType.FLOAT32)) {
            assertThat(model.config().parameterCount())
                    .isEqualTo(expected.get("parameters").asLong());
            for (int row = 0; row < inputs.size(); row++) {
                assertClose(
                        model.hidden(inputs).get(row), expected.get("hidden").get(row));
                assertClose(
                        model.hidden(List.of(inputs.get(row))).get(0),
                        expected.get("hidden").get(row));
            }
            assertClose(logits(model, inputs), expected.get("logits"));
        }
    }

    @Test
    void aBodyWithoutPoolerIsThatOfTransformersAndTakesAClassifier(@TempDir Path directory) throws IOException {
        JsonNode expected = Fixtures.expected("bert-bare");
        List<EncoderInput> inputs = inputs(0);
        try (EncoderModel model = load("bert-bare", ComputeType.FLOAT32)) {
            assertThat(model.config().head()).isEqualTo(EncoderConfig.Head.BARE);
            assertThat(model.config().parameterCount())
                    .isEqualTo(expected.get("parameters").asLong());
            for (int row = 0; row < inputs.size(); row++) {
                assertClose(
                        model.hidden(inputs).get(row), expected.get("hidden").get(row));
            }

            model.save(directory, WeightType.FLOAT32);
            try (EncoderModel again = EncoderModel.load(directory, ComputeType.FLOAT32);
                    EncoderModel labelled = again.withLabels(List.of("good", "bad"), 1)) {
                assertThat(again.digest()).isEqualTo(model.digest());
                assertThat(again.config()).isEqualTo(model.config());
                assertThat(labelled.weights("bert.pooler.dense.weight")).hasSize(24 * 24);
                assertThat(labelled.labelLogits(inputs)).hasDimensions(3, 2);
            }
        }
        assertThat(JSON.readTree(directory.resolve("config.json").toFile())
                        .get("architectures")
                        .get(0)
                        .asText())
                .isEqualTo("BertModel");
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-masked", "bert-labels"})
    void bfloat16IsNearTheFloat32OfTransformers(String name) {
        JsonNode expected = Fixtures.expected(name);
        try (EncoderModel model = load(name, ComputeType.BFLOAT16);
                TrainableEncoder trainable = TrainableEncoder.from(model, AdamWSettings.defaults())) {
            float[][] logits = logits(model, inputs(0));
            double difference = 0;
            double size = 0;
            for (int row = 0; row < logits.length; row++) {
                for (int i = 0; i < logits[row].length; i++) {
                    double theirs = expected.get("logits").get(row).get(i).asDouble();
                    difference += Math.pow(logits[row][i] - theirs, 2);
                    size += theirs * theirs;
                }
            }
            assertThat(Math.sqrt(difference / size)).as("logits").isLessThan(NARROW);
            double loss = expected.get("loss").asDouble();
            assertThat(accumulate(trainable, 0)).isCloseTo(loss, within(NARROW * loss));
            double norm = expected.get("norm").asDouble();
            assertThat(trainable.clip(1e9)).isCloseTo(norm, within(NARROW * norm));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-masked", "bert-labels"})
    void lossAndGradientsAreThoseOfTorch(String name) {
        JsonNode expected = Fixtures.expected(name);
        try (EncoderModel model = load(name, ComputeType.FLOAT32);
                TrainableEncoder trainable = TrainableEncoder.from(model, AdamWSettings.defaults())) {
            assertThat(accumulate(trainable, 0)).isCloseTo(expected.get("loss").asDouble(), CLOSE);
            for (Map.Entry<String, JsonNode> probe : expected.get("gradients").properties()) {
                float[] found = trainable.gradient(probe.getKey());
                for (int i = 0; i < probe.getValue().size(); i++) {
                    assertThat((double) found[i])
                            .as(probe.getKey() + "[" + i + "]")
                            .isCloseTo(probe.getValue().get(i).asDouble(), CLOSE);
                }
            }
            double norm = expected.get("norm").asDouble();
            assertThat(trainable.clip(1e9)).isCloseTo(norm, within(1e-4 * norm));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-masked", "bert-labels"})
    void fiftyStepsOfAdamWFollowTheCurveOfTorch(String name) throws IOException {
        List<String> curve = Files.readAllLines(Fixtures.directory(name).resolve("adamw.losses"));
        assertThat(curve).hasSize(50);
        try (EncoderModel model = load(name, ComputeType.FLOAT32);
                TrainableEncoder trainable = TrainableEncoder.from(model, AdamWSettings.defaults())) {
            for (int step = 0; step < curve.size(); step++) {
                double expected = Double.parseDouble(curve.get(step));
                assertThat(accumulate(trainable, step))
                        .as("loss of step " + step)
                        .isCloseTo(expected, within(1e-4 * expected));
                trainable.clip(1);
                trainable.update(2e-3);
            }
        }
    }

    @Test
    void twoMicroBatchesGiveTheGradientOfOneBatch() {
        try (EncoderModel model = load("bert-masked", ComputeType.FLOAT32);
                TrainableEncoder whole = TrainableEncoder.from(model, AdamWSettings.defaults());
                TrainableEncoder parts = TrainableEncoder.from(model, AdamWSettings.defaults())) {
            List<MaskedText> batch = masked(0);
            long tokens = batch.stream().mapToLong(MaskedText::lossTokens).sum();
            double loss = whole.accumulateMasked(batch, tokens);
            double sum = batch.stream()
                    .mapToDouble(text -> parts.accumulateMasked(List.of(text), tokens))
                    .sum();
            assertThat(sum).isCloseTo(loss, within(1e-6));
            for (Layout.Slot slot : new Layout(model.config()).slots()) {
                assertThat(parts.gradient(slot.name()))
                        .as(slot.name())
                        .containsExactly(whole.gradient(slot.name()), within(1e-5f));
            }
        }
    }

    // ---- files ------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"bert-masked", "bert-labels"})
    void anEncoderIsWrittenAsItWasRead(String name, @TempDir Path directory) throws IOException {
        try (EncoderModel model = load(name, ComputeType.FLOAT32)) {
            model.save(directory, WeightType.FLOAT32);
            try (EncoderModel again = EncoderModel.load(directory, ComputeType.FLOAT32)) {
                assertThat(again.digest()).isEqualTo(model.digest());
                assertThat(again.config()).isEqualTo(model.config());
            }
        }
        try (Safetensors.Reader theirs = Safetensors.open(Fixtures.directory(name));
                Safetensors.Reader ours = Safetensors.open(directory)) {
            assertThat(ours.entries().stream().map(Safetensors.Entry::name))
                    .containsExactlyElementsOf(theirs.entries().stream()
                            .map(Safetensors.Entry::name)
                            .toList());
        }
    }

    /** As the first published files have them: old names of norms, a second head, copies of what is tied. */
    @Test
    void filesOfPretrainingAreReadUnderTheirOldNames(@TempDir Path directory) throws IOException {
        Map<String, float[]> tensors = new LinkedHashMap<>();
        List<Safetensors.Entry> entries = new ArrayList<>();
        try (Safetensors.Reader reader = Safetensors.open(Fixtures.directory("bert-masked"))) {
            for (Safetensors.Entry entry : reader.entries()) {
                String old = entry.name()
                        .replace("LayerNorm.weight", "LayerNorm.gamma")
                        .replace("LayerNorm.bias", "LayerNorm.beta");
                put(entries, tensors, old, reader.floats(entry.name()), entry.shape());
            }
        }
        put(entries, tensors, "bert.pooler.dense.bias", new float[24], 24);
        put(entries, tensors, "cls.seq_relationship.bias", new float[2], 2);
        put(entries, tensors, "cls.predictions.decoder.bias", new float[61], 61);
        ObjectNode config = (ObjectNode) JSON.readTree(
                Fixtures.directory("bert-masked").resolve("config.json").toFile());
        config.putArray("architectures").add("BertForPreTraining");
        write(directory, config, entries, tensors);
        try (EncoderModel model = load("bert-masked", ComputeType.FLOAT32);
                EncoderModel old = EncoderModel.load(directory, ComputeType.FLOAT32)) {
            assertThat(old.digest()).isEqualTo(model.digest());
        }
    }

    @Test
    void aBareBodyIsReadWithoutItsPrefixAndTakesAClassifier(@TempDir Path directory) throws IOException {
        Map<String, float[]> tensors = new LinkedHashMap<>();
        List<Safetensors.Entry> entries = new ArrayList<>();
        try (Safetensors.Reader reader = Safetensors.open(Fixtures.directory("bert-labels"))) {
            for (Safetensors.Entry entry : reader.entries()) {
                if (entry.name().startsWith("bert.")) {
                    put(entries, tensors, entry.name().substring(5), reader.floats(entry.name()), entry.shape());
                }
            }
        }
        ObjectNode config = (ObjectNode) JSON.readTree(
                Fixtures.directory("bert-labels").resolve("config.json").toFile());
        config.putArray("architectures").add("BertModel");
        write(directory, config, entries, tensors);
        try (EncoderModel whole = load("bert-labels", ComputeType.FLOAT32);
                EncoderModel bare = EncoderModel.load(directory, ComputeType.FLOAT32);
                EncoderModel labelled = bare.withLabels(List.of("a", "b", "c", "d"), 3);
                EncoderModel same = bare.withLabels(List.of("a", "b", "c", "d"), 3)) {
            float[][] hidden = whole.hidden(inputs(0)).get(0);
            assertThat(bare.hidden(inputs(0)).get(0)).isDeepEqualTo(hidden);
            assertThat(labelled.hidden(inputs(0)).get(0)).isDeepEqualTo(hidden);
            assertThat(labelled.weights("bert.pooler.dense.weight"))
                    .containsExactly(whole.weights("bert.pooler.dense.weight"));
            assertThat(labelled.labelLogits(inputs(0))[0]).hasSize(4);
            assertThat(same.digest()).isEqualTo(labelled.digest());
            assertThatThrownBy(() -> bare.labelLogits(inputs(0)))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("BertForSequenceClassification")
                    .hasMessageContaining("BertModel");
        }
    }

    private static void put(
            List<Safetensors.Entry> entries, Map<String, float[]> tensors, String name, float[] values, long... shape) {
        entries.add(new Safetensors.Entry(name, "F32", shape));
        tensors.put(name, values);
    }

    private static void write(
            Path directory, ObjectNode config, List<Safetensors.Entry> entries, Map<String, float[]> tensors)
            throws IOException {
        Files.writeString(directory.resolve("config.json"), config.toString());
        Safetensors.write(
                directory.resolve("model.safetensors"),
                Map.of(),
                entries,
                (entry, from, values, count) ->
                        System.arraycopy(tensors.get(entry.name()), (int) from, values, 0, count));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "model_type | 'roberta'",
                "architectures | ['BertForQuestionAnswering']",
                "hidden_act | 'relu'",
                "position_embedding_type | 'relative_key'",
                "is_decoder | true",
                "tie_word_embeddings | false",
                "problem_type | 'regression'",
                "num_attention_heads | 5"
            })
    void whatWeDoNotHaveIsRefusedByFieldAndValue(String field, String value) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(TINY.toJson());
        JsonNode bad = JSON.readTree(value.replace('\'', '"'));
        json.set(field, bad);
        assertThatThrownBy(() -> EncoderConfig.parse(json))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(field)
                .hasMessageContaining(bad.toString());
    }

    // ---- training ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(ComputeType.class)
    void labelsAreLearntAndAResumedRunIsTheSameBitForBit(ComputeType type, @TempDir Path directory) {
        List<LabelledText> texts = List.of(
                new LabelledText(EncoderInput.of(1, 10, 11, 12, 2), 0),
                new LabelledText(EncoderInput.of(1, 20, 21, 2), 1),
                new LabelledText(EncoderInput.of(1, 10, 30, 2), 0),
                new LabelledText(EncoderInput.of(1, 20, 31, 32, 33, 2), 1));
        Path state = directory.resolve("state.safetensors");
        try (EncoderModel start = EncoderModel.random(TINY, 1, type);
                TrainableEncoder straight = TrainableEncoder.from(start, AdamWSettings.defaults());
                TrainableEncoder resumed = TrainableEncoder.from(start, AdamWSettings.defaults())) {
            double before = 0;
            for (int step = 0; step < 40; step++) {
                if (step == 20) {
                    straight.saveState(state);
                }
                double loss = straight.accumulateLabelled(texts, 4);
                before = step == 0 ? loss : before;
                straight.clip(1);
                straight.update(1e-2);
            }
            resumed.loadState(state);
            for (int step = 20; step < 40; step++) {
                resumed.accumulateLabelled(texts, 4);
                resumed.clip(1);
                resumed.update(1e-2);
            }
            assertThat(straight.accumulateLabelled(texts, 4)).isLessThan(before / 10);
            try (EncoderModel one = straight.snapshot(type);
                    EncoderModel other = resumed.snapshot(type)) {
                assertThat(other.digest()).isEqualTo(one.digest()).isNotEqualTo(start.digest());
                float[] logits = one.labelLogits(List.of(texts.get(1).input()))[0];
                assertThat(logits[1]).isGreaterThan(logits[0]);
            }
        }
    }

    @Test
    void aCopyOutlivesItsOriginal() {
        EncoderModel copy;
        String digest;
        try (EncoderModel model = load("bert-masked", ComputeType.FLOAT32)) {
            copy = model.copy();
            digest = model.digest();
        }
        try (copy) {
            assertThat(copy.digest()).isEqualTo(digest);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-masked", "bert-labels", "bert-bare", "tied"})
    void anyModelIsReadAsWhatItsConfigSaysAndTellsItsLastLogits(String fixture) {
        int[] ids = {1, 5, 6, 2};
        try (Model<?> model = Model.load(Fixtures.directory(fixture), ComputeType.FLOAT32)) {
            float[] expected;
            if (model instanceof EncoderModel encoder) {
                EncoderInput input = EncoderInput.of(ids);
                expected = switch (encoder.config().head()) {
                    case LABELS -> encoder.labelLogits(List.of(input))[0];
                    case MASKED -> encoder.maskedLogits(input, 0, 3)[1];
                    case NONE, BARE -> encoder.hidden(List.of(input)).get(0)[3];
                };
            } else {
                expected = ((LanguageModel) model).logits(ids)[3];
            }
            assertThat(model.lastLogits(ids)).containsExactly(expected, within(1e-5f));
        }
    }

    @Test
    void aConfigTellsWhetherItIsOfAnEncoder() throws IOException {
        assertThat(EncoderConfig.isEncoder(Fixtures.directory("bert-masked").resolve("config.json")))
                .isTrue();
        assertThat(EncoderConfig.isEncoder(Fixtures.directory("tied").resolve("config.json")))
                .isFalse();
    }

    @Test
    void whatCannotBeRightIsRefusedWithItsNumbers() {
        try (EncoderModel model = EncoderModel.random(TINY, 1, ComputeType.FLOAT32);
                EncoderModel score = model.withLabels(List.of("score"), 1);
                TrainableEncoder trainable = TrainableEncoder.from(model, AdamWSettings.defaults());
                TrainableEncoder scorer = TrainableEncoder.from(score, AdamWSettings.defaults())) {
            assertThatThrownBy(() -> model.labelLogits(List.of(EncoderInput.of(61))))
                    .hasMessageContaining("61");
            assertThatThrownBy(() -> model.labelLogits(List.of(EncoderInput.of(new int[33]))))
                    .hasMessageContaining("33")
                    .hasMessageContaining("32");
            assertThatThrownBy(() -> model.labelLogits(List.of(new EncoderInput(new int[] {5}, new int[] {2}))))
                    .hasMessageContaining("Token type 2");
            assertThatThrownBy(() -> model.labelLogits(List.of())).hasMessageContaining("No input");
            assertThatThrownBy(() -> model.maskedLogits(EncoderInput.of(5), 0)).hasMessageContaining("BertForMaskedLM");
            LabelledText text = new LabelledText(EncoderInput.of(5), 2);
            assertThatThrownBy(() -> trainable.accumulateLabelled(List.of(text), 1))
                    .hasMessageContaining("Label 2");
            assertThat(score.labelLogits(List.of(text.input()))[0]).hasSize(1);
            assertThatThrownBy(() -> scorer.accumulateLabelled(List.of(text), 1))
                    .hasMessageContaining("score")
                    .hasMessageContaining("[2]");
        }
    }

    // ---- the batches of make_encoder_fixtures.py --------------------------------------------------------------------

    private static EncoderModel load(String name, ComputeType type) {
        return EncoderModel.load(Fixtures.directory(name), type);
    }

    static List<MaskedText> masked(int step) {
        List<MaskedText> texts = new ArrayList<>();
        for (int row = 0; row < LENGTHS.length; row++) {
            int length = LENGTHS[row];
            EncoderInput input = new EncoderInput(new int[length], new int[length]);
            int[] targets = new int[length];
            Arrays.fill(targets, PackedBatch.IGNORED);
            for (int t = 0; t < length; t++) {
                int token = 5 + (5 * t + 7 * row + 11 * step + t * t * (row + 1)) % 56;
                input.ids()[t] = token;
                input.types()[t] = t > length / 2 ? 1 : 0;
                if (t % 4 == 2) {
                    input.ids()[t] = MASK;
                    targets[t] = token;
                }
            }
            texts.add(new MaskedText(input, targets));
        }
        return texts;
    }

    static List<EncoderInput> inputs(int step) {
        return masked(step).stream().map(MaskedText::input).toList();
    }

    private static double accumulate(TrainableEncoder trainable, int step) {
        List<MaskedText> texts = masked(step);
        if (trainable.config().head() == EncoderConfig.Head.MASKED) {
            return trainable.accumulateMasked(
                    texts, texts.stream().mapToLong(MaskedText::lossTokens).sum());
        }
        List<LabelledText> labelled = new ArrayList<>();
        for (int row = 0; row < texts.size(); row++) {
            labelled.add(new LabelledText(texts.get(row).input(), (row + step) % 3));
        }
        return trainable.accumulateLabelled(labelled, labelled.size());
    }

    /** At the masked tokens of the first text, or of the labels. */
    private static float[][] logits(EncoderModel model, List<EncoderInput> inputs) {
        return model.config().head() == EncoderConfig.Head.MASKED
                ? model.maskedLogits(inputs.get(0), 2, 6, 10)
                : model.labelLogits(inputs);
    }

    private static void assertClose(float[][] found, JsonNode expected) {
        assertThat(found.length).isEqualTo(expected.size());
        for (int row = 0; row < found.length; row++) {
            for (int i = 0; i < found[row].length; i++) {
                assertThat((double) found[row][i])
                        .as("row %d, element %d", row, i)
                        .isCloseTo(expected.get(row).get(i).asDouble(), CLOSE);
            }
        }
    }
}
