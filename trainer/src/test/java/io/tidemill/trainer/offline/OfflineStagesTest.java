package io.tidemill.trainer.offline;

import static io.tidemill.trainer.offline.Runs.run;
import static io.tidemill.trainer.offline.Runs.sha256;
import static io.tidemill.trainer.offline.Runs.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.trainer.objective.ObjectiveDescription;
import io.tidemill.trainer.objective.Objectives;
import io.tidemill.trainer.offline.Runs.Heard;
import io.tidemill.trainer.offline.Runs.Interrupted;
import io.tidemill.trainer.offline.data.DataException;
import io.tidemill.trainer.offline.recipe.Key;
import io.tidemill.trainer.offline.recipe.RecipeException;
import io.tidemill.trainer.round.TinyBase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OfflineStagesTest {
    @TempDir
    static Path shared;

    private static Path model;
    private static Path pairs;
    private static Path ratings;

    @TempDir
    Path directory;

    private Path output;
    private Map<String, String> recipe;

    @BeforeAll
    static void write() throws IOException {
        model = TinyBase.write(shared.resolve("tiny"));
        StringBuilder both = new StringBuilder();
        StringBuilder single = new StringBuilder();
        for (int i = 0; i < 16; i++) {
            String prompt = "{\"prompt\":\"Question " + i + ":\",";
            both.append(prompt).append("\"chosen\":\" yes, of course\",\"rejected\":\" no, never at all\"}\n");
            single.append(prompt)
                    .append(
                            i % 2 == 0
                                    ? "\"completion\":\" yes\",\"label\":true}\n"
                                    : "\"completion\":\" no\",\"label\":false}\n");
        }
        pairs = Files.writeString(shared.resolve("pairs.jsonl"), both.toString());
        ratings = Files.writeString(shared.resolve("ratings.jsonl"), single.toString());
    }

    @BeforeEach
    void recipe() {
        output = directory.resolve("output");
        recipe = Map.of(
                "model", model.toString(),
                "output_dir", output.toString(),
                "eval_split", "0.3",
                "per_device_train_batch_size", "4",
                "num_train_epochs", "4",
                "learning_rate", "1e-3",
                "save_steps", "3",
                "compute_type", "float32");
    }

    private Map<String, String> of(String stage, Path data, String... more) {
        return with(with(recipe, "stage", stage, "train_data", data.toString()), more);
    }

    @Test
    void everyKeyThatOnlySomeStagesFollowIsFollowedByOne() {
        Set<Key<?>> followed = new HashSet<>();
        OfflineStages.told()
                .keySet()
                .forEach(stage -> followed.addAll(OfflineStages.named(stage).special()));
        assertThat(followed).isEqualTo(OfflineStage.SPECIAL);
    }

    static Stream<String> pairObjectives() {
        return objectives(ObjectiveDescription.Kind.PAIR);
    }

    static Stream<String> ratingObjectives() {
        return objectives(ObjectiveDescription.Kind.RATING);
    }

    private static Stream<String> objectives(ObjectiveDescription.Kind kind) {
        return Objectives.describe().stream()
                .filter(objective -> objective.kind() == kind)
                .map(ObjectiveDescription::name);
    }

    // ---- pairs ------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("pairObjectives")
    void everyObjectiveOverPairsLearnsToTellThemApart(String stage) {
        Heard heard = new Heard();
        Map<String, Double> results = run(of(stage, pairs), heard);

        assertThat(heard.losses.get(heard.losses.size() - 1)).isLessThan(heard.losses.get(0));
        assertThat(results).containsEntry("eval_accuracy", 1.0).containsKeys("eval_loss", "eval_reward_margin");
    }

    /** At the start policy and reference are the same, every margin is 0 and the loss −log σ(0) = ln 2. */
    @ParameterizedTest
    @ValueSource(strings = {"0", "4"})
    void theReferenceIsTheModelAsItStartedWithAnAdapterToo(String rank) {
        Heard heard = new Heard();
        run(of("dpo", pairs, "lora_r", rank), heard);

        assertThat(heard.losses.get(0)).isCloseTo(Math.log(2), within(1e-6));
    }

    @Test
    void aRewardModelGetsAHeadOfOneScore() {
        run(of("reward", pairs, "max_steps", "2"), new Heard());

        try (LanguageModel judge = LanguageModel.load(output, ComputeType.FLOAT32)) {
            assertThat(judge.config().head().scores()).isEqualTo(1);
        }
        assertThatThrownBy(() -> run(
                        with(
                                of("sft", pairs),
                                "model",
                                output.toString(),
                                "output_dir",
                                directory.resolve("other").toString(),
                                "columns",
                                "{completion: chosen}"),
                        new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("gives scores and does not speak");
    }

    @Test
    void parametersOfTheObjectiveAreCheckedBeforeAnythingIsRead() {
        assertThatThrownBy(() -> run(of("dpo", pairs, "objective", "{bta: 0.1}"), new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("bta");
        assertThatThrownBy(() -> run(of("dpo", pairs, "objective", "{beta: -1}"), new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("beta");
        run(of("dpo", pairs, "objective", "{label_smoothing: 0.1, beta: 0.5}", "max_steps", "1"), new Heard());
    }

    @Test
    void answersThatAreEqualWithinTheContextAreNoPair() {
        assertThatThrownBy(() -> run(of("dpo", pairs, "max_length", "5"), new Heard()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("pairs.jsonl:1: ");
    }

    // ---- ratings ----------------------------------------------------------------------------------------------------

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("ratingObjectives")
    void everyObjectiveOverRatingsRanksWhatWasLikedHigher(String stage) {
        Heard heard = new Heard();
        Map<String, Double> results = run(of(stage, ratings, "num_train_epochs", "8"), heard);

        assertThat(results.get("eval_accuracy")).isEqualTo(1.0);
        assertThat(results.get("eval_log_ratio_liked")).isGreaterThan(results.get("eval_log_ratio_disliked"));
    }

    // ---- going on ---------------------------------------------------------------------------------------------------

    static Stream<String> remembering() {
        return Stream.concat(Stream.of("dpo", "reward"), ratingObjectives());
    }

    @ParameterizedTest
    @MethodSource("remembering")
    void anInterruptedStageEndsWithTheSameWeights(String stage) throws IOException {
        Path data = ratingObjectives().anyMatch(stage::equals) ? ratings : pairs;
        Path straight = directory.resolve("straight");
        run(of(stage, data, "output_dir", straight.toString()), new Heard());
        assertThatThrownBy(() -> run(of(stage, data), new Heard(5))).isInstanceOf(Interrupted.class);
        run(of(stage, data), new Heard());

        assertThat(sha256(output.resolve("model.safetensors")))
                .isEqualTo(sha256(straight.resolve("model.safetensors")));
    }
}
