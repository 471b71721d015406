package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProgramArchiveTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path directory;

    /** The weights are put where the layout in the file says, from their Hugging Face names alone. */
    @ParameterizedTest
    @EnumSource(Family.class)
    void whatIsWrittenComputesWhatTheEngineComputes(Family family) throws IOException {
        ModelConfig config = Fixtures.tiny(family, 64);
        Path file = directory.resolve("program.pt");
        ProgramArchive.of(config, false).write(file, false);
        TorchProgram program = TorchProgram.load(file);
        JsonNode layout = JSON.readTree(extra(file, ProgramArchive.LAYOUT));
        int[] ids = {3, 14, 15, 9, 26, 5};

        try (LanguageModel model = LanguageModel.random(config, 7, ComputeType.FLOAT32);
                PtNDManager step = TorchProgram.open()) {
            float[] flat = new float[layout.get("length").asInt()];
            for (JsonNode tensor : layout.get("tensors")) {
                float[] values = model.weights(tensor.get("name").asText());
                System.arraycopy(values, 0, flat, tensor.get("at").asInt(), values.length);
            }
            NDArray master = step.create(flat);
            NDArray logits = program.infer(
                            step,
                            "logits",
                            master,
                            program.make(step, "operands", master, step.create(false)),
                            Batches.none(step),
                            step.create(new long[] {3, 14, 15, 9, 26, 5}, new Shape(1, 6)),
                            step.arange(0, 6, 1, DataType.INT64).reshape(1, 6))
                    .get(0);
            assertThat(logits.get("2").toFloatArray()).isEqualTo(model.logits(ids)[2]);
            assertThat(logits.get("5").toFloatArray()).isEqualTo(model.logits(ids)[5]);
        }
    }

    @Test
    void theLayoutNamesEveryWeightOnce() throws IOException {
        ModelConfig config = Fixtures.tiny(Family.QWEN3, 64);
        JsonNode layout = JSON.readTree(ProgramArchive.of(config, false).layoutJson());

        long at = 0;
        long small = 0;
        for (JsonNode tensor : layout.get("tensors")) {
            assertThat(tensor.get("at").asLong())
                    .as(tensor.get("name").asText())
                    .isEqualTo(at);
            long length = 1;
            for (JsonNode size : tensor.get("shape")) {
                length *= size.asLong();
            }
            small += tensor.get("shape").size() == 1 ? length : 0;
            at += length;
        }
        assertThat(layout.get("length").asLong()).isEqualTo(at).isEqualTo(config.parameterCount());
        assertThat(layout.get("small").asLong()).isEqualTo(small).isPositive();
        assertThat(layout.at("/constants/layers").asInt()).isEqualTo(config.layers());
        assertThat(layout.at("/constants/head_norms").asBoolean()).isTrue();
    }

    @Test
    void theSameModelGivesTheSameBytesAndItsConfigurationIsAmongThem() throws IOException {
        ModelConfig config = Fixtures.TINY;
        Path first = directory.resolve("first.pt");
        Path second = directory.resolve("deep/second.pt");
        ProgramArchive.of(config, false).write(first, false);
        ProgramArchive.of(config, false).write(second, false);

        assertThat(second).hasSameBinaryContentAs(first);
        Path configJson = Files.writeString(directory.resolve("config.json"), extra(first, ProgramArchive.CONFIG));
        assertThat(ModelConfig.read(configJson)).isEqualTo(config);
        ProgramArchive.of(configJson, false).write(second, true);
        assertThat(second).hasSameBinaryContentAs(first);
        ProgramArchive.of(Fixtures.tiny(Family.GPT2, 64), false).write(second, true);
        assertThat(Files.mismatch(first, second)).isNotNegative();
    }

    @Test
    void anEncodersProgramIsWrittenToo() throws IOException {
        Path file = directory.resolve("encoder.pt");
        Path config = Fixtures.directory("bert-masked").resolve("config.json");
        ProgramArchive.of(config, false).write(file, false);

        TorchProgram.load(file);
        JsonNode layout = JSON.readTree(extra(file, ProgramArchive.LAYOUT));
        assertThat(layout.findValuesAsText("name")).contains("bert.embeddings.word_embeddings.weight");
        assertThatThrownBy(() -> ProgramArchive.of(config, true)).hasMessageContaining("generates nothing");
    }

    @Test
    void methodsAreThoseThatOneCallsFromOutside() {
        List<String> methods = ProgramArchive.of(Fixtures.TINY, false).methods();

        assertThat(methods).allMatch(method -> method.matches("\\w+\\(.*\\) -> \\S.*"));
        assertThat(methods.stream().map(method -> method.substring(0, method.indexOf('('))))
                .contains(
                        "logits",
                        "log_probabilities",
                        "causal_step",
                        "answers_forward",
                        "answers_backward",
                        "clip",
                        "update")
                .doesNotContain("normalise", "block", "cut");
    }

    @Test
    void aFileThatIsThereStaysUnlessToldOtherwise() throws IOException {
        Path file = Files.writeString(directory.resolve("program.pt"), "mine");
        ProgramArchive archive = ProgramArchive.of(Fixtures.TINY, false);

        assertThatThrownBy(() -> archive.write(file, false)).isInstanceOf(FileAlreadyExistsException.class);
        assertThat(file).hasContent("mine");
        assertThatThrownBy(() -> archive.write(directory, true)).isInstanceOf(FileAlreadyExistsException.class);

        archive.write(file, true);
        assertThat(Files.readAllBytes(file)).isEqualTo(archive.bytes());
        assertThat(names()).as("nothing is left beside it").containsExactly("program.pt");
    }

    @Test
    void aPlaceThatCannotBeWrittenToStaysAsItWas() throws IOException {
        Path parent = Files.writeString(directory.resolve("file"), "no directory");
        ProgramArchive archive = ProgramArchive.of(Fixtures.TINY, false);

        assertThatThrownBy(() -> archive.write(parent.resolve("program.pt"), false))
                .isInstanceOf(IOException.class);
        assertThat(names()).containsExactly("file");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"model_type\": \"mamba\"}", "{", "[]", ""})
    void aConfigurationThatIsNotSupportedIsRefusedByName(String json) throws IOException {
        Path config = Files.writeString(directory.resolve("config.json"), json);

        assertThatThrownBy(() -> ProgramArchive.of(config, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(json.contains("mamba") ? "mamba" : "config.json");
    }

    @Test
    void shapesHaveTheSizesThatTheirNamesPromise() {
        assertThat(ModelShape.named("smol").config().parameterCount()).isEqualTo(134_515_008L);
        assertThat(ModelShape.named("1b").config().parameterCount()).isEqualTo(1_235_814_400L);
        assertThatThrownBy(() -> ModelShape.named("huge"))
                .hasMessage("Shapes are tiny, base, medium, smol, 1b, but not 'huge'");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private static String extra(Path archive, String name) throws IOException {
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            ZipEntry entry = zip.getEntry("program/extra/" + name);
            return new String(zip.getInputStream(entry).readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
