package io.tidemill.model.base;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.Generator;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.Sampling;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The embedded base model against what {@code bench/peers/make_base_fixture.py} wrote of it, float32. */
class AgainstTransformersTest {
    @TempDir
    static Path directory;

    private static Path files;
    private static JsonNode fixture;
    private static LanguageModel model;

    @BeforeAll
    static void load() throws IOException {
        Threads.intraOp(1);
        files = directory.resolve("model");
        BaseModel.extractTo(files);
        try (InputStream json = AgainstTransformersTest.class.getResourceAsStream("/continuations.json")) {
            fixture = new ObjectMapper().readTree(json);
        }
        model = LanguageModel.load(files, ComputeType.FLOAT32);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void theFixtureIsOfTheseWeights() throws IOException, NoSuchAlgorithmException {
        byte[] digest =
                MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(files.resolve("model.safetensors")));
        assertThat(HexFormat.of().formatHex(digest))
                .as(
                        "SHA-256 of model.safetensors; for other weights make the fixture anew: bench/peers/make_base_fixture.py")
                .isEqualTo(fixture.get("sha256").asText());
    }

    @Test
    void itsTextAndChatsBecomeTheSameTokens() throws IOException {
        ChatTemplate template = ChatTemplate.load(files);
        try (Tokenizer tokenizer = Tokenizer.load(files)) {
            for (JsonNode prompt : fixture.get("prompts")) {
                int[] ids = prompt.has("text")
                        ? tokenizer.encode(prompt.get("text").asText())
                        : tokenizer.encodeTemplate(template.render(messages(prompt.get("chat")), true));
                assertThat(ids).as(prompt.toString()).isEqualTo(ints(prompt.get("ids")));
            }
        }
    }

    @Test
    void fiftyGreedyContinuationsAreTheSameTokenByToken() {
        Generator generator = new Generator(model);
        int compared = 0;
        for (JsonNode prompt : fixture.get("prompts")) {
            int[] expected = ints(prompt.get("tokens"));
            int decided = prompt.get("decided").asInt();
            int[] made = generator
                    .generate(
                            ints(prompt.get("ids")),
                            Sampling.greedy(expected.length, Set.of()),
                            (token, logProbability) -> true)
                    .tokens();
            assertThat(made).hasSameSizeAs(expected);
            assertThat(IntStream.of(made).limit(decided).toArray())
                    .as("after %s", prompt.get("ids"))
                    .isEqualTo(IntStream.of(expected).limit(decided).toArray());
            compared += decided;
        }
        assertThat(fixture.get("prompts")).hasSize(50);
        assertThat(compared).as("tokens that no near-tie hides").isGreaterThan(1150);
    }

    @Test
    void logitsBehindThePromptsAreTheSame() {
        int every = fixture.get("every").asInt();
        double largest = 0;
        for (JsonNode prompt : fixture.get("prompts")) {
            float[][] all = model.logits(ints(prompt.get("ids")));
            float[] last = all[all.length - 1];
            JsonNode expected = prompt.get("logits");
            assertThat(expected).hasSize((last.length + every - 1) / every);
            double z = 0;
            for (int i = 0; i < last.length; i++) {
                z += Math.exp(last[i]);
                if (i % every == 0) {
                    largest = Math.max(
                            largest, Math.abs(last[i] - expected.get(i / every).asDouble()));
                }
            }
            largest =
                    Math.max(largest, Math.abs(Math.log(z) - prompt.get("logZ").asDouble()));
        }
        assertThat(largest).as("largest difference").isLessThan(1e-4);
    }

    private static List<ChatMessage> messages(JsonNode chat) {
        List<ChatMessage> messages = new ArrayList<>();
        chat.forEach(message -> messages.add(new ChatMessage(
                message.get("role").asText(), message.get("content").asText())));
        return messages;
    }

    private static int[] ints(JsonNode array) {
        return IntStream.range(0, array.size()).map(i -> array.get(i).asInt()).toArray();
    }
}
