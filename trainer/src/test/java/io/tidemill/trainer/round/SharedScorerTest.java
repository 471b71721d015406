package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.LanguageModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SharedScorerTest {
    private static final LanguageModel NONE = null; // the calls below ask no model

    @Test
    void eachSequenceHasItsOwnValuesWhateverThreadFoundThem() {
        List<int[]> sequences = random(200, 1, 300);
        List<float[]> alone = SharedScorerTest.first(NONE, sequences, 4096);

        List<float[]> shared = new SharedScorer(3, SharedScorerTest::first).logProbabilities(NONE, sequences, 4096);

        assertThat(shared).usingRecursiveComparison().isEqualTo(alone);
    }

    @Test
    void callsRunSideBySideAndTogetherHoldNoMoreThanAllowed() throws InterruptedException {
        CountDownLatch both = new CountDownLatch(2);
        List<Integer> held = Collections.synchronizedList(new ArrayList<>());
        SharedScorer shared = new SharedScorer(2, (model, sequences, atOnce) -> {
            held.add(sequences.size() * sequences.get(0).length);
            both.countDown();
            await(both); // a single thread would wait here for ever
            return first(model, sequences, atOnce);
        });

        shared.logProbabilities(NONE, random(64, 128, 128), 4096);

        assertThat(both.await(0, TimeUnit.SECONDS)).isTrue();
        assertThat(held).hasSize(4).allSatisfy(tokens -> assertThat(tokens).isLessThanOrEqualTo(2048));
    }

    @Test
    void whoeverWaitsMayEndTheWorkAndNoCallIsBegunAfterwards() {
        List<Integer> begun = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch ended = new CountDownLatch(1);
        SharedScorer shared = new SharedScorer(2, (model, sequences, atOnce) -> {
            begun.add(sequences.size());
            await(ended);
            return first(model, sequences, atOnce);
        });
        Runnable between = () -> {
            if (begun.size() == 2) {
                ended.countDown();
                throw new RoundAbandonedException("a rollback");
            }
        };

        assertThatThrownBy(() -> shared.logProbabilities(NONE, random(640, 128, 128), 4096, between))
                .isInstanceOf(RoundAbandonedException.class);
        assertThat(begun).hasSizeLessThan(40);
    }

    @Test
    void littleRoomIsLeftToOneThread() {
        List<Thread> threads = Collections.synchronizedList(new ArrayList<>());
        new SharedScorer(8, (model, sequences, atOnce) -> {
                    threads.add(Thread.currentThread());
                    return first(model, sequences, atOnce);
                })
                .logProbabilities(NONE, random(64, 128, 128), 1024);

        assertThat(threads).containsExactly(Thread.currentThread());
    }

    @Test
    void whatACallFailsOfIsWhatTheCallerSees() {
        RuntimeException reason = new IllegalStateException("no memory");
        SharedScorer shared = new SharedScorer(2, (model, sequences, atOnce) -> {
            throw reason;
        });

        assertThatThrownBy(() -> shared.logProbabilities(NONE, random(8, 2, 9), 4096))
                .isSameAs(reason);
    }

    /** A sequence's first token, as often as it has tokens to predict. */
    private static List<float[]> first(LanguageModel model, List<int[]> sequences, int atOnce) {
        return sequences.stream()
                .map(sequence -> {
                    float[] values = new float[sequence.length - 1];
                    Arrays.fill(values, sequence[0]);
                    return values;
                })
                .toList();
    }

    private static void await(CountDownLatch latch) {
        try {
            if (!latch.await(20, TimeUnit.SECONDS)) {
                throw new AssertionError("no second call came");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static List<int[]> random(int count, int least, int most) {
        Random random = new Random(1);
        List<int[]> sequences = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sequences.add(random.ints(least + random.nextInt(most - least + 1), 0, 1000)
                    .toArray());
        }
        return sequences;
    }
}
