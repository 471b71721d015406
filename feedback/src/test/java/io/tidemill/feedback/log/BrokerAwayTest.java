package io.tidemill.feedback.log;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import io.tidemill.feedback.serving.ServedModel;
import io.tidemill.feedback.testing.FakeEngine;
import jakarta.inject.Inject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Map;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

@QuarkusTest
@TestProfile(BrokerAwayTest.NoBroker.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BrokerAwayTest {
    @Inject
    ServedModel served;

    @Test
    @Order(1)
    void theServiceStartsAndSaysThatNothingServesYet() {
        given().body("{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}")
                .post("/v1/chat/completions")
                .then()
                .statusCode(503)
                .header("Retry-After", "2")
                .body("error.code", equalTo("no_model"));
        RestAssured.get("/q/health/ready")
                .then()
                .statusCode(503)
                .body(containsString("No version has been promoted yet."));
        RestAssured.get("/q/health/live").then().statusCode(200);
        RestAssured.get("/v1/models").then().statusCode(200).body("data.size()", equalTo(0));
    }

    @Test
    @Order(2)
    void feedbackAndCommandsAreNotAcceptedAndTheClientIsToldWhenToComeBack() {
        given().body("{\"completion_id\": \"r/0\", \"up\": true}")
                .post("/v1/feedback/thumbs")
                .then()
                .statusCode(503)
                .header("Retry-After", "2")
                .body("error.code", equalTo("kafka_unavailable"))
                .body("error.message", containsString("Nothing was accepted"))
                .body("error.message", not(containsString("..")));
        given().body("{\"kind\": \"pause\"}").post("/v1/commands").then().statusCode(503);
        assertThat(RestAssured.get("/v1/loop").jsonPath().getBoolean("kafka.reachable"))
                .isFalse();
    }

    @Test
    @Order(3)
    void answersComeAndAreMarkedAsNotRateable() {
        served.swap(new FakeEngine("tidemill-000001"));
        String id = given().body("{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}")
                .post("/v1/chat/completions")
                .then()
                .statusCode(200)
                .body("choices[0].message.content", equalTo("tidemill-000001 answers to 1 words."))
                .body("tidemill.rateable", equalTo(false))
                .extract()
                .path("tidemill.completion_ids[0]");
        given().body("{\"completion_id\": \"" + id + "\", \"up\": true}")
                .post("/v1/feedback/thumbs")
                .then()
                .statusCode(400)
                .body("error.expected", containsString("Kafka has not acknowledged it"));
    }

    /** A port that nobody listens on. */
    public static final class NoBroker implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                return Map.of(
                        "feedback.bootstrap-servers",
                        "127.0.0.1:" + free.getLocalPort(),
                        "feedback.data",
                        "target/no-broker",
                        "feedback.broker-timeout",
                        "500ms");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
