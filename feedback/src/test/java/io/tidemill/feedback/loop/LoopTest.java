package io.tidemill.feedback.loop;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.util.Timestamps;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.path.json.JsonPath;
import io.tidemill.feedback.testing.Kafka;
import io.tidemill.feedback.testing.ServiceTestResource;
import io.tidemill.feedback.testing.Serving;
import io.tidemill.proto.v1.Notice;
import io.tidemill.proto.v1.RoundEvent;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(ServiceTestResource.class)
class LoopTest {
    @TestHTTPResource("/v1/loop/events")
    URI events;

    @Test
    void theLoopShowsVersionsWithTheirVerdictsAndTheRunningRound() {
        String version = Serving.promote();
        round(RoundEvent.Phase.TRAINING, 17);
        await().atMost(Serving.PATIENCE).until(() -> loop().getInt("round.step") == 17);
        JsonPath loop = loop();
        assertThat(loop.getString("model")).isEqualTo("tidemill");
        assertThat(loop.getString("served.version")).isEqualTo(version);
        assertThat(loop.getString("served.since")).isNotBlank();
        assertThat(loop.getBoolean("kafka.reachable")).isTrue();
        assertThat(loop.getString("round.phase")).isEqualTo("training");
        assertThat(loop.getString("round.stage")).isEqualTo("preference");
        assertThat(loop.getInt("round.waiting.preference")).isEqualTo(1200);
        assertThat(loop.getString("round.notice.command_id")).isEqualTo("a-rollback");
        assertThat(loop.getBoolean("round.notice.done")).isFalse();
        assertThat(loop.getString("round.notice.text")).isEqualTo("cannot roll back from tidemill-000003");
        assertThat(loop.getString("round.notice.time")).isEqualTo("2026-11-30T14:03:00Z");
        String path = "versions.find { it.version == '" + version + "' }";
        assertThat(loop.getString(path + ".state")).isEqualTo("promoted");
        assertThat(loop.getString(path + ".verdict.suites[0].suite")).isEqualTo("held-out-loss");
        assertThat(loop.getDouble(path + ".verdict.suites[0].after_low")).isEqualTo(3.05);
        assertThat(loop.getString(path + ".files[0].path")).isEqualTo("fake-logits.txt");
    }

    @Test
    void whatChangesIsPushed() throws Exception {
        Serving.some();
        HttpResponse<InputStream> response = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(events).build(), HttpResponse.BodyHandlers.ofInputStream());
        assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream; charset=utf-8");
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            assertThat(next(lines).path("model").asText()).isEqualTo("tidemill");
            round(RoundEvent.Phase.GATING, 99);
            JsonNode pushed = next(lines);
            while (pushed.at("/round/step").asInt() != 99) {
                pushed = next(lines);
            }
            assertThat(pushed.at("/round/phase").asText()).isEqualTo("gating");
        }
    }

    @Test
    void answersAndTheirTimesAreCounted() {
        Serving.some();
        int before = loop().getInt("activity.answered");
        for (int i = 0; i < 3; i++) {
            given().body("{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}")
                    .post("/v1/chat/completions")
                    .then()
                    .statusCode(200);
        }
        JsonPath loop = loop();
        assertThat(loop.getInt("activity.answered")).isGreaterThanOrEqualTo(before + 3);
        assertThat(loop.getDouble("activity.answer_millis.p95")).isPositive();
        assertThat(RestAssured.get("/q/metrics").asString())
                .contains("feedback_answer_seconds")
                .contains("feedback_first_token_seconds")
                .contains("feedback_waiting_requests");
    }

    @Test
    void aForeignHostAndAForeignOriginAreTurnedAway() {
        given().header("Host", "evil.example:80").get("/v1/loop").then().statusCode(403);
        given().header("Host", "localhost:1").get("/v1/loop").then().statusCode(200);
        given().header("Origin", "https://evil.example")
                .body("{\"kind\": \"pause\"}")
                .post("/v1/commands")
                .then()
                .statusCode(403);
        given().header("Origin", "null")
                .body("{\"kind\": \"pause\"}")
                .post("/v1/commands")
                .then()
                .statusCode(403);
        given().header("Origin", "http://localhost:" + RestAssured.port)
                .header("Host", "localhost:" + RestAssured.port)
                .body("{\"kind\": \"resume\"}")
                .post("/v1/commands")
                .then()
                .statusCode(202);
    }

    @Test
    void thePageAndItsModulesComeWithAStrictPolicy() {
        List<String> paths = List.of(
                "/",
                "/console/main.js",
                "/console/api.js",
                "/console/chat.js",
                "/console/chart.js",
                "/console/format.js",
                "/console/history.js",
                "/console/loop.js",
                "/console/texts.js",
                "/console/tidemill.css",
                "/console/icon.svg");
        for (String path : paths) {
            var response = RestAssured.get(path);
            assertThat(response.statusCode()).as(path).isEqualTo(200);
            assertThat(response.header("Content-Security-Policy"))
                    .as(path)
                    .contains("default-src 'none'")
                    .doesNotContain("unsafe");
            // Nothing is loaded from elsewhere; the SVG namespace is a name, not an address.
            assertThat(response.asString().replace("http://www.w3.org/2000/svg", ""))
                    .as(path)
                    .doesNotContain("http://")
                    .doesNotContain("https://");
        }
    }

    private static JsonPath loop() {
        return RestAssured.get("/v1/loop").jsonPath();
    }

    private static JsonNode next(BufferedReader lines) throws Exception {
        String line = lines.readLine();
        while (!line.startsWith("data: ")) {
            line = lines.readLine();
        }
        return new ObjectMapper().readTree(line.substring("data: ".length()));
    }

    private static void round(RoundEvent.Phase phase, long step) {
        RoundEvent event = RoundEvent.newBuilder()
                .setModel("tidemill")
                .setRound(4)
                .setVersion("tidemill-000004")
                .setPhase(phase)
                .setStage("preference")
                .setStep(step)
                .setSteps(120)
                .setLoss(0.61)
                .setTokensPerSecond(2150)
                .putWaiting("preference", 1200)
                .setNotice(Notice.newBuilder()
                        .setCommandId("a-rollback")
                        .setText("cannot roll back from tidemill-000003")
                        .setEventTime(Timestamps.fromMillis(
                                Instant.parse("2026-11-30T14:03:00Z").toEpochMilli())))
                .build();
        Kafka.append(Kafka.topics().rounds(), "tidemill", event);
    }
}
