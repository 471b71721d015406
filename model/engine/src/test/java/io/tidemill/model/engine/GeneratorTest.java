package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GeneratorTest {
    private static final int[] PROMPT = {5, 17, 40, 8};
    private static final TokenListener ALL = (token, logProbability) -> true;
    private static LanguageModel model;

    @BeforeAll
    static void open() {
        model = LanguageModel.random(Fixtures.TINY, 11, ComputeType.FLOAT32);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @BeforeEach
    void oneThread() {
        Threads.intraOp(1);
    }

    static Stream<Arguments> everyFamilyInBothTypes() {
        return Arrays.stream(Family.values())
                .flatMap(family -> Arrays.stream(ComputeType.values()).map(type -> Arguments.of(family, type)));
    }

    @ParameterizedTest
    @MethodSource("everyFamilyInBothTypes")
    void theCacheChangesNoTokenAndNoLogProbability(Family family, ComputeType type) {
        try (LanguageModel own = LanguageModel.random(Fixtures.tiny(family, 64), 11, type)) {
            Generation made = new Generator(own).generate(PROMPT, Sampling.greedy(30, Set.of()), ALL);
            int[] sequence = PROMPT;
            for (int i = 0; i < made.tokens().length; i++) {
                float[][] logits = own.logits(sequence);
                float[] last = logits[logits.length - 1];
                int best = IntStream.range(0, last.length).reduce(0, (a, b) -> last[b] > last[a] ? b : a);
                float gap = last[best] - last[made.tokens()[i]];
                assertThat(gap).as("token " + i).isLessThanOrEqualTo(type == ComputeType.FLOAT32 ? 1e-5f : 0.05f);
                sequence = Arrays.copyOf(sequence, sequence.length + 1);
                sequence[sequence.length - 1] = made.tokens()[i];
            }
            float[] scored = own.logProbabilities(List.of(sequence)).get(0);
            float[] tail = Arrays.copyOfRange(scored, PROMPT.length - 1, scored.length);
            assertThat(made.logProbabilities())
                    .containsExactly(tail, within(type == ComputeType.FLOAT32 ? 1e-4f : 0.1f));
        }
    }

    @Test
    void theSameSeedGivesTheSameTokensAndAnotherSeedOthers() {
        Generator generator = new Generator(model);
        int[] first = generator.generate(PROMPT, sampling(7), ALL).tokens();
        assertThat(generator.generate(PROMPT, sampling(7), ALL).tokens()).containsExactly(first);
        assertThat(generator.generate(PROMPT, sampling(8), ALL).tokens()).isNotEqualTo(first);
    }

    /** Policy gradients learn the token that ends an answer as they learn any other. */
    @Test
    void theStopTokenIsKnownWithItsLogProbability() {
        Generator generator = new Generator(model);
        int[] free = generator.generate(PROMPT, sampling(7), ALL).tokens();
        int stop = free[3];
        int end = IntStream.range(0, free.length)
                .filter(i -> free[i] == stop)
                .findFirst()
                .getAsInt();
        Generation made = generator.generate(PROMPT, new Sampling(1, 1, 0, 40, 7, Set.of(stop)), ALL);
        assertThat(made.reason()).isEqualTo(FinishReason.STOP);
        assertThat(made.tokens()).containsExactly(Arrays.copyOf(free, end));
        assertThat(made.decided()).containsExactly(Arrays.copyOf(free, end + 1));

        int[] sequence = IntStream.concat(IntStream.of(PROMPT), IntStream.of(made.decided()))
                .toArray();
        float[] scored = model.logProbabilities(List.of(sequence)).get(0);
        assertThat(made.decidedLogProbabilities())
                .containsExactly(Arrays.copyOfRange(scored, PROMPT.length - 1, scored.length), within(1e-4f));

        Generation cut = generator.generate(PROMPT, new Sampling(1, 1, 0, 2, 7, Set.of(stop)), ALL);
        assertThat(cut.stop()).isEmpty();
        assertThat(cut.decided()).containsExactly(cut.tokens());
    }

    @Test
    void eachOfManyAnswersIsDrawnWithItsOwnSeedWhateverItsNeighboursAre() {
        Generator generator = new Generator(model);
        int[] other = {3, 9};
        List<Generation> together = generator.generate(
                List.of(
                        new Generator.Asked(PROMPT, sampling(7)),
                        new Generator.Asked(other, sampling(7)),
                        new Generator.Asked(PROMPT, sampling(8)),
                        new Generator.Asked(PROMPT, sampling(7))),
                4);
        assertThat(together.get(3).tokens()).containsExactly(together.get(0).tokens());
        assertThat(together.get(2).tokens()).isNotEqualTo(together.get(0).tokens());
        assertThat(together.get(0).tokens())
                .containsExactly(generator.generate(PROMPT, sampling(7), ALL).tokens());
        assertThat(together.get(1).tokens())
                .containsExactly(generator.generate(other, sampling(7), ALL).tokens());
    }

    private static Sampling sampling(long seed) {
        return new Sampling(1, 1, 0, 40, seed, Set.of());
    }

    @Test
    void samplingFollowsTheDistribution() {
        float[][] logits = model.logits(PROMPT);
        double[] p = softmax(logits[logits.length - 1]);
        int[] counts = new int[p.length];
        int n = 1500;
        Generator generator = new Generator(model);
        for (int seed = 0; seed < n; seed++) {
            counts[
                    generator.generate(PROMPT, new Sampling(1, 1, 0, 1, seed, Set.of()), ALL)
                            .tokens()[0]]++;
        }
        for (int token = 0; token < p.length; token++) { // five standard deviations and a little
            double deviation = Math.sqrt(p[token] * (1 - p[token]) / n);
            assertThat(counts[token] / (double) n)
                    .as("share of token " + token)
                    .isCloseTo(p[token], within(5 * deviation + 2.0 / n));
        }
    }

    private static double[] softmax(float[] logits) {
        double[] e = IntStream.range(0, logits.length)
                .mapToDouble(i -> Math.exp(logits[i]))
                .toArray();
        double sum = Arrays.stream(e).sum();
        return Arrays.stream(e).map(x -> x / sum).toArray();
    }

    @Test
    void topKAndTopPKeepOnlyTheLikeliest() {
        float[][] logits = model.logits(PROMPT);
        double[] p = softmax(logits[logits.length - 1]);
        int[] order = IntStream.range(0, p.length)
                .boxed()
                .sorted((a, b) -> Double.compare(p[b], p[a]))
                .mapToInt(Integer::intValue)
                .toArray();
        double topP = p[order[0]] + p[order[1]] + p[order[2]] / 2; // the third is needed to reach it
        Set<Integer> seenK = new HashSet<>();
        Set<Integer> seenP = new HashSet<>();
        Generator generator = new Generator(model);
        for (int seed = 0; seed < 300; seed++) {
            seenK.add(generator.generate(PROMPT, new Sampling(2, 1, 2, 1, seed, Set.of()), ALL)
                    .tokens()[0]);
            seenP.add(generator.generate(PROMPT, new Sampling(1, topP, 0, 1, seed, Set.of()), ALL)
                    .tokens()[0]);
        }
        assertThat(seenK).containsExactlyInAnyOrder(order[0], order[1]);
        assertThat(seenP).containsExactlyInAnyOrder(order[0], order[1], order[2]);
    }

    @Test
    void aFlatDistributionKeepsMoreThanAFewHundredTokens() {
        ModelConfig wide = new ModelConfig(700, 32, 48, 1, 4, 2, 8, 64, 10_000, 1e-5, true, 0.2, 1, List.of(2));
        try (LanguageModel own = LanguageModel.random(wide, 11, ComputeType.FLOAT32)) {
            float[] logits = own.logits(PROMPT)[PROMPT.length - 1];
            for (int i = 0; i < logits.length; i++) {
                logits[i] /= 9;
            }
            double[] p = softmax(logits);
            Set<Integer> seen = new HashSet<>();
            for (int seed = 0; seed < 300; seed++) {
                Sampling sampling = new Sampling(9, 0.9, 0, 1, seed, Set.of());
                seen.add(new Generator(own).generate(PROMPT, sampling, ALL).tokens()[0]);
            }
            for (int token : seen) {
                double likelier = Arrays.stream(p).filter(q -> q > p[token]).sum();
                assertThat(likelier)
                        .as("share of tokens likelier than " + token)
                        .isLessThan(0.9 + 1e-4);
            }
            assertThat(seen)
                    .anyMatch(
                            token -> Arrays.stream(p).filter(q -> q > p[token]).count() > 256);
        }
    }

    @Test
    void aStopTokenEndsTheAnswerAndIsNotPartOfIt() {
        Generator generator = new Generator(model);
        int[] free =
                generator.generate(PROMPT, Sampling.greedy(20, Set.of()), ALL).tokens();
        int stop = free[5];
        int expected =
                (int) Arrays.stream(free).takeWhile(token -> token != stop).count();
        List<Integer> heard = new ArrayList<>();
        Generation made = generator.generate(PROMPT, Sampling.greedy(20, Set.of(stop)), (token, p) -> heard.add(token));
        assertThat(made.reason()).isEqualTo(FinishReason.STOP);
        assertThat(made.tokens()).containsExactly(Arrays.copyOf(free, expected));
        assertThat(heard)
                .containsExactlyElementsOf(Arrays.stream(made.tokens()).boxed().toList());
        assertThat(made.logProbabilities()).hasSize(expected);
    }

    @Test
    void aListenerThatHasEnoughCancels() {
        int[] heard = {0};
        Generation made =
                new Generator(model).generate(PROMPT, Sampling.greedy(20, Set.of()), (token, p) -> ++heard[0] < 3);
        assertThat(made.reason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(made.tokens()).hasSize(3);
    }

    @Test
    void anAnswerEndsWhereThePositionsEnd() {
        int[] prompt = IntStream.range(0, 60).map(i -> 3 + i % 40).toArray();
        Generation made = new Generator(model).generate(prompt, Sampling.greedy(20, Set.of()), ALL);
        assertThat(made.tokens()).hasSize(4);
        assertThat(made.reason()).isEqualTo(FinishReason.LENGTH);
        int[] full = IntStream.range(0, 64).map(i -> 3).toArray();
        assertThatThrownBy(() -> new Generator(model).generate(full, Sampling.greedy(1, Set.of()), ALL))
                .hasMessageContaining("64 tokens leaves no position");
    }

    @Test
    void answersWrittenAtOnceAreThoseWrittenOneByOne() throws Exception {
        Generator generator = new Generator(model);
        List<int[]> oneByOne = IntStream.range(0, 8)
                .mapToObj(
                        seed -> generator.generate(PROMPT, sampling(seed), ALL).tokens())
                .toList();
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<int[]>> atOnce = IntStream.range(0, 8)
                    .mapToObj(seed -> threads.submit(() -> {
                        Threads.intraOp(1);
                        return generator.generate(PROMPT, sampling(seed), ALL).tokens();
                    }))
                    .toList();
            for (int seed = 0; seed < 8; seed++) {
                assertThat(atOnce.get(seed).get()).containsExactly(oneByOne.get(seed));
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void settingsThatMakeNoSenseAreRefusedWithTheirValue() {
        assertThatThrownBy(() -> new Sampling(-1, 1, 0, 1, 0, Set.of())).hasMessageContaining("-1.0");
        assertThatThrownBy(() -> new Sampling(1, 0, 0, 1, 0, Set.of())).hasMessageContaining("topP");
        assertThatThrownBy(() -> new Sampling(1, 1, -3, 1, 0, Set.of())).hasMessageContaining("-3");
        assertThatThrownBy(() -> new Sampling(1, 1, 0, 0, 0, Set.of())).hasMessageContaining("maxTokens");
        assertThatThrownBy(() -> new Sampling(1, 1, 0, 1.5, 1, 1, 0, Set.of())).hasMessageContaining("1.5");
        assertThatThrownBy(() -> new Sampling(1, 1, 0, 0, 0, 1, 0, Set.of())).hasMessageContaining("repetitionPenalty");
    }
}
