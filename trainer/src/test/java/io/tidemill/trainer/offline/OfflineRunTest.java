package io.tidemill.trainer.offline;

import static io.tidemill.trainer.offline.Runs.run;
import static io.tidemill.trainer.offline.Runs.sha256;
import static io.tidemill.trainer.offline.Runs.with;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraAdapter;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.offline.Runs.Heard;
import io.tidemill.trainer.offline.Runs.Interrupted;
import io.tidemill.trainer.offline.data.DataException;
import io.tidemill.trainer.offline.recipe.RecipeException;
import io.tidemill.trainer.round.TinyBase;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OfflineRunTest {
    @TempDir
    static Path shared;

    private static Path model;
    private static Path chats;
    private static Path documents;

    @TempDir
    Path directory;

    private Path output;
    private Map<String, String> recipe;

    @BeforeAll
    static void write() throws IOException {
        model = TinyBase.write(shared.resolve("tiny"));
        StringBuilder rows = new StringBuilder();
        StringBuilder texts = new StringBuilder();
        for (int i = 0; i < 24; i++) {
            rows.append("{\"messages\":[{\"role\":\"user\",\"content\":\"How many are ")
                    .append(i)
                    .append(" and one?\"},{\"role\":\"assistant\",\"content\":\"They are ")
                    .append(i + 1)
                    .append(".\"}]}\n");
            texts.append("The ").append(i).append("th mill turned with the tide all night.\n\n");
        }
        chats = Files.writeString(shared.resolve("chats.jsonl"), rows.toString());
        documents = Files.writeString(shared.resolve("documents.txt"), texts.toString());
    }

    @BeforeEach
    void recipe() {
        output = directory.resolve("output");
        recipe = Map.of(
                "stage", "sft",
                "model", model.toString(),
                "output_dir", output.toString(),
                "train_data", chats.toString(),
                "eval_split", "0.2",
                "per_device_train_batch_size", "4",
                "num_train_epochs", "2",
                "learning_rate", "1e-3",
                "save_steps", "3",
                "logging_steps", "2");
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    // ---- the end ----------------------------------------------------------------------------------------------------

    @Test
    void aRunEndsWithADirectoryThatLoadsWithLogsAndATable() throws IOException {
        Heard heard = new Heard();
        Map<String, Double> results = run(recipe, heard);

        assertThat(results).containsKeys("eval_loss", "eval_perplexity", "step", "epoch");
        assertThat(results.get("eval_perplexity")).isCloseTo(Math.exp(results.get("eval_loss")), within(1e-9));
        assertThat(heard.losses.get(heard.losses.size() - 1)).isLessThan(heard.losses.get(0));
        assertThat(heard.said.get(heard.said.size() - 1)).contains("eval_loss").contains(output.toString());
        assertThat(names(output))
                .contains(
                        "config.json",
                        "model.safetensors",
                        "tokenizer.json",
                        "tokenizer_config.json",
                        "README.md",
                        "trainer_state.json",
                        "all_results.json",
                        "metrics.csv",
                        "recipe.json",
                        "runs",
                        "checkpoint-3")
                .doesNotContain(".lock");
        try (LanguageModel trained = LanguageModel.load(output, ComputeType.FLOAT32);
                Tokenizer tokenizer = Tokenizer.load(output)) {
            assertThat(trained.config().vocabularySize()).isEqualTo(tokenizer.vocabularySize());
        }
        List<String> csv = Files.readAllLines(output.resolve("metrics.csv"));
        assertThat(csv.get(0)).startsWith("step,epoch,loss,grad_norm,learning_rate");
        assertThat(csv.get(0)).contains("eval_loss");
        assertThat(names(output.resolve("runs"))).allMatch(name -> name.contains("tfevents"));
        assertThat(Files.readString(output.resolve("README.md")))
                .contains("stage sft")
                .contains("eval_split");
    }

    @Test
    void aRunThatIsDoneIsToldAndNotRepeated() {
        Map<String, Double> first = run(recipe, new Heard());
        Heard again = new Heard();

        assertThat(run(recipe, again)).isEqualTo(first);
        assertThat(again.losses).isEmpty();
        assertThat(again.said.get(0)).contains("done already");

        Heard anew = new Heard();
        run(with(recipe, "overwrite_output_dir", "true"), anew);
        assertThat(anew.losses).hasSize(first.get("step").intValue());
    }

    @Test
    void aDirectoryThatIsNoRunsIsNotOverwritten() throws IOException {
        Files.createDirectories(output);
        Files.writeString(output.resolve("thesis.txt"), "years of work");

        assertThatThrownBy(() -> run(with(recipe, "overwrite_output_dir", "true"), new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("is not overwritten");
        assertThat(output.resolve("thesis.txt")).hasContent("years of work");
    }

    // ---- going on ---------------------------------------------------------------------------------------------------

    @Test
    void aRunInterruptedAnywhereEndsWithTheSameWeightsAndFigures() throws IOException {
        Map<String, String> straight =
                with(recipe, "output_dir", directory.resolve("straight").toString(), "eval_steps", "2");
        Map<String, Double> results = run(straight, new Heard());
        int steps = results.get("step").intValue();

        for (int stop = 1; stop <= steps; stop += 2) {
            Path interrupted = directory.resolve("interrupted-" + stop);
            Map<String, String> same = with(straight, "output_dir", interrupted.toString());
            int at = stop;
            assertThatThrownBy(() -> run(same, new Heard(at))).isInstanceOf(Interrupted.class);
            Heard rest = new Heard();
            run(same, rest);

            assertThat(rest.losses).as("stopped in step " + stop).hasSize(steps - (stop - 1) / 3 * 3);
            assertThat(sha256(interrupted.resolve("model.safetensors")))
                    .as("stopped in step " + stop)
                    .isEqualTo(sha256(directory.resolve("straight").resolve("model.safetensors")));
            assertThat(figures(interrupted))
                    .as("stopped in step " + stop)
                    .isEqualTo(figures(directory.resolve("straight")));
        }
    }

    /** Logged rows but for the time they took. */
    private static List<String> figures(Path run) throws IOException {
        List<String> figures = new ArrayList<>();
        for (var row : TrainerState.JSON
                .readTree(run.resolve("trainer_state.json").toFile())
                .path("log_history")) {
            ((com.fasterxml.jackson.databind.node.ObjectNode) row).remove("tokens_per_second");
            figures.add(row.toString());
        }
        return figures;
    }

    @Test
    void aKilledProcessLeavesWhatAnotherGoesOnFrom() throws IOException, InterruptedException {
        Path straight = directory.resolve("straight");
        run(with(recipe, "output_dir", straight.toString()), new Heard());

        Map<String, String> same = with(recipe, "logging_steps", "1");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Runs.class.getName()));
        same.forEach((name, value) -> command.add(name + "=" + value));
        Process process = new ProcessBuilder(command)
                .redirectError(directory.resolve("err").toFile())
                .start();
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            boolean reached = lines.lines().anyMatch(line -> line.contains(" step=5 "));
            process.destroyForcibly();
            assertThat(reached).as(Files.readString(directory.resolve("err"))).isTrue();
        }
        process.waitFor();

        Heard rest = new Heard();
        run(recipe, rest);
        assertThat(rest.said).anyMatch(said -> said.contains("resumed_at="));
        assertThat(sha256(output.resolve("model.safetensors")))
                .isEqualTo(sha256(straight.resolve("model.safetensors")));
    }

    @Test
    void anotherRecipeOrOtherDataDoNotGoOnFromItAndWhatDiffersIsNamed() throws IOException {
        Path data = Files.copy(chats, directory.resolve("data.jsonl"));
        Map<String, String> first = with(recipe, "train_data", data.toString());
        assertThatThrownBy(() -> run(first, new Heard(4))).isInstanceOf(Interrupted.class);

        assertThatThrownBy(() -> run(with(first, "learning_rate", "1e-4"), new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("learning_rate was 0.001 and is 1.0E-4")
                .hasMessageContaining("--overwrite-output-dir");
        Files.writeString(data, Files.readString(chats).replace("They", "Those"));
        assertThatThrownBy(() -> run(first, new Heard())).hasMessageContaining("the data was ");
        Files.copy(chats, data, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        run(with(first, "logging_steps", "1", "save_total_limit", "1"), new Heard());
    }

    // ---- checkpoints ------------------------------------------------------------------------------------------------

    @Test
    void theBestCheckpointIsKeptAndIsWhatTheRunEndsWith() throws IOException {
        // Where the largest loss is called the best, the best is early.
        Map<String, Double> results = run(
                with(
                        recipe,
                        "learning_rate",
                        "0.01",
                        "lr_scheduler_type",
                        "constant",
                        "eval_steps",
                        "1",
                        "save_steps",
                        "1",
                        "num_train_epochs",
                        "3",
                        "save_total_limit",
                        "2",
                        "load_best_model_at_end",
                        "true",
                        "greater_is_better",
                        "true"),
                new Heard());
        List<String> kept = names(output).stream()
                .filter(name -> name.startsWith("checkpoint-"))
                .toList();
        int best = results.get("step").intValue();
        List<Double> losses = new ArrayList<>();
        TrainerState.JSON
                .readTree(output.resolve("trainer_state.json").toFile())
                .path("log_history")
                .forEach(row -> {
                    if (row.has("eval_loss")) {
                        losses.add(row.path("eval_loss").asDouble());
                    }
                });

        assertThat(kept).hasSize(2).contains("checkpoint-" + best).contains("checkpoint-" + losses.size());
        assertThat(best).isLessThan(losses.size());
        assertThat(losses.get(best - 1))
                .isEqualTo(losses.stream().mapToDouble(x -> x).max().orElseThrow());
        assertThat(results.get("eval_loss")).isEqualTo(losses.get(best - 1));
        assertThat(sha256(output.resolve("model.safetensors")))
                .isEqualTo(sha256(output.resolve("checkpoint-" + best).resolve("model.safetensors")));
    }

    @Test
    void aRunThatGetsNoBetterIsStoppedEarlyAndStaysStopped() throws IOException {
        Map<String, String> hasty = with(
                recipe,
                "learning_rate",
                "0.3",
                "lr_scheduler_type",
                "constant",
                "num_train_epochs",
                "20",
                "eval_steps",
                "1",
                "early_stopping_patience",
                "3");
        Heard heard = new Heard();
        Map<String, Double> results = run(hasty, heard);
        assertThat(heard.losses).hasSizeLessThan(100);
        assertThat(results.get("step")).isEqualTo(heard.losses.size());
        assertThat(heard.said).anyMatch(said -> said.startsWith("Stopped early at step " + heard.losses.size()));

        String weights = sha256(output.resolve("model.safetensors"));
        Files.delete(output.resolve("all_results.json")); // as if it had been cut in the very end
        Heard again = new Heard();
        run(hasty, again);
        assertThat(again.losses).isEmpty();
        assertThat(sha256(output.resolve("model.safetensors"))).isEqualTo(weights);
    }

    @Test
    void everyPassMayBeEvaluatedAndSaved() throws IOException {
        Map<String, Double> results =
                run(with(recipe, "eval_strategy", "epoch", "save_strategy", "epoch"), new Heard());
        long steps = results.get("step").longValue();

        assertThat(Checkpoints.steps(output)).containsExactly(steps / 2, steps);
        assertThat(Files.readString(output.resolve("metrics.csv")).lines().filter(line -> line.contains(",,,,,")))
                .hasSize(2); // rows of evaluations have no figures of training
    }

    // ---- forms ------------------------------------------------------------------------------------------------------

    @Test
    void packedAndPaddedRowsLearnTheSame() {
        Map<String, String> one = with(
                recipe,
                "per_device_train_batch_size",
                "64",
                "max_steps",
                "1",
                "eval_split",
                "0",
                "compute_type",
                "float32");
        Heard padded = new Heard();
        run(with(one, "output_dir", directory.resolve("padded").toString()), padded);
        Heard packed = new Heard();
        run(with(one, "output_dir", directory.resolve("packed").toString(), "packing", "true"), packed);
        Heard parts = new Heard();
        run(
                with(
                        one,
                        "output_dir",
                        directory.resolve("parts").toString(),
                        "per_device_train_batch_size",
                        "5",
                        "gradient_accumulation_steps",
                        "5"),
                parts);

        assertThat(packed.losses.get(0)).isCloseTo(padded.losses.get(0), within(1e-5));
        assertThat(parts.losses.get(0)).isCloseTo(padded.losses.get(0), within(1e-5));
    }

    @Test
    void anAdapterEndsAsPeftHasItOrMerged() throws IOException {
        Map<String, String> adapter = with(recipe, "lora_r", "4", "lora_target_modules", "q_proj,v_proj");
        run(adapter, new Heard());

        assertThat(names(output))
                .contains("adapter_config.json", "adapter_model.safetensors", "tokenizer.json", "README.md")
                .doesNotContain("model.safetensors");
        ModelConfig base = ModelConfig.read(model.resolve("config.json"));
        try (LoraAdapter learnt = LoraAdapter.load(output, base)) {
            assertThat(learnt.config().targets()).containsExactly("q_proj", "v_proj");
            assertThat(learnt.config().alpha()).isEqualTo(8);
        }

        Path merged = directory.resolve("merged");
        run(with(adapter, "output_dir", merged.toString(), "merge", "true"), new Heard());
        assertThat(names(merged)).contains("model.safetensors").doesNotContain("adapter_config.json");
        try (LanguageModel whole = LanguageModel.load(merged, ComputeType.FLOAT32)) {
            assertThat(whole.config()).isEqualTo(base);
        }
    }

    @Test
    void pretrainingBeginsFromScratchInAnotherShape() throws IOException {
        Map<String, String> scratch = with(
                recipe,
                "stage",
                "pretrain",
                "train_data",
                documents.toString(),
                "from_scratch",
                "true",
                "config_overrides",
                "{num_hidden_layers: 1, intermediate_size: 48}",
                "max_length",
                "32");
        run(scratch, new Heard());

        assertThat(ModelConfig.read(output.resolve("config.json")).layers()).isEqualTo(1);
        assertThatThrownBy(() -> run(
                        with(
                                scratch,
                                "output_dir",
                                directory.resolve("other").toString(),
                                "config_overrides",
                                "{num_layers: 1}"),
                        new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("config_overrides names num_layers");
    }

    // ---- refusals ---------------------------------------------------------------------------------------------------

    @Test
    void mistakesInTheDataStartNothing() throws IOException {
        Path data = Files.writeString(
                directory.resolve("data.jsonl"),
                Files.readString(chats) + "{\"messages\":[{\"role\":\"assistant\",\"content\":\"I begin.\"}]}\n");
        Map<String, String> wrong = with(recipe, "train_data", data.toString());

        assertThatThrownBy(() -> run(wrong, new Heard()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("data.jsonl:25: 'messages' has assistant at place 1");
        assertThat(output).doesNotExist();

        assertThat(run(with(wrong, "skip_invalid", "true"), new Heard())).containsEntry("skipped_wrong_role", 1.0);
    }

    @Test
    void anExampleLongerThanTheContextIsTruncatedAndCountedOrRefused() throws IOException {
        Path data = Files.writeString(
                directory.resolve("data.jsonl"),
                Files.readString(chats) + "{\"prompt\":\"Count:\",\"completion\":\"" + "one two ".repeat(400)
                        + "\"}\n");
        Path only = Files.writeString(
                directory.resolve("long.jsonl"),
                "{\"prompt\":\"Count:\",\"completion\":\"" + "one two ".repeat(400) + "\"}\n");
        Map<String, String> both = with(recipe, "train_data", chats + "," + only, "max_steps", "1", "eval_split", "0");

        assertThat(data).exists();
        assertThat(run(both, new Heard())).containsEntry("truncated", 1.0).containsEntry("train_examples", 25.0);
        assertThatThrownBy(() -> run(
                        with(
                                both,
                                "truncation",
                                "refuse",
                                "output_dir",
                                directory.resolve("other").toString()),
                        new Heard()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("long.jsonl:1: it has ")
                .hasMessageContaining("more than the 256 of max_length");
        assertThatThrownBy(() -> run(
                        with(
                                both,
                                "max_length",
                                "3",
                                "output_dir",
                                directory.resolve("other").toString()),
                        new Heard()))
                .hasMessageContaining("no token of it would be learned within 3 tokens");
    }

    @Test
    void aTemplateThatMarksNothingAsTheAssistantsIsNamed() throws IOException {
        Path silent = TinyBase.write(directory.resolve("silent"));
        Files.writeString(
                silent.resolve("chat_template.jinja"),
                "{% for m in messages %}{{ m.content }}{% generation %}{% endgeneration %}{% endfor %}");

        assertThatThrownBy(() -> run(with(recipe, "model", silent.toString()), new Heard()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("chats.jsonl:1: ")
                .hasMessageContaining("chat_template.jinja marks nothing of this conversation as the assistant's");
    }

    @Test
    void whatDoesNotGoTogetherIsSaidBeforeAnythingStarts() {
        assertThatThrownBy(() -> run(
                        with(
                                recipe,
                                "eval_split",
                                "0",
                                "eval_steps",
                                "5",
                                "load_best_model_at_end",
                                "true",
                                "merge",
                                "true"),
                        new Heard()))
                .isInstanceOf(RecipeException.class)
                .hasMessageContaining("eval_steps needs eval_data or eval_split")
                .hasMessageContaining("load_best_model_at_end needs eval_data or eval_split")
                .hasMessageContaining("merge needs an adapter");
        assertThatThrownBy(() -> run(with(recipe, "stage", "sfft"), new Heard()))
                .hasMessageContaining("did you mean sft?");
        assertThatThrownBy(() -> run(with(recipe, "lr_scheduler_type", "cosin"), new Heard()))
                .hasMessageContaining("lr_scheduler_type must be one of ");
        assertThatThrownBy(() -> run(with(recipe, "metric_for_best_model", "accuracy"), new Heard()))
                .hasMessageContaining("metric_for_best_model is accuracy, but the evaluation of stage sft gives [loss");
        assertThatThrownBy(() -> run(with(recipe, "model", directory.toString()), new Heard()))
                .hasMessageContaining("holds no config.json");
    }
}
