package io.tidemill.feedback.gateway;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import io.tidemill.feedback.testing.FakeEngine;
import io.tidemill.feedback.testing.Kafka;
import io.tidemill.feedback.testing.ServiceTestResource;
import io.tidemill.feedback.testing.Serving;
import io.tidemill.proto.Readers;
import io.tidemill.proto.v1.Completion;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@QuarkusTest
@QuarkusTestResource(ServiceTestResource.class)
class ChatCompletionsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String HELLO = "{\"messages\": [{\"role\": \"user\", \"content\": \"hello there\"}]";

    private final HttpClient http = HttpClient.newHttpClient();
    private String version;

    @TestHTTPResource
    URI service;

    @BeforeEach
    void serveSomething() {
        version = Serving.some();
    }

    @AfterEach
    void speakFreely() {
        Semaphore pace = FakeEngine.PACE;
        FakeEngine.PACE = null;
        if (pace != null) {
            pace.release(1_000_000);
        }
    }

    @Test
    void anAnswerHasOpenAisShapeAndNamesItsVersionAndTurn() {
        JsonPath answer = ask(HELLO + "}").then().statusCode(200).extract().jsonPath();
        String id = answer.getString("id");
        assertThat(id).startsWith("chatcmpl-");
        assertThat(answer.getString("object")).isEqualTo("chat.completion");
        assertThat(answer.getString("model")).isEqualTo(version);
        assertThat(answer.getString("system_fingerprint")).isEqualTo(version);
        assertThat(answer.getString("choices[0].message.role")).isEqualTo("assistant");
        assertThat(answer.getString("choices[0].message.content")).isEqualTo(version + " answers to 2 words.");
        assertThat(answer.getString("choices[0].finish_reason")).isEqualTo("stop");
        assertThat(answer.getInt("usage.prompt_tokens")).isEqualTo(2);
        assertThat(answer.getInt("usage.completion_tokens")).isEqualTo(5);
        assertThat(answer.getInt("usage.total_tokens")).isEqualTo(7);
        assertThat(answer.getString("tidemill.turn_id")).isEqualTo(id);
        assertThat(answer.getList("tidemill.completion_ids")).isEqualTo(List.of(id + "/0"));
        assertThat(answer.getBoolean("tidemill.rateable")).isTrue();
    }

    @Test
    void anAnswerBecomesACompletionOnTheLog() {
        String id = given().header("X-Session-Id", "talk-7")
                .body(HELLO + ", \"temperature\": 0.5, \"seed\": 11, \"user\": \"ann\", \"max_tokens\": 3}")
                .post("/v1/chat/completions")
                .jsonPath()
                .getString("id");
        Completion completion = awaitCompletions(id).get(0);
        assertThat(completion.getCompletionId()).isEqualTo(id + "/0");
        assertThat(completion.getTurnId()).isEqualTo(id);
        assertThat(completion.getSessionId()).isEqualTo("talk-7");
        assertThat(completion.getGroupId()).isEqualTo("session:talk-7");
        assertThat(completion.getMessages(0).getContent()).isEqualTo("hello there");
        assertThat(completion.getAnswer()).isEqualTo(version + " answers to ");
        assertThat(completion.getModelVersion()).isEqualTo(version);
        assertThat(completion.getSampling().getTemperature()).isEqualTo(0.5);
        assertThat(completion.getSampling().getSeed()).isEqualTo(11);
        assertThat(completion.getAnswerTokensList()).containsExactly(1, 2, 3);
        assertThat(completion.getAnswerLogProbsList()).containsExactly(-0.5f, -0.5f, -0.5f);
        assertThat(completion.getSubjectsList()).containsExactly("ann");
        assertThat(completion.getFinishReason()).isEqualTo("length");
        assertThat(completion.getPartial()).isFalse();
    }

    @Test
    void theEndThatTheModelDrewIsLoggedWithTheAnswerAndShownToNobody() {
        JsonPath answer = ask(HELLO + ", \"logprobs\": true}").jsonPath();
        assertThat(answer.getList("choices[0].logprobs.content")).hasSize(5);
        assertThat(answer.getInt("usage.completion_tokens")).isEqualTo(5);
        Completion completion =
                awaitCompletions(answer.getString("tidemill.turn_id")).get(0);
        assertThat(completion.getAnswer())
                .isEqualTo(answer.getString("choices[0].message.content"))
                .endsWith("words.");
        assertThat(completion.getAnswerTokensList()).containsExactly(1, 2, 3, 4, 5, FakeEngine.END);
        assertThat(completion.getAnswerLogProbsList()).containsExactly(-0.5f, -0.5f, -0.5f, -0.5f, -0.5f, -0.25f);
    }

    @Test
    void withoutASessionLaterTurnsOfAConversationShareItsGroup() {
        String first = ask(HELLO + "}").jsonPath().getString("id");
        String second = ask("{\"messages\": [{\"role\": \"user\", \"content\": \"hello there\"},"
                        + "{\"role\": \"assistant\", \"content\": \"hi\"}, {\"role\": \"user\", \"content\": \"more\"}]}")
                .jsonPath()
                .getString("id");
        assertThat(awaitCompletions(second).get(0).getGroupId())
                .startsWith("conversation:")
                .isEqualTo(awaitCompletions(first).get(0).getGroupId());
    }

    @Test
    void twoChoicesAreOneTurn() {
        JsonPath answer = ask(HELLO + ", \"n\": 2}").jsonPath();
        String id = answer.getString("id");
        assertThat(answer.getList("choices.index")).isEqualTo(List.of(0, 1));
        assertThat(answer.getList("tidemill.completion_ids")).isEqualTo(List.of(id + "/0", id + "/1"));
        assertThat(awaitCompletions(id))
                .hasSize(2)
                .extracting(Completion::getTurnId)
                .containsOnly(id);
    }

    @Test
    void whatIsNotToBeStoredIsNotCapturedAndCannotBeRated() {
        JsonPath answer = ask(HELLO + ", \"store\": false}").jsonPath();
        String id = answer.getString("id");
        assertThat(answer.getBoolean("tidemill.rateable")).isFalse();
        given().body("{\"completion_id\": \"" + id + "/0\", \"up\": true}")
                .post("/v1/feedback/thumbs")
                .then()
                .statusCode(400)
                .body("error.field", org.hamcrest.Matchers.nullValue())
                .body("error.param", org.hamcrest.Matchers.equalTo("completion_id"));
        // A stored answer after it proves that the first one had its chance to appear.
        awaitCompletions(ask(HELLO + "}").jsonPath().getString("id"));
        assertThat(completions(id)).isEmpty();
    }

    @Test
    void aStreamArrivesWordByWordAndEndsWithDone() throws Exception {
        FakeEngine.PACE = new Semaphore(1);
        try (BufferedReader lines = stream(
                "/v1/chat/completions", HELLO + ", \"stream\": true, \"stream_options\": {\"include_usage\": true}}")) {
            JsonNode first = chunk(lines);
            assertThat(first.path("object").asText()).isEqualTo("chat.completion.chunk");
            assertThat(first.at("/choices/0/delta/role").asText()).isEqualTo("assistant");
            assertThat(first.at("/choices/0/delta/content").asText()).isEqualTo(version + " ");
            // The second word is not said yet: what came, came because it was sent at once.
            FakeEngine.PACE.release(4);
            List<String> words = new ArrayList<>();
            JsonNode next = chunk(lines);
            for (; next.at("/choices/0/finish_reason").isNull(); next = chunk(lines)) {
                assertThat(next.at("/choices/0/delta").has("role")).isFalse();
                words.add(next.at("/choices/0/delta/content").asText());
            }
            assertThat(words).containsExactly("answers ", "to ", "2 ", "words.");
            assertThat(next.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
            assertThat(next.at("/tidemill/rateable").asBoolean()).isTrue();
            assertThat(next.at("/usage").isNull()).isTrue();
            JsonNode usage = chunk(lines);
            assertThat(usage.path("choices")).isEmpty();
            assertThat(usage.at("/usage/completion_tokens").asInt()).isEqualTo(5);
            assertThat(data(lines)).isEqualTo("[DONE]");
        }
    }

    @Test
    void aStreamOfTwoChoicesNamesTheChoiceInEachChunk() throws Exception {
        try (BufferedReader lines = stream("/v1/chat/completions", HELLO + ", \"n\": 2, \"stream\": true}")) {
            StringBuilder[] texts = {new StringBuilder(), new StringBuilder()};
            int finished = 0;
            for (String data = data(lines); !data.equals("[DONE]"); data = data(lines)) {
                JsonNode choice = JSON.readTree(data).at("/choices/0");
                texts[choice.path("index").asInt()].append(
                        choice.at("/delta/content").asText(""));
                finished += choice.path("finish_reason").isNull() ? 0 : 1;
            }
            assertThat(finished).isEqualTo(2);
            assertThat(texts[0]).hasToString(version + " answers to 2 words.");
            assertThat(texts[1]).hasToString(version + " answers to 2 words.");
        }
    }

    @Test
    void aClientThatLeavesCancelsItsAnswerWhichIsKeptAsPartial() throws Exception {
        FakeEngine.PACE = new Semaphore(2);
        String id;
        try (BufferedReader lines = stream("/v1/chat/completions", HELLO + ", \"stream\": true}")) {
            id = chunk(lines).path("id").asText();
            chunk(lines);
        }
        // Each further word is a chance to notice that nobody listens; five would finish the answer.
        await().atMost(Serving.PATIENCE)
                .pollInterval(java.time.Duration.ofMillis(50))
                .until(() -> {
                    if (FakeEngine.PACE.getQueueLength() > 0 && clientIsGone()) {
                        FakeEngine.PACE.release(1);
                    }
                    return !completions(id).isEmpty();
                });
        Completion completion = completions(id).get(0);
        assertThat(completion.getPartial()).isTrue();
        assertThat(completion.getFinishReason()).isEqualTo("cancelled");
        assertThat(completion.getAnswer()).startsWith(version + " answers ").doesNotContain("words.");
    }

    private boolean goneSeen;

    /** The service hears of the closed connection a moment after it was closed: one poll later is surely enough. */
    private boolean clientIsGone() {
        boolean seenBefore = goneSeen;
        goneSeen = true;
        return seenBefore;
    }

    @ParameterizedTest(name = "{0} is refused as {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "{}|messages",
                "{\"messages\": []}|messages",
                "{\"messages\": [{\"role\": \"tool\", \"content\": \"x\"}]}|messages[0].role",
                "{\"messages\": [{\"role\": \"user\"}]}|messages[0].content",
                "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]}|messages[0].content[0].type",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"temperature\": 3}|temperature",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"top_p\": \"high\"}|top_p",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"n\": 0}|n",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"max_tokens\": 1.5}|max_tokens",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"stop\": [\"\"]}|stop",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"tools\": [{}]}|tools",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"top_logprobs\": 5}|top_logprobs",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"stream_options\": {}}|stream_options",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"wibble\": 1}|wibble",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"untemplatable\"}]}|messages",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]} trailing|body",
                "not json|body",
            })
    void whatCannotBeDoneIsRefusedByName(String body, String field) {
        JsonPath error = ask(body).then().statusCode(400).extract().jsonPath();
        assertThat(error.getString("error.param")).isEqualTo(field);
        assertThat(error.getString("error.type")).isEqualTo("invalid_request_error");
        assertThat(error.getString("error.message")).contains(field);
        assertThat(error.getString("error.value")).isNotBlank();
        assertThat(error.getString("error.expected")).isNotBlank();
    }

    @Test
    void aPromptThatFillsTheContextIsRefusedWithBothNumbers() {
        String longPrompt = "word ".repeat(64).trim();
        JsonPath error = ask("{\"messages\": [{\"role\": \"user\", \"content\": \"" + longPrompt + "\"}]}")
                .then()
                .statusCode(400)
                .extract()
                .jsonPath();
        assertThat(error.getString("error.message")).contains("64 tokens").contains("context of 64 tokens");
    }

    @Test
    void anotherModelIsNotFoundAndTheMessageNamesTheOneThatServes() {
        JsonPath error = ask(HELLO + ", \"model\": \"gpt-4\"}")
                .then()
                .statusCode(404)
                .extract()
                .jsonPath();
        assertThat(error.getString("error.code")).isEqualTo("model_not_found");
        assertThat(error.getString("error.message")).contains("gpt-4").contains(version);
        ask(HELLO + ", \"model\": \"" + version + "\"}").then().statusCode(200);
        ask(HELLO + ", \"model\": \"tidemill\"}").then().statusCode(200);
    }

    @Test
    void aFullQueueTurnsTheNextQuestionAwayWithATimeToRetry() throws Exception {
        FakeEngine.PACE = new Semaphore(0);
        FakeEngine.BEGUN = new CountDownLatch(1);
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        answers.add(askLater(HELLO + "}"));
        assertThat(FakeEngine.BEGUN.await(30, TimeUnit.SECONDS)).isTrue();
        for (int waiting = 1; waiting <= 4; waiting++) {
            answers.add(askLater(HELLO + "}"));
            int expected = waiting;
            await().atMost(Serving.PATIENCE)
                    .until(() -> io.restassured.RestAssured.get("/v1/loop")
                                    .jsonPath()
                                    .getInt("activity.waiting")
                            == expected);
        }
        Response turnedAway = ask(HELLO + "}");
        assertThat(turnedAway.statusCode()).isEqualTo(429);
        assertThat(turnedAway.header("Retry-After")).isEqualTo("1");
        assertThat(turnedAway.jsonPath().getString("error.message")).contains("feedback.maximum-waiting");
        FakeEngine.PACE.release(1_000);
        for (CompletableFuture<HttpResponse<String>> answer : answers) {
            assertThat(answer.get(30, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aModelThatFailsAnswers500AndGoesOnWithTheNextQuestion() {
        JsonPath error = ask("{\"messages\": [{\"role\": \"user\", \"content\": \"please explode\"}]}")
                .then()
                .statusCode(500)
                .extract()
                .jsonPath();
        assertThat(error.getString("error.code")).isEqualTo("generation_failed");
        ask(HELLO + "}").then().statusCode(200);
    }

    @Test
    void logProbabilitiesComeWithEachToken() {
        JsonPath answer = ask(HELLO + ", \"logprobs\": true}").jsonPath();
        assertThat(answer.getList("choices[0].logprobs.content.token"))
                .isEqualTo(List.of(version + " ", "answers ", "to ", "2 ", "words."));
        assertThat(answer.getFloat("choices[0].logprobs.content[0].logprob")).isEqualTo(-0.5f);
    }

    @Test
    void partsOfTextAreJoined() {
        JsonPath answer =
                ask("{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"one two\"},"
                                + " {\"type\": \"text\", \"text\": \" three\"}]}]}")
                        .jsonPath();
        assertThat(answer.getString("choices[0].message.content")).endsWith("to 3 words.");
    }

    @Test
    void rawTextIsContinuedWithoutATemplate() {
        JsonPath answer = given().body("{\"prompt\": \"It was the best\", \"max_tokens\": 2}")
                .post("/v1/completions")
                .then()
                .statusCode(200)
                .extract()
                .jsonPath();
        assertThat(answer.getString("object")).isEqualTo("text_completion");
        assertThat(answer.getString("choices[0].text")).isEqualTo(version + " answers ");
        assertThat(answer.getString("choices[0].finish_reason")).isEqualTo("length");
        Completion completion = awaitCompletions(answer.getString("id")).get(0);
        assertThat(completion.getRawText()).isTrue();
        assertThat(completion.getMessages(0).getContent()).isEqualTo("It was the best");
    }

    @Test
    void theModelsAreTheNameAndTheVersion() {
        List<String> ids =
                io.restassured.RestAssured.get("/v1/models").jsonPath().getList("data.id");
        assertThat(ids).containsExactly("tidemill", version);
        io.restassured.RestAssured.get("/v1/models/" + version).then().statusCode(200);
        io.restassured.RestAssured.get("/v1/models/other").then().statusCode(404);
    }

    @Test
    void aPathThatNobodyServesIsAnErrorThatClientsCanRead() {
        given().contentType("application/json")
                .body("{}")
                .post("/v1/embeddings")
                .then()
                .statusCode(404)
                .contentType("application/json")
                .body("error.code", org.hamcrest.Matchers.equalTo("unknown_url"))
                .body("error.message", org.hamcrest.Matchers.containsString("POST /v1/embeddings"));
    }

    @Test
    void aBodyOverTheLimitIs413() {
        given().body("x".repeat(3_000_000))
                .post("/v1/chat/completions")
                .then()
                .statusCode(413)
                .body("error.code", org.hamcrest.Matchers.equalTo("too_large"));
    }

    private static Response ask(String body) {
        return given().contentType("application/json").body(body).post("/v1/chat/completions");
    }

    private CompletableFuture<HttpResponse<String>> askLater(String body) {
        return http.sendAsync(request("/v1/chat/completions", body), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(service.resolve(path))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    private BufferedReader stream(String path, String body) throws IOException, InterruptedException {
        HttpResponse<InputStream> response = http.send(request(path, body), HttpResponse.BodyHandlers.ofInputStream());
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("text/event-stream; charset=utf-8");
        return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
    }

    private static JsonNode chunk(BufferedReader lines) throws IOException {
        return JSON.readTree(data(lines));
    }

    private static String data(BufferedReader lines) throws IOException {
        String line = lines.readLine();
        assertThat(line).startsWith("data: ");
        assertThat(lines.readLine()).isEmpty();
        return line.substring("data: ".length());
    }

    private static List<Completion> awaitCompletions(String turn) {
        await().atMost(Serving.PATIENCE).until(() -> !completions(turn).isEmpty());
        return completions(turn);
    }

    private static List<Completion> completions(String turn) {
        return Kafka.all(Kafka.topics().completions(), Readers.completions(), c -> c.getTurnId()
                .equals(turn));
    }
}
