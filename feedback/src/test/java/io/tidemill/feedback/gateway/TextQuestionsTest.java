package io.tidemill.feedback.gateway;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.path.json.JsonPath;
import io.restassured.response.Response;
import io.restassured.response.ValidatableResponse;
import io.tidemill.feedback.answer.Task;
import io.tidemill.feedback.serving.ServedModel;
import io.tidemill.feedback.testing.FakeClassifier;
import io.tidemill.feedback.testing.ServiceTestResource;
import io.tidemill.feedback.testing.Serving;
import jakarta.inject.Inject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an encoder that serves is asked, and what it is not. */
@QuarkusTest
@QuarkusTestResource(ServiceTestResource.class)
class TextQuestionsTest {
    private static final String HELLO = "{\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]}";

    @Inject
    ServedModel served;

    @TestHTTPResource
    URI service;

    @AfterEach
    void serveAnswersAgain() {
        FakeClassifier.PACE = null;
        Serving.promote();
    }

    @Test
    void aPromotedClassifierServesAndClassifiesAText() {
        String version = Serving.promote(Task.CLASSIFY);

        classify("{\"model\": \"tidemill\", \"input\": \"" + "x".repeat(256) + "\"}")
                .then()
                .statusCode(200)
                .body("object", equalTo("list"))
                .body("model", equalTo(version))
                .body("data", hasSize(1))
                .body("data[0].index", equalTo(0))
                .body("data[0].label", equalTo("ham"))
                .body("data[0].probabilities.ham", equalTo(0.75f))
                .body("data[0].probabilities.spam", equalTo(0.25f))
                .body("data[0].truncated", equalTo(null));
        assertThat(RestAssured.get("/v1/models").jsonPath().getList("data.id")).contains("tidemill", version);
        JsonPath loop = RestAssured.get("/v1/loop").jsonPath();
        assertThat(loop.getString("served.task")).isEqualTo("classify");
        assertThat(loop.getInt("served.parameters")).isEqualTo(43);
        assertThat(loop.getString("served.failure")).isNull();
    }

    @Test
    void manyTextsOfAllLengthsAreAnsweredInTheirOrderAndReadInPassesOfLimitedSize() {
        Serving.promote(Task.CLASSIFY);
        String input = IntStream.rangeClosed(1, 128)
                .map(i -> i * 37 % 128 + 1) // each length once, in another order
                .mapToObj(i -> '"' + "x".repeat(4 * i) + '"')
                .collect(Collectors.joining(", ", "[", "]"));

        JsonPath answer = classify("{\"input\": " + input + "}")
                .then()
                .statusCode(200)
                .extract()
                .jsonPath();

        for (int i = 1; i <= 128; i++) {
            assertThat(answer.getInt("data[" + (i - 1) + "].index")).isEqualTo(i - 1);
            assertThat(answer.getDouble("data[" + (i - 1) + "].probabilities.spam"))
                    .isEqualTo(4 * (i * 37 % 128 + 1) / 1024.0);
        }
        try (ServedModel.Lease lease = served.acquire().orElseThrow()) {
            // 33,024 tokens in passes of 4,096 at most: with little padding hardly more than the 9 that there must be.
            assertThat(((FakeClassifier) lease.engine()).passes())
                    .hasSizeBetween(9, 12)
                    .allSatisfy(tokens -> assertThat(tokens).isLessThanOrEqualTo(4_096));
        }
    }

