package io.tidemill.trainer.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.FinishReason;
import io.tidemill.trainer.reward.Judgement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RolloutStoreTest {
    private static final Map<String, RolloutPrompt> PROMPTS = Stream.of("a", "b", "ü/?\n")
            .map(Made::prompt)
            .collect(Collectors.toMap(RolloutPrompt::promptId, Function.identity()));
    private static final Harvest.Origin ORIGIN = new Harvest.Origin("settings", "weights");

    @TempDir
    Path directory;

    private RolloutStore store;

    @BeforeEach
    void open() {
        store = new RolloutStore(directory, "grpo");
    }

    // ---- exactly what was kept --------------------------------------------------------------------------------------

    /** Any bits at all: also −0, the smallest and the largest numbers. */
    private static double number(Random random) {
        double[] odd = {-0.0, Double.MIN_VALUE, Double.MAX_VALUE, 1 / 3.0, -1e-300};
        return random.nextInt(4) == 0 ? odd[random.nextInt(odd.length)] : random.nextGaussian();
    }

    private static double[] numbers(Random random, int count) {
        return random.doubles(count).map(x -> number(random)).toArray();
    }

    private static RolledAnswer answer(Random random) {
        int n = 1 + random.nextInt(5);
        return new RolledAnswer(
                random.ints(n, 0, 100_000).toArray(),
                numbers(random, n),
                numbers(random, n),
                numbers(random, random.nextBoolean() ? n : 0),
                numbers(random, random.nextBoolean() ? n + 1 : 0),
                FinishReason.values()[random.nextInt(2)],
                new Judgement(number(random), Map.of("length", number(random), "json", number(random))),
                random.nextBoolean() ? OptionalDouble.of(number(random)) : OptionalDouble.empty());
    }

    private static Harvest harvest(Random random, long step) {
        List<Rollout> rollouts = new ArrayList<>();
        for (int r = random.nextInt(4); r > 0; r--) {
            List<RolledAnswer> answers = new ArrayList<>();
            for (int a = random.nextInt(4); a >= 0; a--) {
                answers.add(answer(random));
            }
            List<RolloutPrompt> prompts = List.copyOf(PROMPTS.values());
            rollouts.add(new Rollout(prompts.get(random.nextInt(3)), random.nextLong(), answers));
        }
        Map<String, Double> before = new HashMap<>(Map.of("kl_coefficient", number(random)));
        return new Harvest(step, ORIGIN, before, random.nextInt(9), random.nextInt(9), rollouts);
    }

    @Test
    void everyNumberComesBackAsItWasBitForBit() throws IOException {
        for (long seed = 0; seed < 500; seed++) {
            Harvest harvest = harvest(new Random(seed), seed);
            byte[] written = HarvestFile.write(harvest);
            Harvest read = HarvestFile.read(written, PROMPTS);
            // What is written again has the same bytes, so nothing was lost; the rest shows that it is not lost twice.
            assertThat(HarvestFile.write(read)).as("seed " + seed).isEqualTo(written);
            assertThat(read.step()).isEqualTo(seed);
            assertThat(read.before()).isEqualTo(harvest.before());
            assertThat(read.rollouts()).hasSameSizeAs(harvest.rollouts());
            for (int r = 0; r < read.rollouts().size(); r++) {
                Rollout mine = read.rollouts().get(r);
                Rollout theirs = harvest.rollouts().get(r);
                assertThat(mine.prompt()).isSameAs(theirs.prompt());
                assertThat(mine.epoch()).isEqualTo(theirs.epoch());
                for (int a = 0; a < mine.answers().size(); a++) {
                    assertThat(mine.answers().get(a))
                            .as("seed " + seed)
                            .usingRecursiveComparison()
                            .isEqualTo(theirs.answers().get(a));
                }
            }
        }
    }

    @Test
    void oneWrongBitOrAMissingEndIsNoticedWhereverItIs() {
        byte[] written = HarvestFile.write(harvest(new Random(3), 1));
        for (long seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            byte[] damaged = written.clone();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            assertThatThrownBy(() -> HarvestFile.read(damaged, PROMPTS))
                    .as("seed " + seed)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("its digest does not fit");
            byte[] half = Arrays.copyOf(written, random.nextInt(written.length));
            assertThatThrownBy(() -> HarvestFile.read(half, PROMPTS))
                    .as("seed " + seed)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("its digest does not fit");
        }
    }

    @Test
    void aPromptThatIsNoLongerThereIsNamed() {
        byte[] written = HarvestFile.write(Made.harvest(Made.rollout("a", Made.answer(1, 5))));
        assertThatThrownBy(() -> HarvestFile.read(written, Map.of()))
                .isInstanceOf(IOException.class)
                .hasMessage("its prompt a is none of this stage's");
    }

    // ---- used or not ------------------------------------------------------------------------------------------------

    private Path file(long step) {
        return directory.resolve("rollouts-grpo-" + step + ".bin");
    }

    private static Harvest harvest(long step) {
        Rollout rollout = Made.rollout("a", Made.answer(1, 5), Made.answer(2, 6));
        return new Harvest(step, ORIGIN, Map.of("prompts_asked", 4.0), 1, 0, List.of(rollout));
    }

    @Test
    void rolloutsThatNoSavedWeightsHaveUsedAreReadBackIfTheyAreWholeAndTheseWeightsMadeThem() throws IOException {
        Map<String, Double> before = Map.of("prompts_asked", 4.0);
        assertThat(store.unused(5, ORIGIN, before, PROMPTS)).isEmpty(); // never made

        store.keep(harvest(5));
        assertThat(store.unused(5, ORIGIN, before, PROMPTS)).hasValueSatisfying(kept -> assertThat(
                        kept.rollouts().get(0).answers().get(1).reward())
                .isEqualTo(2));

        // A half, as a program killed while it writes would leave if it did not write aside.
        byte[] whole = Files.readAllBytes(file(5));
        Files.write(file(5), Arrays.copyOf(whole, whole.length / 2));
        assertThat(store.unused(5, ORIGIN, before, PROMPTS)).isEmpty();
    }

    @Test
    void rolloutsOfOtherWeightsSettingsOrMemoryAreMadeAgain() {
        Map<String, Double> before = Map.of("prompts_asked", 4.0);
        store.keep(harvest(5));
        assertThat(store.unused(5, new Harvest.Origin("settings", "others"), before, PROMPTS))
                .isEmpty();
        assertThat(store.unused(5, new Harvest.Origin("others", "weights"), before, PROMPTS))
                .isEmpty();
        assertThat(store.unused(5, ORIGIN, Map.of("prompts_asked", 8.0), PROMPTS))
                .isEmpty();
        assertThat(store.unused(5, ORIGIN, before, PROMPTS)).isPresent();
    }

    @Test
    void rolloutsThatSavedWeightsHaveUsedAreNeverMadeAgain() throws IOException {
        assertThatThrownBy(() -> store.used(5, "settings", PROMPTS))
                .isInstanceOf(RolloutsLostException.class)
                .hasMessage(
                        "Stage grpo cannot go on from its saved state: that has learned from the rollouts of step 5 in"
                                + " part, and " + file(5)
                                + " cannot be used, because it is not there. Put the file back, or start"
                                + " the stage afresh");
        store.keep(harvest(5));
        assertThat(store.used(5, "settings", PROMPTS).step()).isEqualTo(5);
        assertThatThrownBy(() -> store.used(5, "others", PROMPTS))
                .isInstanceOf(RolloutsLostException.class)
                .hasMessageContaining("it was made with other settings or prompts");
        Files.copy(file(5), file(6));
        assertThatThrownBy(() -> store.used(6, "settings", PROMPTS)).isInstanceOf(RolloutsLostException.class);
        Files.write(file(5), new byte[7]);
        assertThatThrownBy(() -> store.used(5, "settings", PROMPTS))
                .isInstanceOf(RolloutsLostException.class)
                .hasMessageContaining("its digest does not fit its 7 bytes");
    }

    @Test
    void onlyOldRolloutsOfThisStageAreDeleted() throws IOException {
        RolloutStore other = new RolloutStore(directory, "grpo-2");
        for (long step : List.of(1L, 9L, 10L, 11L)) {
            store.keep(harvest(step));
        }
        other.keep(harvest(1));
        Files.writeString(directory.resolve("position.json"), "{}");
        store.deleteBefore(10);
        try (Stream<Path> left = Files.list(directory)) {
            assertThat(left.map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "rollouts-grpo-10.bin", "rollouts-grpo-11.bin", "rollouts-grpo-2-1.bin", "position.json");
        }
    }

    @Test
    void aDiskThatRefusesIsNamedAndNothingWasLearned() {
        RolloutStore nowhere = new RolloutStore(directory.resolve("gone"), "grpo");
        assertThatThrownBy(() -> nowhere.keep(harvest(5)))
                .hasMessageContaining(
                        "Cannot keep the rollouts of step 5 of stage grpo in " + directory.resolve("gone"))
                .hasMessageContaining("Nothing was learned from them");
    }
}
