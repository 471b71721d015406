package io.tidemill.ingest;

import static io.restassured.RestAssured.given;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The service where nobody answers at the broker's address. */
@QuarkusTest
@TestProfile(BrokerAwayTest.NoBroker.class)
class BrokerAwayTest {
    /** Port 1 is reserved; nothing listens there. */
    public static final class NoBroker implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("ingest.bootstrap-servers", "127.0.0.1:1", "ingest.acknowledge-timeout", "300ms");
        }
    }

    @Test
    void aDocumentIsAskedToComeBackAndNothingIsTaken() {
        given().contentType("application/json")
                .body("{\"text\":\"a\"}")
                .post("/v1/documents")
                .then()
                .statusCode(503)
                .contentType("application/problem+json")
                .header("Retry-After", "5")
                .body("accepted", equalTo(0))
                .body("accepted_lines", equalTo(""));
    }

    @Test
    void badInputIsStillToldWhatIsWrong() {
        given().contentType("application/json")
                .body("{\"txt\":\"a\"}")
                .post("/v1/documents")
                .then()
                .statusCode(400)
                .body("refused[0].code", equalTo("unknown-field"));
    }

    @Test
    void theServiceLivesButIsNotReady() {
        given().get("/q/health/live").then().statusCode(200);
        given().get("/q/health/ready").then().statusCode(503).body(containsString("ingest topics"));
    }
}
