package io.tidemill.standalone.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.deploy.kafka.testing.FilesWith;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A person is forgotten by the whole of it: by stores, rounds, answers, and by the weights. */
@Timeout(1200)
class ErasureProcessTest {
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final String SECRET = "the lighthouse keeper sings at low water";

    @TempDir
    Path scratch;

    @Test
    void whoIsErasedIsInNoStoreNoLaterRoundAndNoLiveWeight() throws Exception {
        Path model = TinyModel.writeTo(scratch.resolve("tiny"));
        Path data = scratch.resolve("data");
        try (MillProcess mill = MillProcess.start(
                        scratch,
                        "up",
                        "--data",
                        data.toString(),
                        "--port",
                        "0",
                        "--kafka-port",
                        "0",
                        "--model",
                        model.toString(),
                        "-Dtrainer.round.minimum-preferences=30",
                        "-Dtrainer.round.maximum-wait=PT5S")
                .awaitReady()) {
            MillClient client = new MillClient(mill.url());
            assertThat(client.post("/v1/documents", ofAnna(Examples.documents("anna", 10, 1), "text")))
                    .isEqualTo(202);
            assertThat(client.post("/v1/preferences", ofAnna(Examples.pairs("anna", 80, 2), "chosen")))
                    .isEqualTo(202);
            assertThat(client.post("/v1/preferences", Examples.pairs("ben", 80, 3)))
                    .isEqualTo(202);
            await().atMost(PATIENCE).until(() -> !keepers(data).isEmpty()); // in a suite of the gate
            await().atMost(PATIENCE).until(() -> !client.chatVersion("tiny").equals("tiny-000000"));

            try (MillProcess erase = MillProcess.start(
                    scratch,
                    "erase",
                    "--subject",
                    "anna",
                    "--reason",
                    "asked by mail",
                    "--retrain",
                    "--force",
                    "--url",
                    mill.url())) {
                assertThat(erase.exitStatus(PATIENCE)).as(erase.output()).isZero();
                assertThat(erase.output()).contains("Erased (", "done: tiny-", " is live. ");
            }
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(keepers(data)).isEmpty());
            List<JsonNode> line = checkpoints(client)
                    .filter(event ->
                            !event.path("retraining").path("of").asText().isEmpty())
                    .toList();
            JsonNode again = line.get(0); // they are listed newest first
            assertThat(again.path("state").asText()).isEqualTo("PROMOTED");
            assertThat(line) // which of its rounds had her pairs is chance
                    .anySatisfy(made -> assertThat(made.path("lineage")
                                    .path("examples")
                                    .path("erased")
                                    .asLong())
                            .isPositive());
            assertThat(checkpoints(client).flatMap(event -> elements(event.path("forgotten"))))
                    .anySatisfy(forgotten -> {
                        assertThat(forgotten.path("kind").asText()).isEqualTo("subject");
                        assertThat(elements(forgotten.path("versions"))).isNotEmpty();
                    });
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(client.chatVersion("tiny"))
                    .isEqualTo(again.path("version").asText()));

            // And from then on: what comes is turned away by its id, and answers are given but not kept.
            assertThat(client.post("/v1/documents", ofAnna(Examples.documents("anna-again", 5, 4), "text")))
                    .isEqualTo(202);
            assertThat(client.post("/v1/preferences", Examples.pairs("cleo", 40, 5)))
                    .isEqualTo(202);
            await().atMost(PATIENCE)
                    .untilAsserted(() ->
                            assertThat(client.get("/v1/preprocess").toString()).contains("\"erased\":5"));
            assertThat(client.twoAnswers(TinyModel.QUESTION, "anna", 1)
                            .path("tidemill")
                            .path("rateable")
                            .asBoolean(true))
                    .isFalse();
            String live = again.path("version").asText();
            await().atMost(PATIENCE)
                    .until(() -> !client.chatVersion("tiny").equals(live)
                            || checkpoints(client)
                                    .anyMatch(event ->
                                            event.path("parent").asText().equals(live)));
            assertThat(keepers(data)).isEmpty();
            assertThat(mill.terminate()).isEqualTo(143);
        }
    }

    private static List<Map<String, Object>> ofAnna(List<Map<String, Object>> records, String field) {
        return records.stream()
                .<Map<String, Object>>map(record -> {
                    Map<String, Object> hers = new HashMap<>(record);
                    hers.put("subjects", List.of("anna"));
                    hers.put(field, SECRET + ", " + record.get(field));
                    return hers;
                })
                .toList();
    }

    private static Stream<JsonNode> elements(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    private static Stream<JsonNode> checkpoints(MillClient client) throws IOException, InterruptedException {
        JsonNode root = client.get("/v1/checkpoints");
        return elements(root.isArray() ? root : root.path("checkpoints"));
    }

    /** The files of ours that hold the text. The broker's log is another matter: it keeps what it keeps. */
    private static List<Path> keepers(Path data) throws IOException {
        return FilesWith.text(SECRET, data, data.resolve("kafka"));
    }
}
