package io.tidemill.feedback.access;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.equalTo;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@QuarkusTest
@TestProfile(ApiKeyAccessTest.WithKeys.class)
class ApiKeyAccessTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/v1/chat/completions",
                "/v1/completions",
                "/v1/feedback/thumbs",
                "/v1/feedback/comparisons",
                "/v1/commands"
            })
    void whatChangesSomethingAsksForAKey(String path) {
        given().body("{}")
                .post(path)
                .then()
                .statusCode(401)
                .header("WWW-Authenticate", "Bearer")
                .body("error.code", equalTo("invalid_api_key"));
        given().header("Authorization", "Bearer tm-0-1")
                .body("{}")
                .post(path)
                .then()
                .statusCode(401);
        // With the key the request is read, and found wanting.
        given().header("Authorization", "Bearer " + System.getProperty(WithKeys.KEY))
                .body("{}")
                .post(path)
                .then()
                .statusCode(400);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/v1/loop", "/v1/loop/events", "/v1/models", "/v1/%6Coop", "/v1//loop", "/v1/./models"})
    void theStateAsksForAKeyHoweverItsPathIsWritten(String path) {
        given().urlEncodingEnabled(false)
                .get(path)
                .then()
                .statusCode(org.hamcrest.Matchers.anyOf(equalTo(401), equalTo(404)));
    }

    @Test
    void thePageItselfAndHealthDoNot() {
        RestAssured.get("/").then().statusCode(200);
        RestAssured.get("/console/main.js").then().statusCode(200);
        RestAssured.get("/q/health/live").then().statusCode(200);
    }

    /** A service whose keys were made by an earlier start. */
    public static final class WithKeys implements QuarkusTestProfile {
        static final String KEY = "tidemill.test.api-key";

        @Override
        public Map<String, String> getConfigOverrides() {
            try {
                Path data =
                        Files.createTempDirectory(Path.of("target"), "keys-").toAbsolutePath();
                ApiKeys.open(
                        data.resolve("feedback").resolve("api-keys.json"),
                        new Random(7),
                        Clock.systemUTC(),
                        key -> System.setProperty(KEY, key));
                return Map.of(
                        "feedback.authentication", "api-key",
                        "feedback.data", data.toString(),
                        "feedback.bootstrap-servers", "127.0.0.1:1",
                        "feedback.broker-timeout", "500ms");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