    @Test
    void aClientThatLeavesStopsTheReadingOfItsTexts() {
        Serving.promote(Task.CLASSIFY);
        FakeClassifier engine;
        try (ServedModel.Lease lease = served.acquire().orElseThrow()) {
            engine = (FakeClassifier) lease.engine();
        }
        Semaphore pace = new Semaphore(0);
        FakeClassifier.PACE = pace;
        String input = IntStream.range(0, 128)
                .mapToObj(i -> '"' + "x".repeat(512) + '"') // 16 passes of 8
                .collect(Collectors.joining(", ", "[", "]"));
        CompletableFuture<HttpResponse<String>> answer = HttpClient.newHttpClient()
                .sendAsync(
                        HttpRequest.newBuilder(service.resolve("/v1/classifications"))
                                .POST(HttpRequest.BodyPublishers.ofString("{\"input\": " + input + "}"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        pace.release();
        await().atMost(Serving.PATIENCE).until(() -> engine.passes().size() == 1);

        answer.cancel(true);
        Serving.promote(); // the version before stays loaded for a rollback …
        Serving.promote(); // … until another takes its place, and is closed once nobody reads with it
        await().atMost(Serving.PATIENCE).pollInterval(Duration.ofMillis(200)).until(() -> {
            pace.release();
            return engine.closed();
        });
        assertThat(engine.passes()).hasSizeLessThan(16);
    }

    @Test
    void aTextThatIsCutSaysSo() {
        Serving.promote(Task.CLASSIFY);

        classify("{\"input\": [\"" + "x".repeat(513) + "\", \"" + "x".repeat(512) + "\"]}")
                .then()
                .statusCode(200)
                .body("data[0].truncated", equalTo(true))
                .body("data[1].truncated", equalTo(null));
    }

    @Test
    void aVersionThatDoesNotAnswerSaysWhatItDoesAndWhere() {
        String version = Serving.promote(Task.CLASSIFY);
        for (String streamed : new String[] {"", ", \"stream\": true"}) {
            unsupported(given().body(HELLO.replaceFirst("}$", streamed + "}")).post("/v1/chat/completions"))
                    .body(
                            "error.message",
                            equalTo("The model '" + version
                                    + "' classifies texts and does nothing else; use POST /v1/classifications."));
        }
        unsupported(given().body("{\"prompt\": \"a\"}").post("/v1/completions"))
                .body("error.message", containsString("POST /v1/classifications"));
        unsupported(fillMask("{\"input\": \"a [MASK]\"}"))
                .body("error.message", containsString("POST /v1/classifications"));

        Serving.promote();
        unsupported(classify("{\"input\": \"a\"}")).body("error.message", containsString("POST /v1/chat/completions"));
        unsupported(fillMask("{\"input\": \"a [MASK]\"}"))
                .body("error.message", containsString("answers and continues texts"));
    }

    @Test
    void aMaskedLanguageModelFillsMasksAsHuggingFacesPipelineDoes() {
        String version = Serving.promote(Task.FILL_MASK);

        fillMask("{\"input\": [\"a [MASK].\", \"b [MASK]\"], \"top_k\": 2}")
                .then()
                .statusCode(200)
                .body("model", equalTo(version))
                .body("data", hasSize(2))
                .body("data[0].masks", hasSize(1))
                .body("data[0].masks[0]", hasSize(2))
                .body("data[0].masks[0][0].score", equalTo(0.5f))
                .body("data[0].masks[0][0].token", equalTo(1))
                .body("data[0].masks[0][0].token_str", equalTo("word1"))
                .body("data[0].masks[0][0].sequence", equalTo("a word1."))
                .body("data[1].index", equalTo(1))
                .body("data[1].masks[0][1].sequence", equalTo("b word2"));
        fillMask("{\"input\": \"a [MASK].\"}").then().statusCode(200).body("data[0].masks[0]", hasSize(5));
        fillMask("{\"input\": [\"a [MASK].\", \"b\"]}")
                .then()
                .statusCode(400)
                .body("error.param", equalTo("input[1]"))
                .body("error.message", containsString("it has no [MASK]"));
        String many = IntStream.range(0, 17).mapToObj(i -> "\"[MASK]\"").collect(Collectors.joining(", "));
        fillMask("{\"input\": [" + many + "]}")
                .then()
                .statusCode(400)
                .body("error.message", containsString("1 to 16 strings, but was 17 texts"));
        unsupported(classify("{\"input\": \"a\"}")).body("error.message", containsString("POST /v1/fill-mask"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{}                                      | input    | input is required: a string, or an array",
                "{\"input\": 7}                          | input    | input must be a string, or an array of 1 to 128",
                "{\"input\": []}                         | input    | input must be a string, or an array of 1 to 128",
                "{\"input\": [\"a\", 7]}                 | input[1] | input[1] must be a string, but was 7",
                "{\"input\": [\"a\", \" \"]}             | input[1] | input[1] must be a text that is not blank",
                "{\"input\": \"a\", \"top_k\": 3}        | top_k    | unknown field top_k",
                "{\"input\": [\"a\", \"unreadable\"]}    | input[1] | it spells a control token",
            })
    void aRequestThatCannotBeTakenIsRefusedByFieldAndValue(String body, String field, String message) {
        Serving.promote(Task.CLASSIFY);
        classify(body)
                .then()
                .statusCode(400)
                .body("error.type", equalTo("invalid_request_error"))
                .body("error.param", equalTo(field))
                .body("error.message", containsString(message));
    }

    @Test
    void tooManyTextsAnotherModelAndAnEngineThatFailsAreToldApart() {
        Serving.promote(Task.CLASSIFY);
        String many = IntStream.range(0, 129).mapToObj(i -> "\"a\"").collect(Collectors.joining(", "));
        classify("{\"input\": [" + many + "]}")
                .then()
                .statusCode(400)
                .body("error.message", containsString("1 to 128 strings, but was 129 texts"));
        classify("{\"input\": \"a\", \"model\": \"gpt-9\"}")
                .then()
                .statusCode(404)
                .body("error.code", equalTo("model_not_found"));
        classify("{\"input\": \"explode\"}").then().statusCode(500).body("error.type", equalTo("server_error"));
        assertThat(RestAssured.get("/v1/loop").jsonPath().getString("errors[0].message"))
                .isEqualTo("the fake was asked to explode");
    }

    private static Response classify(String body) {
        return given().body(body).post("/v1/classifications");
    }

    private static Response fillMask(String body) {
        return given().body(body).post("/v1/fill-mask");
    }

    private static ValidatableResponse unsupported(Response response) {
        return response.then()
                .statusCode(400)
                .body("error.type", equalTo("invalid_request_error"))
                .body("error.code", equalTo("model_not_supported"));
    }
}
