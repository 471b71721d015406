package io.tidemill.model.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** What {@code bench/peers/make_engine_fixtures.py} wrote, and small models and batches made here. */
final class Fixtures {
    static final ModelConfig TINY = new ModelConfig(61, 32, 48, 2, 4, 2, 8, 64, 10_000, 1e-5, true, 0.2, 1, List.of(2));

    private Fixtures() {}

    /** {@link #TINY} as each family would have it; where there can be a window, it holds 5 tokens. */
    static ModelConfig tiny(Family family, int positions) {
        boolean choosesBias = family.mayChooseAttentionBias();
        boolean hasWindow = family != Family.LLAMA && family != Family.GPT2;
        return new ModelConfig(
                family,
                61,
                32,
                48,
                2,
                4,
                family == Family.GPT2 ? 4 : 2,
                8,
                positions,
                10_000,
                1e-5,
                true,
                0.2,
                1,
                List.of(2),
                RopeScaling.NONE,
                choosesBias,
                family == Family.LLAMA,
                hasWindow ? 5 : 0,
                family.mayChooseWindowLayers() ? 1 : 0);
    }

    static Path directory(String name) {
        try {
            return Path.of(Fixtures.class.getResource("/fixtures/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static JsonNode expected(String name) {
        try {
            return new ObjectMapper()
                    .readTree(directory(name).resolve("expected.json").toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }

    static double[] doubles(JsonNode array) {
        return IntStream.range(0, array.size())
                .mapToDouble(i -> array.get(i).asDouble())
                .toArray();
    }

    static int[][] rows(JsonNode array) {
        return IntStream.range(0, array.size())
                .mapToObj(i -> ints(array.get(i)))
                .toArray(int[][]::new);
    }

    /** One example per row. */
    static PackedBatch batch(JsonNode expected) {
        int[][] ids = rows(expected.get("ids"));
        int[][] segments = new int[ids.length][ids[0].length];
        for (int[] row : segments) {
            java.util.Arrays.fill(row, 1);
        }
        return new PackedBatch(ids, rows(expected.get("targets")), segments);
    }

    /**
     * Direct preference optimisation as the fixtures have it, an objective over answers: equation 7 of Rafailov et al.
     * (2023), arXiv:2305.18290, plus the chosen answer's mean loss.
     *
     * <pre>  Σ_p w_p / W · (−log σ(β·m_p) + s·NLL(chosen)/|chosen|)  </pre>
     *
     * @param reference log-probabilities of both answers; nats
     * @param weight    w_p / W
     * @param rewards   filled: of both answers, β·(log π − log ref)
     */
    record Dpo(
            List<PromptAnswers> texts,
            double[][] reference,
            double[] weight,
            double beta,
            double supervised,
            double[][] rewards)
            implements AnswerObjective {

        @Override
        public double evaluate(int[] which, AnswerCall call) {
            double loss = 0;
            for (int f = 0; f < which.length; f++) {
                int p = which[f];
                for (int a = 0; a < 2; a++) {
                    rewards[p][a] = beta * (call.logProbability(f, a) - reference[p][a]);
                }
                double margin = rewards[p][0] - rewards[p][1];
                double slope = -weight[p] * beta / (1 + Math.exp(margin));
                double mean = supervised * weight[p] / call.logProbabilities(f, 0).length;
                loss += weight[p] * Math.log1p(Math.exp(-margin)) - mean * call.logProbability(f, 0);
                call.addSlope(f, 0, slope - mean);
                call.addSlope(f, 1, -slope);
            }
            return loss;
        }
    }

    static Dpo dpo(JsonNode preference) {
        List<PromptAnswers> texts = new ArrayList<>();
        int count = preference.get("pairs").size();
        double[][] reference = new double[count][];
        double[] weight = new double[count];
        for (JsonNode pair : preference.get("pairs")) {
            int p = texts.size();
            texts.add(new PromptAnswers(
                    ints(pair.get("prompt")), List.of(ints(pair.get("chosen")), ints(pair.get("rejected")))));
            reference[p] = new double[] {
                pair.get("referenceChosen").asDouble(),
                pair.get("referenceRejected").asDouble()
            };
            weight[p] = pair.get("weight").asDouble()
                    / preference.get("weightOfStep").asDouble();
        }
        return new Dpo(
                texts,
                reference,
                weight,
                preference.get("beta").asDouble(),
                preference.get("supervised").asDouble(),
                new double[count][2]);
    }

    /** One pair at β = 0.1, with nothing supervised. */
    static Dpo dpo(PromptAnswers pair, double referenceChosen, double referenceRejected) {
        double[][] reference = {{referenceChosen, referenceRejected}};
        return new Dpo(List.of(pair), reference, new double[] {1}, 0.1, 0, new double[1][2]);
    }

    /** Random ids, every position but the last with a target. */
    static PackedBatch randomBatch(ModelConfig config, long seed, int rows, int length) {
        Random random = new Random(seed);
        int[][] ids = new int[rows][];
        int[][] targets = new int[rows][length];
        int[][] segments = new int[rows][length];
        for (int row = 0; row < rows; row++) {
            ids[row] = random.ints(length, 0, config.vocabularySize()).toArray();
            for (int t = 0; t < length; t++) {
                targets[row][t] = t + 1 < length ? ids[row][t + 1] : PackedBatch.IGNORED;
                segments[row][t] = 1;
            }
        }
        return new PackedBatch(ids, targets, segments);
    }
}
