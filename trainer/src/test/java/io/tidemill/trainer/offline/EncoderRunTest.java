package io.tidemill.trainer.offline;

import static io.tidemill.trainer.offline.Runs.run;
import static io.tidemill.trainer.offline.Runs.sha256;
import static io.tidemill.trainer.offline.Runs.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderAdapter;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.trainer.offline.Runs.Heard;
import io.tidemill.trainer.offline.Runs.Interrupted;
import io.tidemill.trainer.offline.data.DataException;
import io.tidemill.trainer.offline.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EncoderRunTest {
    @TempDir
    static Path shared;

    private static Path model;
    private static Path labelled;
    private static Path several;
    private static Path scored;
    private static Path documents;

    @TempDir
    Path directory;

    private Path output;
    private Map<String, String> recipe;

    @BeforeAll
    static void write() throws IOException {
        model = TinyEncoder.write(shared.resolve("tiny"));
        StringBuilder one = new StringBuilder("text,label\n");
        StringBuilder more = new StringBuilder();
        StringBuilder scores = new StringBuilder("text,label\n");
        StringBuilder texts = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            boolean happy = i % 2 == 0;
            String text = (happy ? "happy " : "stop ") + "the tide " + (char) ('a' + i % 26) + " mill "
                    + (char) ('a' + i / 26);
            one.append(text).append(happy ? ",good\n" : ",bad\n");
            more.append("{\"text\":\"")
                    .append(text)
                    .append("\",\"labels\":[")
                    .append(happy ? "\"joy\"" : "")
                    .append(happy && i % 4 == 0 ? "," : "")
                    .append(i % 4 == 0 ? "\"four\"" : "")
                    .append("]}\n");
            scores.append(text).append(happy ? ",1.5\n" : ",-0.5\n");
            texts.append("the tide stop the mill one word after another ")
                    .append((char) ('a' + i % 26))
                    .append("\n\n");
        }
        labelled = Files.writeString(shared.resolve("labelled.csv"), one.toString());
        several = Files.writeString(shared.resolve("several.jsonl"), more.toString());
        scored = Files.writeString(shared.resolve("scored.csv"), scores.toString());
        documents = Files.writeString(shared.resolve("documents.txt"), texts.toString());
    }

    @BeforeEach
    void recipe() {
        output = directory.resolve("output");
        recipe = Map.of(
                "stage", "classification",
                "model", model.toString(),
                "train_data", labelled.toString(),
                "output_dir", output.toString(),
                "eval_split", "0.25",
                "per_device_train_batch_size", "8",
                "num_train_epochs", "6",
                "learning_rate", "3e-3",
                "save_steps", "5",
                "compute_type", "float32");
    }

    @Test
    void aClassifierIsTrainedAndToldWithF1AndConfusionMatrix() {
        Heard heard = new Heard();
        Map<String, Double> results = run(recipe, heard);

        assertThat(results).containsEntry("eval_accuracy", 1.0).containsEntry("eval_f1", 1.0);
        assertThat(heard.said.get(heard.said.size() - 1))
                .contains("bad")
                .contains("good")
                .contains("f1");
        try (EncoderModel trained = EncoderModel.load(output, ComputeType.FLOAT32)) {
            assertThat(trained.config().labels()).containsExactly("bad", "good");
        }
    }

    @Test
    void severalLabelsATextAndScoresAreLearnedToo() throws IOException {
        Map<String, Double> results =
                run(with(recipe, "train_data", several.toString(), "num_train_epochs", "8"), new Heard());
        assertThat(results.get("eval_f1_micro")).isGreaterThan(0.6);
        assertThat(EncoderConfig.read(output.resolve("config.json")).problem())
                .isEqualTo(EncoderConfig.Problem.MULTIPLE);

        Map<String, Double> scores = run(
                with(
                        recipe,
                        "train_data",
                        scored.toString(),
                        "problem_type",
                        "regression",
                        "num_train_epochs",
                        "20",
                        "output_dir",
                        directory.resolve("scores").toString()),
                new Heard());
        assertThat(scores.get("eval_mse")).isLessThan(0.5);
    }

    @Test
    void aLabelOutsideTheSetIsNamed() {
        assertThatThrownBy(() -> run(with(recipe, "labels", "good,evil"), new Heard()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("labelled.csv:3: label 'bad' is none of [good, evil]");
        assertThatThrownBy(() -> run(with(recipe, "class_weights", "1"), new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("class_weights must be 'balanced' or one number");
        assertThatThrownBy(() -> run(with(recipe, "packing", "true"), new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("packing is not followed by stage classification");
    }

    @Test
    void weightsOfClassesChangeWhatIsLearned() throws IOException {
        run(recipe, new Heard());
        Path weighted = directory.resolve("weighted");
        run(with(recipe, "class_weights", "1,3", "output_dir", weighted.toString()), new Heard());

        assertThat(sha256(weighted.resolve("model.safetensors")))
                .isNotEqualTo(sha256(output.resolve("model.safetensors")));
    }

    @Test
    void maskedLanguageModellingLowersTheLossOnOtherText() {
        Map<String, String> masked = with(
                recipe,
                "stage",
                "masked-lm",
                "train_data",
                documents.toString(),
                "max_length",
                "12",
                "mlm_probability",
                "0.3",
                "eval_on_start",
                "true");
        Map<String, Double> results = run(masked, new Heard());

        assertThat(results.get("eval_loss")).isLessThan(Math.log(53) * 0.8);
    }

    @Test
    void anAdapterOfAnEncoderEndsAsPeftHasIt() throws IOException {
        run(with(recipe, "lora_r", "4", "lora_target_modules", "query,value", "learning_rate", "1e-2"), new Heard());

        assertThat(output.resolve("adapter_config.json")).exists();
        EncoderConfig base = EncoderConfig.read(model.resolve("config.json"))
                .withLabels(java.util.List.of("bad", "good"), EncoderConfig.Problem.SINGLE);
        try (EncoderAdapter adapter = EncoderAdapter.load(output, base)) {
            assertThat(adapter.config().targets()).containsExactlyInAnyOrder("query", "value");
        }
    }

    @Test
    void anInterruptedRunEndsWithTheSameWeights() throws IOException {
        for (String stage : new String[] {"classification", "masked-lm"}) {
            Path straight = directory.resolve("straight-" + stage);
            Path interrupted = directory.resolve("interrupted-" + stage);
            Map<String, String> same = with(
                    recipe,
                    "stage",
                    stage,
                    "train_data",
                    stage.equals("masked-lm") ? documents.toString() : labelled.toString());
            run(with(same, "output_dir", straight.toString()), new Heard());
            Map<String, String> cut = with(same, "output_dir", interrupted.toString());
            assertThatThrownBy(() -> run(cut, new Heard(8))).isInstanceOf(Interrupted.class);
            run(cut, new Heard());

            assertThat(sha256(interrupted.resolve("model.safetensors")))
                    .as(stage)
                    .isEqualTo(sha256(straight.resolve("model.safetensors")));
        }
    }
}
