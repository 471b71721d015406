package io.tidemill.trainer.offline;

import static io.tidemill.trainer.offline.Runs.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.tidemill.trainer.offline.Runs.Heard;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.round.TinyBase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The recipes that users are given. */
class RecipesTest {
    private static final Path RECIPES = Path.of("../docs/recipes");

    @TempDir
    static Path shared;

    private static Path decoder;
    private static Path encoder;

    @TempDir
    Path directory;

    @BeforeAll
    static void models() throws IOException {
        decoder = TinyBase.write(shared.resolve("decoder"));
        encoder = TinyEncoder.write(shared.resolve("encoder"));
    }

    static List<Path> recipes() throws IOException {
        try (Stream<Path> files = Files.list(RECIPES)) {
            return files.filter(file -> file.toString().endsWith(".yaml"))
                    .sorted()
                    .toList();
        }
    }

    /** Two steps on a model of a few thousand weights; data that has to be fetched is stood in for. */
    @ParameterizedTest
    @MethodSource("recipes")
    void everyRecipeRuns(Path file) throws IOException {
        Recipe recipe = Recipe.read(Optional.of(file), Map.of());
        String stage = recipe.get(Keys.STAGE);
        assumeThat(OfflineStages.told())
                .as(stage + " is no stage of this build")
                .containsKey(stage);
        boolean encodes = !recipe.get(Keys.MODEL_PATH).equals("embedded");
        Map<String, String> flags = new HashMap<>(with(
                Map.of(),
                "model",
                (encodes ? encoder : decoder).toString(),
                "output_dir",
                directory.resolve("output").toString(),
                "max_steps",
                "2",
                "max_train_samples",
                "12",
                "max_eval_samples",
                "6",
                "per_device_train_batch_size",
                "2",
                "gradient_accumulation_steps",
                "1",
                "compute_type",
                "float32"));
        if (recipe.get(Keys.TRAIN_DATA).stream().noneMatch(data -> data.startsWith("builtin:"))) {
            flags.put("train_data", "builtin:grammar-labels");
            flags.put("eval_data", "builtin:grammar-labels");
            flags.put("labels", "right,wrong");
        }
        Heard heard = new Heard();
        Map<String, Double> results =
                new OfflineRun(Recipe.read(Optional.of(file), flags), heard, Clock.systemUTC(), System::nanoTime).run();

        assertThat(heard.losses).hasSize(2).allMatch(Double::isFinite);
        assertThat(results).containsKey("step");
    }

    @Test
    void everyStageHasARecipeAndEveryRecipeIsInTheReadme() throws IOException {
        Set<String> stages = new TreeSet<>();
        String readme = Files.readString(RECIPES.resolve("README.md"));
        for (Path file : recipes()) {
            Recipe recipe = Recipe.read(Optional.of(file), Map.of());
            stages.add(recipe.get(Keys.STAGE));
            assertThat(readme).contains("(" + file.getFileName() + ")");
            assertThat(recipe.get(Keys.OUTPUT_DIR))
                    .isEqualTo("runs/" + file.getFileName().toString().replace(".yaml", ""));
        }
        assertThat(stages).containsAll(OfflineStages.told().keySet());
    }
}
