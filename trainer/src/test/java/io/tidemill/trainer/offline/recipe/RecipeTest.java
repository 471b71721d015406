package io.tidemill.trainer.offline.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecipeTest {
    @TempDir
    Path directory;

    private Recipe read(String yaml, Map<String, String> flags) throws IOException {
        return Recipe.read(Optional.of(Files.writeString(directory.resolve("recipe.yaml"), yaml)), flags);
    }

    @Test
    void aRecipeSaysWhatItSaysAndTheRestIsAsTrainingArgumentsHasIt() throws IOException {
        Recipe recipe = read(
                """
                stage: sft
                learning_rate: 1e-4
                train_data: [a.jsonl, b.csv]
                lora: {r: 8, lora_alpha: 16, target_modules: [q_proj, v_proj]}
                objective: {beta: 0.1, levels: [1, 2]}
                rewards: [{kind: length, target: 20}]
                """,
                Map.of());

        assertThat(recipe.get(Keys.STAGE)).isEqualTo("sft");
        assertThat(recipe.get(Keys.LEARNING_RATE)).isEqualTo(1e-4);
        assertThat(recipe.get(Keys.TRAIN_DATA)).containsExactly("a.jsonl", "b.csv");
        assertThat(recipe.get(Keys.LORA_RANK)).isEqualTo(8);
        assertThat(recipe.get(Keys.LORA_ALPHA)).isEqualTo(16);
        assertThat(recipe.get(Keys.LORA_TARGETS)).containsExactly("q_proj", "v_proj");
        assertThat(recipe.get(Keys.OBJECTIVE_PARAMETERS))
                .containsEntry("beta", "0.1")
                .containsEntry("levels", "1,2");
        assertThat(recipe.get(Keys.REWARDS)).containsExactly(Map.of("kind", "length", "target", "20"));
        assertThat(recipe.get(Keys.EPOCHS)).isEqualTo(3);
        assertThat(recipe.get(Keys.BATCH)).isEqualTo(8);
        assertThat(recipe.get(Keys.BETA2)).isEqualTo(0.999);
        assertThat(recipe.find(Keys.EVAL_STEPS)).isEmpty();
    }

    @Test
    void flagsWinOverTheFileInAnySpelling() throws IOException {
        Recipe recipe = read(
                "stage: sft\nlearning_rate: 1e-4\n",
                Map.of("learning-rate", "2e-5", "lora.r", "4", "objective", "{beta: 0.5}", "model", "7"));

        assertThat(recipe.get(Keys.LEARNING_RATE)).isEqualTo(2e-5);
        assertThat(recipe.get(Keys.LORA_RANK)).isEqualTo(4);
        assertThat(recipe.get(Keys.OBJECTIVE_PARAMETERS)).containsEntry("beta", "0.5");
        assertThat(recipe.get(Keys.MODEL_PATH)).isEqualTo("7");
    }

    @Test
    void everythingThatIsWrongIsSaidAtOnceWithLineAndRemedy() {
        assertThatThrownBy(() -> read(
                        """
                        stage: sft
                        learnig_rate: 1e-4
                        warmup_ratio: 2
                        packing: perhaps
                        lora:
                          alpah: 3
                        truncation: cut
                        seed: 1.5
                        max_seq_length: 100
                        max_length: 200
                        """,
                        Map.of("weight-decay", "-1")))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("has 8 problems")
                .hasMessageContaining("line 2: there is no key learnig_rate; did you mean learning_rate?")
                .hasMessageContaining("line 3: warmup_ratio must be from 0 to 1, but was 2")
                .hasMessageContaining("line 4: packing must be true or false, but was 'perhaps'")
                .hasMessageContaining("line 5: there is no key lora.alpah; did you mean lora_alpha?")
                .hasMessageContaining("line 7: truncation must be one of truncate, refuse, but was 'cut'")
                .hasMessageContaining("line 8: seed must be a whole number, 0 or more, but was 1.5")
                .hasMessageContaining("line 10: max_length says max_length a second time")
                .hasMessageContaining("--weight-decay must be 0 or more, but was '-1'");
    }

    @Test
    void aFileThatIsNoRecipeIsNamed() {
        assertThatThrownBy(() -> read("stage: sft\nstage: dpo\n", Map.of()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("recipe.yaml is not YAML")
                .hasMessageContaining("line 2");
        assertThatThrownBy(() -> read("just text", Map.of()))
                .hasMessageContaining("must hold keys with values")
                .hasMessageContaining("'just text'");
        assertThatThrownBy(() -> read("", Map.of())).hasMessageContaining("holds nothing");
        assertThatThrownBy(() -> Recipe.read(Optional.of(directory.resolve("absent.yaml")), Map.of()))
                .hasMessageContaining("There is no recipe")
                .hasMessageContaining("absent.yaml");
    }

    @Test
    void aKeyWithoutValueIsAskedForByNameFlagAndMeaning() throws IOException {
        Recipe recipe = read("stage: sft\n", Map.of());

        assertThatThrownBy(() -> recipe.get(Keys.OUTPUT_DIR))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("output_dir (--output-dir)");
    }

    @Test
    void whatDoesNotChangeTheWeightsIsNotDecisive() throws IOException {
        Map<String, String> one =
                read("stage: sft\nlogging_steps: 5\nseed: 1\n", Map.of()).decisive();

        assertThat(read("stage: sft\nlogging_steps: 7\nseed: 1\n", Map.of()).decisive())
                .isEqualTo(one);
        assertThat(read("stage: sft\nlogging_steps: 5\nseed: 2\n", Map.of()).decisive())
                .isNotEqualTo(one);
    }

    @Test
    void noTwoKeysShareAName() {
        Set<String> names = new HashSet<>();
        Keys.all().forEach(key -> {
            assertThat(names.add(key.name())).as(key.name()).isTrue();
            key.aliases()
                    .forEach(alias -> assertThat(names.add(alias)).as(alias).isTrue());
            assertThat(key.help()).endsWith(".");
        });
        assertThat(Nearest.to("learning_rat", List.copyOf(names))).contains("learning_rate");
        assertThat(Nearest.to("zzzzzzz", List.copyOf(names))).isEmpty();
    }
}
