package io.tidemill.trainer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.PackedBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PackerTest {
    /** Ids tell where they come from: example · 1000 + place in the example. */
    private static TrainingSequence sequence(int example, int tokens, boolean[] mask) {
        int[] ids =
                IntStream.range(0, tokens).map(place -> example * 1000 + place).toArray();
        return new TrainingSequence("example-" + example, ids, mask, 1);
    }

    private static TrainingSequence sequence(int example, int tokens) {
        return sequence(example, tokens, new boolean[0]);
    }

    private static List<TrainingSequence> randomSequences(Random random, int longest) {
        List<TrainingSequence> sequences = new ArrayList<>();
        int count = 1 + random.nextInt(40);
        for (int example = 0; example < count; example++) {
            int tokens = 1 + random.nextInt(longest);
            boolean[] mask = new boolean[random.nextBoolean() ? tokens : 0];
            for (int i = 0; i < mask.length; i++) {
                mask[i] = random.nextInt(3) == 0;
            }
            sequences.add(sequence(example, tokens, mask));
        }
        return sequences;
    }

    /** Each target with the token before it, as "before→target"; how often. */
    private static TreeMap<String, Integer> learned(List<PackedBatch> batches) {
        TreeMap<String, Integer> learned = new TreeMap<>();
        for (PackedBatch batch : batches) {
            for (int row = 0; row < batch.rows(); row++) {
                for (int t = 0; t < batch.length(); t++) {
                    if (batch.targets()[row][t] != PackedBatch.IGNORED) {
                        assertThat(batch.segments()[row][t]).isPositive();
                        learned.merge(batch.ids()[row][t] + "→" + batch.targets()[row][t], 1, Integer::sum);
                    }
                }
            }
        }
        return learned;
    }

    @Test
    void everyTokenToLearnIsATargetExactlyOnceInFiveHundredRandomCases() {
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            int length = 2 + random.nextInt(60);
            Packer packer = new Packer(
                    1 + random.nextInt(5), length, new Packer.Policy(1 + random.nextInt(9), random.nextBoolean()));
            List<TrainingSequence> sequences = randomSequences(random, 150);

            TreeMap<String, Integer> expected = new TreeMap<>();
            for (TrainingSequence sequence : sequences) {
                for (int i = 1; i < sequence.ids().length; i++) {
                    if (sequence.learns(i)) {
                        expected.put(sequence.ids()[i - 1] + "→" + sequence.ids()[i], 1);
                    }
                }
            }
            assertThat(learned(packer.pack(sequences))).as("seed %d", seed).isEqualTo(expected);
        }
    }

    @Test
    void segmentsAreStretchesOfOneExampleInFiveHundredRandomCases() {
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            Packer packer = new Packer(2, 2 + random.nextInt(60), new Packer.Policy(4, random.nextBoolean()));
            for (PackedBatch batch : packer.pack(randomSequences(random, 100))) {
                for (int row = 0; row < batch.rows(); row++) {
                    for (int t = 1; t < batch.length(); t++) {
                        int before = batch.segments()[row][t - 1];
                        int here = batch.segments()[row][t];
                        assertThat(here == before || here == before + 1 || here == 0)
                                .as("seed %d: segment %d after %d", seed, here, before)
                                .isTrue();
                        if (here != 0 && here == before) {
                            assertThat(batch.ids()[row][t]).as("seed %d", seed).isEqualTo(batch.ids()[row][t - 1] + 1);
                        }
                    }
                }
            }
        }
    }

    @Test
    void aLongDocumentGoesOnInTheNextWindowWithItsLastTargetAsFirstToken() {
        List<PackedBatch> batches = new Packer(1, 4).pack(List.of(sequence(0, 7)));
        assertThat(batches).hasSize(2);
        assertThat(batches.get(0).ids()[0]).containsExactly(0, 1, 2, 3);
        assertThat(batches.get(0).targets()[0]).containsExactly(1, 2, 3, 4);
        assertThat(batches.get(1).ids()[0]).containsExactly(4, 5, 0, 0);
        assertThat(batches.get(1).targets()[0]).containsExactly(5, 6, PackedBatch.IGNORED, PackedBatch.IGNORED);
        assertThat(batches.get(1).segments()[0]).containsExactly(1, 1, 0, 0);
    }

    @Test
    void atLeastNinetySevenPercentOfThePositionsOfManyDocumentsAreUsed() {
        Random random = new Random(7);
        List<TrainingSequence> sequences = IntStream.range(0, 900)
                .mapToObj(example -> sequence(example, 20 + random.nextInt(600)))
                .toList();
        List<PackedBatch> batches = new Packer(8, 256).pack(sequences);
        long used = sequences.stream()
                .mapToLong(sequence -> sequence.ids().length - 1)
                .sum();
        long positions = batches.stream()
                .mapToLong(batch -> (long) batch.rows() * batch.length())
                .sum();
        assertThat((double) used / positions).isGreaterThanOrEqualTo(0.97);
    }

    @Test
    void conversationsThatFitIntoARowAreNeverCut() {
        Random random = new Random(11);
        List<TrainingSequence> sequences = IntStream.range(0, 300)
                .mapToObj(example -> sequence(example, 2 + random.nextInt(60)))
                .toList();
        for (PackedBatch batch : new Packer(4, 64, Packer.Policy.WHOLE).pack(sequences)) {
            for (int row = 0; row < batch.rows(); row++) {
                for (int t = 0; t < batch.length(); t++) {
                    boolean begins = batch.segments()[row][t] != 0
                            && (t == 0 || batch.segments()[row][t] != batch.segments()[row][t - 1]);
                    if (begins) {
                        assertThat(batch.ids()[row][t] % 1000).isZero();
                    }
                }
            }
        }
    }

    @Test
    void addingOneByOneGivesTheSameBatchesAsAllAtOnce() {
        List<TrainingSequence> sequences = randomSequences(new Random(3), 120);
        Packer packer = new Packer(2, 16);
        List<PackedBatch> oneByOne = new ArrayList<>();
        for (TrainingSequence sequence : sequences) {
            Optional<PackedBatch> full = packer.add(sequence);
            full.ifPresent(oneByOne::add);
        }
        oneByOne.addAll(packer.flush());
        assertThat(oneByOne).usingRecursiveComparison().isEqualTo(new Packer(2, 16).pack(sequences));
    }

    @Test
    void batchesNameTheExamplesInThem() {
        List<PackedExamples> packed = new Packer(1, 8).packWithOrigins(List.of(sequence(1, 4), sequence(2, 10)));
        for (PackedExamples one : packed) {
            long ids = IntStream.of(one.batch().ids()[0])
                    .filter(id -> id != 0)
                    .map(id -> id / 1000)
                    .distinct()
                    .count();
            assertThat(one.exampleIds()).hasSize((int) ids);
        }
        assertThat(packed.stream().flatMap(one -> one.exampleIds().stream()).distinct())
                .containsExactlyInAnyOrder("example-1", "example-2");
    }

    @Test
    void aMaskOfAnotherLengthIsRefusedWithBothLengths() {
        assertThatThrownBy(() -> new TrainingSequence("x", new int[3], new boolean[2], 1))
                .hasMessageContaining("3 tokens")
                .hasMessageContaining("mask of 2");
    }

    @Test
    void everyTokenBearsTheWeightOfItsExampleAndWhereAllCountOnceThereIsNone() {
        TrainingSequence heavy = new TrainingSequence("heavy", new int[] {1, 2, 3}, new boolean[0], 2);
        TrainingSequence light = new TrainingSequence("light", new int[] {4, 5}, new boolean[0], 0.5);
        PackedBatch batch = new Packer(1, 4).pack(List.of(heavy, light)).get(0);
        assertThat(batch.weights()[0]).containsExactly(2f, 2f, 0.5f, 0f);
        assertThat(batch.lossWeight()).isEqualTo(4.5);
        PackedBatch alike = new Packer(1, 4).pack(List.of(sequence(1, 3))).get(0);
        assertThat(alike.weights()).isEmpty();
        assertThat(alike.lossWeight()).isEqualTo(2);
    }
}
