package io.tidemill.trainer.offline;

import static io.tidemill.trainer.offline.Runs.run;
import static io.tidemill.trainer.offline.Runs.sha256;
import static io.tidemill.trainer.offline.Runs.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.trainer.offline.Runs.Heard;
import io.tidemill.trainer.offline.Runs.Interrupted;
import io.tidemill.trainer.offline.recipe.RecipeException;
import io.tidemill.trainer.rollout.Algorithms;
import io.tidemill.trainer.round.TinyBase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RolloutRunTest {
    @TempDir
    static Path shared;

    private static Path model;
    private static Path prompts;

    @TempDir
    Path directory;

    private Map<String, String> recipe;

    @BeforeAll
    static void write() throws IOException {
        model = TinyBase.write(shared.resolve("tiny"));
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            rows.append("{\"prompt\":\"Question ").append(i).append(":\",\"solution\":\"yes\"}\n");
        }
        prompts = Files.writeString(shared.resolve("prompts.jsonl"), rows.toString());
    }

    @BeforeEach
    void recipe() {
        recipe = with(
                Map.of(),
                "model",
                model.toString(),
                "output_dir",
                directory.resolve("output").toString(),
                "train_data",
                prompts.toString(),
                "eval_split",
                "0.2",
                "per_device_train_batch_size",
                "4",
                "max_steps",
                "5",
                "learning_rate",
                "1e-3",
                "save_steps",
                "2",
                "compute_type",
                "float32",
                "rewards",
                "[{kind: length, unit: characters, target: 20}]",
                "rollout",
                "{max_completion_length: 8}");
    }

    static List<String> algorithms() {
        return Algorithms.names();
    }

    @ParameterizedTest
    @MethodSource("algorithms")
    void aRunInterruptedBetweenRolloutsEndsWithTheSameWeights(String stage) throws IOException {
        Path straight = directory.resolve("straight");
        Map<String, String> all = with(recipe, "stage", stage);
        Map<String, Double> results = run(with(all, "output_dir", straight.toString()), new Heard());
        assertThatThrownBy(() -> run(all, new Heard(4))).isInstanceOf(Interrupted.class);
        run(all, new Heard());

        assertThat(results).containsKeys("eval_reward", "eval_reward_length", "eval_answer_tokens");
        assertThat(sha256(directory.resolve("output").resolve("model.safetensors")))
                .isEqualTo(sha256(straight.resolve("model.safetensors")));
    }

    @Test
    void rewardsAreAskedForAndUnknownSettingsOfRolloutsNamed() {
        Map<String, String> all = with(recipe, "stage", "online-dpo");
        assertThatThrownBy(() -> run(with(all, "rewards", "[]"), new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("The recipe needs rewards");
        assertThatThrownBy(() -> run(with(all, "rewards", "[{kind: lenth}]"), new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("lenth");
        assertThatThrownBy(() -> run(with(all, "rollout", "{num_generation: 2}"), new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("rollout has num_generation, which online-dpo does not take");
        assertThatThrownBy(() -> run(with(all, "rollout", "{num_generations: 1}"), new Heard()))
                .hasMessageContaining("needs at least 2");
    }

    @Test
    void whatIsHeldOutJudgesTheSameAnswers() throws IOException {
        Map<String, String> all = with(
                recipe,
                "stage",
                "grpo",
                "logging_steps",
                "1",
                "held_out_rewards",
                "[{kind: length, name: opposite, unit: characters, target: 20, weight: -1}]");
        Heard heard = new Heard();
        Map<String, Double> results = run(all, heard);
        assertThat(results.get("eval_held_out_reward")).isEqualTo(-results.get("eval_reward"));
        assertThat(heard.figures)
                .filteredOn(figures -> figures.containsKey("reward"))
                .hasSize(5)
                .allSatisfy(
                        figures -> assertThat(figures.get("held_out_reward")).isEqualTo(-figures.get("reward")));
        Map<String, String> without = with(
                recipe,
                "stage",
                "grpo",
                "output_dir",
                directory.resolve("without").toString());
        assertThat(run(without, new Heard())).doesNotContainKey("eval_held_out_reward");
    }

    @Test
    void theGuardStopsWhereTheRewardsRiseAndWhatIsHeldOutFalls() {
        Map<String, String> all = with(
                recipe,
                "stage",
                "grpo",
                "max_steps",
                "20",
                "learning_rate",
                "5e-2",
                "rollout",
                "{num_generations: 8, max_completion_length: 8}",
                "rewards",
                "[{kind: length, unit: characters, target: 1}]",
                "held_out_rewards",
                "[{kind: length, unit: characters, target: 1, weight: -1}]");
        assertThatThrownBy(() -> run(all, new Heard())).hasMessageContaining("while the held-out one fell");
    }

    @Test
    void heldOutRewardsThatCannotBeMadeAreRefusedBeforeAnythingStarts() {
        Map<String, String> all = with(recipe, "stage", "grpo", "held_out_rewards", "[{kind: lenth}]");
        Heard heard = new Heard();
        assertThatThrownBy(() -> run(all, heard))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("held_out_rewards")
                .hasMessageContaining("lenth");
        assertThat(heard.losses).isEmpty();
    }
}
