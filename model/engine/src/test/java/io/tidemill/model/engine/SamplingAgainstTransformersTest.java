package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What {@code bench/peers/make_sampling_fixtures.py} wrote: transformers' logits processors, and its answers. */
class SamplingAgainstTransformersTest {
    private static final JsonNode EXPECTED = Fixtures.expected("sampling");
    private static final double[] LOGITS = Fixtures.doubles(EXPECTED.get("logits"));
    private static final int DRAWS = 5000;
    private static LanguageModel model;

    @BeforeAll
    static void open() {
        Threads.intraOp(1);
        model = LanguageModel.random(
                new ModelConfig(LOGITS.length, 32, 48, 1, 4, 2, 8, 64, 10_000, 1e-5, true, 0.2, 1, List.of(2)),
                1,
                ComputeType.FLOAT32);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void everySettingDrawsFromWhatTransformersLeavesByItsProbabilities() {
        for (JsonNode expected : EXPECTED.get("cases")) {
            double[] settings = Fixtures.doubles(expected.get("settings"));
            assertThat(shares(draw(List.of(settings), settings[0] > 0 ? 3 : 0)))
                    .as("settings " + expected.get("settings"))
                    .containsExactly(probabilities(expected), within(2.0 / DRAWS));
        }
    }

    @Test
    void rowsOfOneCallKeepTheirOwnSettings() {
        List<double[]> all = new ArrayList<>();
        EXPECTED.get("cases").forEach(expected -> all.add(Fixtures.doubles(expected.get("settings"))));
        int[] together = draw(all, 3);
        for (int i = 0; i < all.size(); i++) {
            int[] own = Arrays.copyOfRange(together, i * DRAWS, (i + 1) * DRAWS);
            assertThat(shares(own))
                    .containsExactly(probabilities(EXPECTED.get("cases").get(i)), within(2.0 / DRAWS));
        }
    }

    /** Draws with numbers that lie evenly in [0, 1), so that shares are probabilities but for rounding. */
    private static int[] draw(List<double[]> settings, int kind) {
        int rows = settings.size() * DRAWS;
        float[] z = new float[rows * LOGITS.length];
        boolean[] seen = new boolean[rows * LOGITS.length];
        double[] rowSettings = new double[5 * rows];
        double[] chances = new double[rows];
        for (int row = 0; row < rows; row++) {
            for (int token = 0; token < LOGITS.length; token++) {
                z[row * LOGITS.length + token] = (float) LOGITS[token];
            }
            for (JsonNode token : EXPECTED.get("seen")) {
                seen[row * LOGITS.length + token.asInt()] = true;
            }
            System.arraycopy(settings.get(row / DRAWS), 0, rowSettings, 5 * row, 5);
            chances[row] = (row % DRAWS + 0.5) / DRAWS;
        }
        try (PtNDManager step = TorchProgram.open()) {
            long[] tokens = model.program()
                    .infer(
                            step,
                            "choose",
                            step.create(z, new Shape(rows, LOGITS.length)),
                            step.create(seen, new Shape(rows, LOGITS.length)),
                            step.create(rowSettings, new Shape(rows, 5)),
                            step.create(chances),
                            kind)
                    .get(0)
                    .toLongArray();
            return Arrays.stream(tokens).mapToInt(Math::toIntExact).toArray();
        }
    }

    private static double[] shares(int[] tokens) {
        double[] shares = new double[LOGITS.length];
        Arrays.stream(tokens).forEach(token -> shares[token] += 1.0 / tokens.length);
        return shares;
    }

    private static double[] probabilities(JsonNode expected) {
        double[] p = new double[LOGITS.length];
        for (int i = 0; i < expected.get("kept").size(); i++) {
            p[expected.get("kept").get(i).asInt()] =
                    expected.get("probabilities").get(i).asDouble();
        }
        return p;
    }

    @Test
    void greedyAnswersWithAndWithoutAPenaltyAreThoseOfTransformers() {
        try (LanguageModel tied = LanguageModel.load(Fixtures.directory("tied"), ComputeType.FLOAT32)) {
            for (JsonNode answer : EXPECTED.get("answers")) {
                Generation made = new Generator(tied)
                        .generate(
                                Fixtures.ints(answer.get("prompt")),
                                new Sampling(0, 1, 0, 0, answer.get("penalty").asDouble(), 24, 0, Set.of()),
                                (token, logProbability) -> true);
                assertThat(made.tokens()).containsExactly(Fixtures.ints(answer.get("tokens")));
            }
        }
    }

    @Test
    void answersWrittenTogetherAreThoseOfTransformersToo() {
        try (LanguageModel tied = LanguageModel.load(Fixtures.directory("tied"), ComputeType.FLOAT32)) {
            for (double penalty : new double[] {1, 1.5}) {
                List<JsonNode> answers = IntStream.range(
                                0, EXPECTED.get("answers").size())
                        .mapToObj(EXPECTED.get("answers")::get)
                        .filter(answer -> answer.get("penalty").asDouble() == penalty)
                        .toList();
                List<Generation> made = new Generator(tied)
                        .generate(
                                answers.stream()
                                        .map(answer -> Fixtures.ints(answer.get("prompt")))
                                        .toList(),
                                new Sampling(0, 1, 0, 0, penalty, 24, 0, Set.of()),
                                3);
                for (int i = 0; i < answers.size(); i++) {
                    assertThat(made.get(i).tokens())
                            .containsExactly(Fixtures.ints(answers.get(i).get("tokens")));
                }
            }
        }
    }
}
