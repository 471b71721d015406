package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SharedGeneratorTest {
    private static final int[] PROMPT = {5, 17, 40, 8};
    private static final TokenListener ALL = (token, logProbability) -> true;
    private final LanguageModel model = LanguageModel.random(Fixtures.tiny(Family.LLAMA, 128), 11, ComputeType.FLOAT32);
    private final ExecutorService callers = Executors.newCachedThreadPool();

    @AfterEach
    void close() {
        callers.shutdownNow();
        model.close();
    }

    static Stream<Arguments> everyFamilyInBothTypes() {
        return Arrays.stream(Family.values())
                .flatMap(family -> Arrays.stream(ComputeType.values()).map(type -> Arguments.of(family, type)));
    }

    /** Prompts of different lengths come and go, so that rows are moved and the cache grows while others are written. */
    @ParameterizedTest
    @MethodSource("everyFamilyInBothTypes")
    void answersThatShareBatchesHaveTheLogProbabilitiesThatTheModelGivesThemAlone(Family family, ComputeType type) {
        Threads.intraOp(1);
        Random random = new Random(3);
        List<int[]> prompts = IntStream.of(4, 1, 30, 9, 2, 17, 50)
                .mapToObj(length -> random.ints(length, 0, 61).toArray())
                .toList();
        try (LanguageModel own = LanguageModel.random(Fixtures.tiny(family, 128), 11, type)) {
            Generator generator = new Generator(own);
            // Token 2 ends some of them early.
            Sampling sampling = new Sampling(1.5, 1, 0, 60, 4, Set.of(2));
            List<Generation> together = generator.generate(prompts, sampling, 3);
            assertThat(together.stream().map(answer -> answer.tokens().length).distinct())
                    .hasSizeGreaterThan(3);
            for (int i = 0; i < prompts.size(); i++) {
                int[] prompt = prompts.get(i);
                int[] made = together.get(i).tokens();
                int[] whole = Arrays.copyOf(prompt, prompt.length + made.length);
                System.arraycopy(made, 0, whole, prompt.length, made.length);
                float[] scored = own.logProbabilities(List.of(whole)).get(0);
                assertThat(together.get(i).logProbabilities())
                        .containsExactly(
                                Arrays.copyOfRange(scored, prompt.length - 1, scored.length),
                                within(type == ComputeType.FLOAT32 ? 1e-4f : 0.15f));
                if (type == ComputeType.FLOAT32) {
                    assertThat(made)
                            .containsExactly(generator
                                    .generate(prompt, sampling.withSeed(4 + i), ALL)
                                    .tokens());
                }
            }
        }
    }

    @Test
    void manyCallersGetTheAnswersThatEachWouldGetAlone() throws Exception {
        List<int[]> alone = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            alone.add(new Generator(model).generate(prompt(i), sampling(i), ALL).tokens());
        }
        try (SharedGenerator shared = new SharedGenerator(model, 5, 1)) {
            List<Future<Generation>> answers = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                int caller = i;
                answers.add(callers.submit(() -> shared.generate(prompt(caller), sampling(caller), ALL)));
            }
            for (int i = 0; i < 12; i++) {
                assertThat(answers.get(i).get().tokens()).containsExactly(alone.get(i));
            }
        }
    }

    private static int[] prompt(int i) {
        return new Random(i).ints(1 + 3 * i, 0, 61).toArray();
    }

    private static Sampling sampling(int i) {
        return i % 3 == 0
                ? Sampling.greedy(40, Set.of())
                : new Sampling(1, i % 3 == 1 ? 1 : 0.9, 0, 0, i == 4 ? 1.3 : 1, 30 + i, i, Set.of());
    }

    @Test
    void aReaderWhoNeverReadsHoldsUpNobodyElse() throws Exception {
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (SharedGenerator shared = new SharedGenerator(model, 2, 1)) {
            Future<Generation> slow =
                    callers.submit(() -> shared.generate(PROMPT, Sampling.greedy(50, Set.of()), (t, p) -> {
                        stuck.countDown();
                        awaitQuietly(goOn);
                        return true;
                    }));
            stuck.await();
            assertThat(shared.generate(PROMPT, Sampling.greedy(50, Set.of()), ALL)
                            .tokens())
                    .hasSize(50);
            goOn.countDown();
            assertThat(slow.get().tokens()).hasSize(50);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void tokensAreHeardOnTheCallersThread() throws Exception {
        Set<Thread> heardOn = new java.util.HashSet<>();
        try (SharedGenerator shared = new SharedGenerator(model, 2, 1)) {
            shared.generate(
                    PROMPT, Sampling.greedy(5, Set.of()), (t, p) -> heardOn.add(Thread.currentThread()) || true);
        }
        assertThat(heardOn).containsExactly(Thread.currentThread());
    }

    @Test
    void whoHasEnoughKeepsWhatWasHeardAndMakesRoomForTheNext() throws Exception {
        int[] whole = new Generator(model)
                .generate(PROMPT, Sampling.greedy(60, Set.of()), ALL)
                .tokens();
        try (SharedGenerator shared = new SharedGenerator(model, 1, 1)) {
            int[] heard = {0};
            Generation some = shared.generate(PROMPT, Sampling.greedy(60, Set.of()), (t, p) -> ++heard[0] < 7);
            assertThat(some.reason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(some.tokens()).containsExactly(Arrays.copyOf(whole, 7));
            assertThat(some.logProbabilities()).hasSize(7);
            assertThat(shared.generate(PROMPT, Sampling.greedy(60, Set.of()), ALL)
                            .tokens())
                    .containsExactly(whole);
        }
    }

    @Test
    void whatAListenerThrowsReachesItsCallerAlone() throws Exception {
        try (SharedGenerator shared = new SharedGenerator(model, 2, 1)) {
            CountDownLatch started = new CountDownLatch(1);
            Future<Generation> other =
                    callers.submit(() -> shared.generate(PROMPT, Sampling.greedy(60, Set.of()), (t, p) -> {
                        started.countDown();
                        return true;
                    }));
            started.await();
            assertThatThrownBy(() -> shared.generate(PROMPT, Sampling.greedy(9, Set.of()), (t, p) -> {
                        throw new UnsupportedOperationException("no more");
                    }))
                    .isInstanceOf(UnsupportedOperationException.class);
            assertThat(other.get().tokens()).hasSize(60);
        }
    }

    @Test
    void closingEndsWhatIsWrittenAndWhatWaitsWithAnError() throws Exception {
        SharedGenerator shared = new SharedGenerator(model, 1, 1);
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Future<Generation> first =
                callers.submit(() -> shared.generate(PROMPT, Sampling.greedy(120, Set.of()), (t, p) -> {
                    stuck.countDown();
                    awaitQuietly(goOn);
                    return true;
                }));
        stuck.await();
        shared.close();
        goOn.countDown();
        // What had been computed when it closed may be all of it.
        try {
            assertThat(first.get().tokens()).hasSize(120);
        } catch (ExecutionException closed) {
            assertThat(closed).hasMessageContaining("closed");
        }
        assertThatThrownBy(() -> shared.generate(PROMPT, Sampling.greedy(3, Set.of()), ALL))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void aPromptThatDoesNotFitIsRefusedBeforeItWaits() {
        try (SharedGenerator shared = new SharedGenerator(model, 1, 1)) {
            int[] full = IntStream.range(0, 128).map(i -> 3).toArray();
            assertThatThrownBy(() -> shared.generate(full, Sampling.greedy(1, Set.of()), ALL))
                    .hasMessageContaining("128 tokens leaves no position");
            assertThatThrownBy(() -> shared.generate(new int[] {61}, Sampling.greedy(1, Set.of()), ALL))
                    .hasMessageContaining("61");
        }
        assertThatThrownBy(() -> new SharedGenerator(model, 0, 1)).hasMessageContaining("0 and 1");
    }
}
