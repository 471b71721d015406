package io.tidemill.model.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Pretrained encoders, imported and asked: what they say is what transformers (BERT) and the ONNX runtime (the others)
 * say, see {@code bench/peers/check_import.py}. Skipped where the jars are not in the local Maven repository.
 */
class RealModelsTest {
    private static final double CLOSE = 1e-3;

    @TempDir
    Path parent;

    @Test
    void bertAnswersItsClozeQuestionsAsInTransformers() throws IOException {
        Path directory = imported(
                BertImport.BASE_UNCASED,
                () -> BertImport.run(Optional.empty(), parent.resolve("bert"), System.out::println));
        JsonNode expected = expected("bert-base-uncased.json");
        int[] fixed = ints(expected.path("fixed"));
        double worst = 0;
        Threads.intraOp(1);
        try (EncoderModel model = EncoderModel.load(directory, ComputeType.FLOAT32);
                Tokenizer tokenizer = Tokenizer.load(directory)) {
            for (JsonNode text : expected.path("texts")) {
                int[] ids = ids(tokenizer, text);
                float[] logits = model.maskedLogits(
                                EncoderInput.of(ids), text.path("place").intValue())[0];
                assertThat(tokenizer.token(best(logits)))
                        .as(text.path("text").asText())
                        .isEqualTo(tokenizer.token(text.path("top").get(0).intValue()));
                for (int i = 0; i < fixed.length; i++) {
                    worst = Math.max(
                            worst,
                            Math.abs(logits[fixed[i]]
                                    - text.path("logits").get(i).doubleValue()));
                }
                for (int i = 0; i < text.path("top").size(); i++) {
                    worst = Math.max(
                            worst,
                            Math.abs(logits[text.path("top").get(i).intValue()]
                                    - text.path("topLogits").get(i).doubleValue()));
                }
                if (text.equals(expected.path("texts").get(0))) {
                    assertThat(tokenizer.token(best(logits))).isEqualTo("france");
                    assertThat(share(logits)).isBetween(0.950, 0.952);
                }
            }
        }
        System.out.println("BERT: largest difference of a logit to transformers " + worst);
        assertThat(worst).isLessThan(CLOSE);
    }

    @Test
    void miniLmSaysWhatItsOnnxFileSays() throws IOException {
        says(OnnxImport.Known.MINILM, "minilm.json");
    }

    @Test
    void bgeSaysWhatItsOnnxFileSays() throws IOException {
        says(OnnxImport.Known.BGE, "bge.json");
    }

    private void says(OnnxImport.Known known, String fixture) throws IOException {
        Path directory = imported(
                known.artifact(),
                () -> OnnxImport.run(Optional.empty(), known, parent.resolve("onnx"), System.out::println));
        double worst = 0;
        Threads.intraOp(1);
        try (EncoderModel model = EncoderModel.load(directory, ComputeType.FLOAT32);
                Tokenizer tokenizer = Tokenizer.load(directory)) {
            for (JsonNode text : expected(fixture).path("texts")) {
                float[][] hidden = model.hidden(List.of(EncoderInput.of(ids(tokenizer, text))))
                        .get(0);
                worst = Math.max(worst, difference(hidden[0], text.path("first")));
                worst = Math.max(worst, difference(hidden[hidden.length - 1], text.path("last")));
            }
        }
        System.out.println(known + ": largest difference of a hidden state to the ONNX runtime " + worst);
        assertThat(worst).isLessThan(CLOSE);
    }

    private interface Made {
        Path make() throws IOException;
    }

    private static Path imported(MavenArtifact artifact, Made made) throws IOException {
        Path jar = artifact.path(MavenArtifact.localRepository());
        assumeTrue(
                Files.isRegularFile(jar),
                () -> jar + " is not there; bring it with: mvn dependency:get -Dtransitive=false -Dartifact="
                        + artifact.group() + ":" + artifact.artifact() + ":" + artifact.version());
        return made.make();
    }

    /** Our tokenizer's ids, which are transformers'. */
    private static int[] ids(Tokenizer tokenizer, JsonNode text) {
        int[] expected = ints(text.path("ids"));
        assertThat(tokenizer.encodeTemplate("[CLS]" + text.path("text").asText() + "[SEP]"))
                .as(text.path("text").asText())
                .containsExactly(expected);
        return expected;
    }

    private JsonNode expected(String name) throws IOException {
        try (InputStream in = RealModelsTest.class.getResourceAsStream(name)) {
            return new ObjectMapper().readTree(in);
        }
    }

    private static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size())
                .map(i -> array.get(i).intValue())
                .toArray();
    }

    private static double difference(float[] found, JsonNode expected) {
        return IntStream.range(0, expected.size())
                .mapToDouble(i -> Math.abs(found[i] - expected.get(i).doubleValue()))
                .max()
                .orElseThrow();
    }

    private static int best(float[] logits) {
        return IntStream.range(0, logits.length)
                .reduce((a, b) -> logits[b] > logits[a] ? b : a)
                .orElseThrow();
    }

    /** Softmax of the highest. */
    private static double share(float[] logits) {
        double top = logits[best(logits)];
        return 1
                / IntStream.range(0, logits.length)
                        .mapToDouble(i -> Math.exp(logits[i] - top))
                        .sum();
    }
}
