package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AnswersTest {
    /** Prompts longer than the window of the tiny models, which is 5; groups of one, two and three answers. */
    static final List<PromptAnswers> TEXTS = List.of(
            text(new int[] {5, 6, 7, 8, 9, 10, 11, 12}, new int[] {20, 21, 22, 23}, new int[] {30, 31}),
            text(new int[] {13, 14}, new int[] {24, 25, 26}),
            text(new int[] {15, 16, 17, 18, 19, 3}, new int[] {40}, new int[] {41, 42, 43}, new int[] {44, 45}),
            text(new int[] {33}, new int[] {34, 35, 36, 37, 38, 39}, new int[] {50, 51, 52}));

    /** Something that is different for every token and bends. */
    private static final AnswerObjective BENT = (which, call) -> {
        double loss = 0;
        for (int f = 0; f < which.length; f++) {
            for (int a = 0; a < call.answers(f); a++) {
                double p = call.logProbability(f, a);
                double weight = 1 + which[f] - 0.7 * a;
                loss += weight * p * p / 100;
                call.addSlope(f, a, weight * p / 50);
                for (int t = 0; t < call.logProbabilities(f, a).length; t++) {
                    double token = call.logProbabilities(f, a)[t];
                    loss += 0.1 * t * Math.exp(token);
                    call.logProbabilitySlopes(f, a)[t] += 0.1 * t * Math.exp(token);
                }
            }
        }
        return loss;
    };

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void packedPaddedAndSharedFormsAgree(Family family) {
        try (LanguageModel model = LanguageModel.random(Fixtures.tiny(family, 64), 3, ComputeType.FLOAT32);
                TrainableModel padded = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableAdapter adapter =
                        TrainableAdapter.from(model, LoraConfig.of(3, 6), 4, AdamWSettings.defaults());
                TrainableAdapter paddedAdapter =
                        TrainableAdapter.from(model, LoraConfig.of(3, 6), 4, AdamWSettings.defaults())) {
            padded.form(PrefixRows.Form.PADDED);
            double loss = padded.accumulate(TEXTS, BENT);
            step(adapter); // so that B is no longer zero
            step(paddedAdapter);
            paddedAdapter.form(PrefixRows.Form.PADDED);
            double lossOfAdapter = paddedAdapter.accumulate(TEXTS, BENT);
            for (PrefixRows.Form form : PrefixRows.Form.values()) {
                for (boolean again : new boolean[] {false, true}) {
                    try (TrainableModel other = TrainableModel.from(model, AdamWSettings.defaults())) {
                        other.form(form);
                        other.recomputeActivations(again);
                        assertThat(other.accumulate(TEXTS, BENT)).isCloseTo(loss, within(1e-5 * Math.abs(loss)));
                        assertSameGradients(other, padded, new Layout(model.config()));
                    }
                    adapter.form(form);
                    adapter.recomputeActivations(again);
                    assertThat(adapter.accumulate(TEXTS, BENT))
                            .isCloseTo(lossOfAdapter, within(1e-5 * Math.abs(lossOfAdapter)));
                    assertSameGradients(
                            adapter,
                            paddedAdapter,
                            new Layout(model.config(), adapter.config().modules(model.config())));
                    adapter.discardGradients();
                }
            }
        }
    }

    private static void step(TrainableAdapter adapter) {
        adapter.form(PrefixRows.Form.PADDED);
        adapter.accumulate(TEXTS, BENT);
        adapter.update(1e-2);
    }

    /** In bfloat16 attention is written out, in pieces of 128 queries that see no further back than they must. */
    @ParameterizedTest
    @EnumSource(Family.class)
    void bfloat16GradientsOfSharedPromptsPointWhereFloat32OnesDo(Family family) {
        ModelConfig config = Fixtures.tiny(family, 320);
        List<PromptAnswers> texts = List.of(random(1, 150, 70, 60, 50), random(2, 40, 90), random(3, 20, 120, 100));
        try (LanguageModel wide = LanguageModel.random(config, 3, ComputeType.FLOAT32);
                LanguageModel narrow = LanguageModel.random(config, 3, ComputeType.BFLOAT16);
                TrainableModel exact = TrainableModel.from(wide, AdamWSettings.defaults());
                TrainableModel rounded = TrainableModel.from(narrow, AdamWSettings.defaults())) {
            exact.form(PrefixRows.Form.PADDED);
            AnswerObjective likelihood = (which, call) -> likelihood(call);
            double loss = exact.accumulate(texts, likelihood);
            assertThat(rounded.accumulate(texts, likelihood)).isCloseTo(loss, within(0.005 * loss));
            for (Layout.Slot slot : new Layout(config).slots()) {
                // The bias of the keys moves all scores of a query alike, so its gradient is rounding alone.
                if (!slot.name().endsWith("k_proj.bias")) {
                    assertThat(TrainingTest.cosine(exact.gradient(slot.name()), rounded.gradient(slot.name())))
                            .as(slot.name())
                            .isGreaterThan(0.995);
                }
            }
        }
    }

    @Test
    void bfloat16GradientsOfAnAdapterPointWhereFloat32OnesDo() {
        ModelConfig config = Fixtures.tiny(Family.LLAMA, 320);
        List<PromptAnswers> texts = List.of(random(1, 150, 70, 60, 50), random(2, 40, 90));
        AnswerObjective likelihood = (which, call) -> likelihood(call);
        LoraConfig lora = LoraConfig.of(4, 8);
        AdamWSettings settings = AdamWSettings.defaults();
        try (LanguageModel wide = LanguageModel.random(config, 3, ComputeType.FLOAT32);
                LanguageModel narrow = LanguageModel.random(config, 3, ComputeType.BFLOAT16);
                TrainableAdapter exact = TrainableAdapter.from(wide, lora, 1, settings);
                TrainableAdapter rounded = TrainableAdapter.from(narrow, lora, 1, settings)) {
            exact.form(PrefixRows.Form.PADDED);
            rounded.recomputeActivations(true);
            double loss = exact.accumulate(texts, likelihood);
            assertThat(rounded.accumulate(texts, likelihood)).isCloseTo(loss, within(0.005 * loss));
            for (Layout.Slot slot : new Layout(config, lora.modules(config)).slots()) {
                if (slot.name().endsWith("lora_B.weight") && !slot.name().contains("k_proj")) {
                    assertThat(TrainingTest.cosine(exact.gradient(slot.name()), rounded.gradient(slot.name())))
                            .as(slot.name())
                            .isGreaterThan(0.99);
                }
            }
        }
    }

    /** Mean negative log-likelihood. */
    private static double likelihood(AnswerCall call) {
        double loss = 0;
        for (int f = 0; f < call.size(); f++) {
            for (int a = 0; a < call.answers(f); a++) {
                loss -= call.logProbability(f, a) / 500;
                call.addSlope(f, a, -1.0 / 500);
            }
        }
        return loss;
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void logProbabilitiesAreThoseOfEachTextReadAlone(Family family) {
        ModelConfig config = Fixtures.tiny(family, 64);
        try (LanguageModel model = LanguageModel.random(config, 3, ComputeType.FLOAT32);
                TrainableModel learner = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableAdapter adapter =
                        TrainableAdapter.from(model, LoraConfig.of(3, 6), 4, AdamWSettings.defaults())) {
            step(adapter);
            try (LoraAdapter snapshot = adapter.snapshot();
                    LanguageModel merged = snapshot.mergedInto(model)) {
                assertReadAlone(model, model.answerLogProbabilities(TEXTS, LanguageModel.SCORED_AT_ONCE));
                assertReadAlone(model, model.answerLogProbabilities(TEXTS, 1));
                assertReadAlone(model, learner.logProbabilities(TEXTS));
                assertReadAlone(merged, adapter.logProbabilities(TEXTS));
                assertReadAlone(merged, snapshot.answerLogProbabilities(model, TEXTS, 4096));
                assertReadAlone(model, adapter.base().answerLogProbabilities(TEXTS, 4096)); // the reference
            }
        }
    }

    private static void assertReadAlone(LanguageModel model, double[][][] found) {
        for (int f = 0; f < TEXTS.size(); f++) {
            int[] prompt = TEXTS.get(f).prompt();
            for (int a = 0; a < TEXTS.get(f).answers().size(); a++) {
                int[] answer = TEXTS.get(f).answers().get(a);
                int[] whole = Arrays.copyOf(prompt, prompt.length + answer.length);
                System.arraycopy(answer, 0, whole, prompt.length, answer.length);
                float[] alone = model.logProbabilities(List.of(whole)).get(0);
                assertThat(found[f][a]).hasSize(answer.length);
                for (int t = 0; t < answer.length; t++) {
                    assertThat(found[f][a][t])
                            .as("text %d, answer %d, token %d", f, a, t)
                            .isCloseTo(alone[prompt.length - 1 + t], within(2e-5));
                }
            }
        }
    }

    @Test
    void theObjectiveSeesEachTextOnceHoweverManyShareACall() {
        List<PromptAnswers> texts = IntStream.range(0, 90)
                .mapToObj(i -> random(i, 20 + i % 30, 5 + i % 7, 12))
                .toList();
        try (LanguageModel model = LanguageModel.random(Fixtures.TINY, 3, ComputeType.FLOAT32);
                TrainableModel free = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableModel bound = TrainableModel.from(model, AdamWSettings.defaults())) {
            List<int[]> calls = new ArrayList<>();
            List<int[]> smaller = new ArrayList<>();
            double loss = free.accumulate(texts, noting(calls));
            double same = bound.accumulate(texts, 7, noting(smaller));
            assertThat(calls).hasSizeBetween(2, 4); // 90 texts of 35 to 76 tokens, 2,048 at once
            assertThat(smaller).allMatch(which -> which.length <= 7).hasSizeLessThan(20);
            for (List<int[]> some : List.of(calls, smaller)) {
                assertThat(some.stream().flatMapToInt(Arrays::stream).sorted())
                        .containsExactlyElementsOf(
                                IntStream.range(0, 90).boxed().toList());
            }
            assertThat(same).isCloseTo(loss, within(1e-6 * Math.abs(loss)));
            assertSameGradients(bound, free, new Layout(model.config()));
        }
    }

    private static AnswerObjective noting(List<int[]> calls) {
        return (which, call) -> {
            calls.add(which);
            return BENT.evaluate(which, call) / 90;
        };
    }

    @Test
    void rowsAreFilledWellAndHoldATextLongerThanTheirRoomAlone() {
        List<PromptAnswers> texts = new ArrayList<>();
        texts.add(random(1, 500, 200, 100));
        IntStream.range(0, 200).forEach(i -> texts.add(random(i, 60 + i % 140, 20 + i % 60, 50)));
        long tokens = texts.stream()
                .mapToLong(text -> text.prompt().length
                        + text.answerTokens()
                        - text.answers().size())
                .sum();
        ModelConfig config = Fixtures.tiny(Family.LLAMA, 1024);
        List<PrefixRows> calls = PrefixRows.plan(texts, config, false, PrefixRows.Form.PACKED, 2048, Integer.MAX_VALUE);
        assertThat(calls).allMatch(rows -> rows.tokens() <= 2048);
        assertThat(calls.stream().mapToLong(PrefixRows::tokens).sum()).isLessThan((long) (1.1 * tokens));
        assertThat(PrefixRows.plan(texts, config, false, PrefixRows.Form.PACKED, 100, Integer.MAX_VALUE))
                .as("one text is never cut")
                .allMatch(rows -> rows.which().length == 1);
    }

    /** 60 tokens and 12 answers of 100 would be a row of 1,248; it is two rows of 654, which the prompt begins. */
    @Test
    void aGroupTooLongForARowHasSeveralAndSaysTheSame() {
        ModelConfig config = Fixtures.tiny(Family.MISTRAL, 320);
        int[] answers = new int[12];
        Arrays.fill(answers, 100);
        List<PromptAnswers> texts = List.of(random(1, 30, 20, 25), random(2, 60, answers), random(3, 40, 30));
        List<PrefixRows> calls = PrefixRows.plan(texts, config, false, PrefixRows.Form.PACKED, 2048, 99);
        assertThat(calls.get(0).length()).isEqualTo(654);
        assertThat(calls.get(0).which()).contains(1);
        assertThat(calls.stream().mapToInt(rows -> rows.which().length).sum()).isEqualTo(3);
        try (LanguageModel model = LanguageModel.random(config, 3, ComputeType.FLOAT32);
                TrainableModel padded = TrainableModel.from(model, AdamWSettings.defaults());
                TrainableModel packed = TrainableModel.from(model, AdamWSettings.defaults())) {
            padded.form(PrefixRows.Form.PADDED);
            AnswerObjective likelihood = (which, call) -> likelihood(call);
            double loss = padded.accumulate(texts, likelihood);
            assertThat(packed.accumulate(texts, likelihood)).isCloseTo(loss, within(1e-5 * loss));
            assertSameGradients(packed, padded, new Layout(config));
        }
    }

    @Test
    void anObjectiveThatFailsLeavesGradientsAndWeightsAlone() {
        try (LanguageModel model = LanguageModel.random(Fixtures.TINY, 3, ComputeType.FLOAT32);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            AnswerObjective throwing = (which, call) -> {
                call.addSlope(0, 0, 1);
                throw new IllegalStateException("the reward is not there");
            };
            AnswerObjective notFinite = (which, call) -> {
                call.logProbabilitySlopes(2, 1)[1] = Double.NaN;
                return 1;
            };
            AnswerObjective lost = (which, call) -> {
                call.addSlope(0, 0, 1);
                return Double.NaN;
            };
            assertThatThrownBy(() -> trainable.accumulate(TEXTS, throwing)).hasMessage("the reward is not there");
            assertThatThrownBy(() -> trainable.accumulate(TEXTS, notFinite))
                    .hasMessageContaining("answer 1 of text 2")
                    .hasMessageContaining("NaN");
            assertThat(trainable.accumulate(TEXTS, lost)).isNaN();
            assertThat(trainable.clip(1)).isZero();
        }
    }

    @Test
    void textsThatTheModelCannotReadAreRefusedWithTheirNumbers() {
        PromptAnswers unknown = text(new int[] {3, 4}, new int[] {5}, new int[] {61});
        PromptAnswers tooLong = random(1, 40, 26);
        try (LanguageModel model = LanguageModel.random(Fixtures.TINY, 3, ComputeType.FLOAT32);
                TrainableModel trainable = TrainableModel.from(model, AdamWSettings.defaults())) {
            assertThatThrownBy(() -> trainable.accumulate(List.of(TEXTS.get(0), unknown), BENT))
                    .hasMessageContaining("61");
            assertThatThrownBy(() -> trainable.logProbabilities(List.of(tooLong)))
                    .hasMessageContaining("40 tokens")
                    .hasMessageContaining("answer of 26")
                    .hasMessageContaining("64");
            assertThat(trainable.logProbabilities(List.of(random(1, 40, 25)))[0][0])
                    .as("the last token is only predicted")
                    .hasSize(25);
            assertThatThrownBy(() -> trainable.accumulate(TEXTS, 0, BENT)).hasMessageContaining("was 0");
            assertThat(trainable.accumulate(List.of(), BENT)).isZero();
        }
    }

    static PromptAnswers text(int[] prompt, int[]... answers) {
        return new PromptAnswers(prompt, List.of(answers));
    }

    private static PromptAnswers random(long seed, int prompt, int... answers) {
        Random random = new Random(seed);
        return new PromptAnswers(
                random.ints(prompt, 3, 61).toArray(),
                Arrays.stream(answers)
                        .mapToObj(length -> random.ints(length, 3, 61).toArray())
                        .toList());
    }

    static void assertSameGradients(Trainable a, Trainable b, Layout layout) {
        for (Layout.Slot slot : layout.slots()) {
            float[] expected = b.gradient(slot.name());
            float largest = 0;
            for (float value : expected) {
                largest = Math.max(largest, Math.abs(value));
            }
            assertThat(a.gradient(slot.name()))
                    .as(slot.name())
                    .containsExactly(expected, within(1e-5f * Math.max(1, largest)));
        }
    }
}
