package io.tidemill.preprocess;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThanOrEqualTo;

import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.proto.v1.TokenSequence;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The service on a real broker, as a plain Kafka client sees it; one story from first start to another tokenizer. */
@QuarkusTest
@QuarkusTestResource(TestSettings.class)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PreprocessServiceTest {
    private static final Duration LIMIT = Duration.ofSeconds(90);

    private static final TopicCatalogue CATALOGUE = new TopicCatalogue(TestSettings.PREFIX);
    private static Broker broker;
    private static VersionServer versions;
    private static CheckpointEvent first;

    @BeforeAll
    static void connect() throws Exception {
        broker = new Broker(SharedKafka.bootstrapServers());
        versions = new VersionServer(Files.createTempDirectory(Path.of("target"), "versions-"));
        first = versions.promote("tidemill-000000", "the tide turns the mill");
    }

    @AfterAll
    static void disconnect() {
        broker.close();
        versions.close();
    }

    @Test
    @Order(1)
    void itSaysThatNoVersionHasBeenPromotedYet() {
        await().atMost(LIMIT).untilAsserted(() -> given().get("/v1/preprocess")
                .then()
                .statusCode(200)
                .body("ready", equalTo(false))
                .body("applications[0].name", equalTo("route"))
                .body("applications[0].state", equalTo("RUNNING"))
                .body("applications[1].state", equalTo("WAITING"))
                .body("applications[1].problem", containsString("no promoted version of model tidemill")));
        given().get("/q/health/ready").then().statusCode(503);
        given().get("/q/health/live").then().statusCode(200);
    }

    @Test
    @Order(2)
    void aPromotedVersionsTokenizerMakesItReady() {
        broker.protobuf(CATALOGUE.checkpoints(), first);

        await().atMost(LIMIT)
                .untilAsserted(() -> given().get("/q/health/ready").then().statusCode(200));
        given().get("/v1/preprocess")
                .then()
                .body("ready", equalTo(true))
                .body("applications[1].version", equalTo("tidemill-000000"))
                .body("applications[1].tokenizer", equalTo(first.getTokenizerFingerprint()));
    }

    @Test
    @Order(3)
    void aPlainClientsJsonBecomesTokensAndWhatIsBrokenIsRejectedWithAReason() {
        broker.json(CATALOGUE.documents(), "{\"documentId\": \"broken\", \"text\": ");
        broker.json(CATALOGUE.documents(), "{\"documentId\": \"wrong\", \"text\": 7}");
        broker.send(CATALOGUE.documents(), new byte[] {(byte) 0xFF, 1, 2, 3}, "application/x-protobuf");
        broker.json(CATALOGUE.documents(), "{\"documentId\": \"whole\", \"text\": \"the mill\", \"source\": \"kcat\"}");

        TokenSequence sequence = awaitSequence(first, "whole");
        assertThat(sequence.getProvenance().getSource()).isEqualTo("kcat");
        assertThat(sequence.getIdsCount()).isGreaterThan(1);
        await().atMost(LIMIT).untilAsserted(() -> assertThat(rejected())
                .extracting(Rejected::getStage)
                .containsExactly("parse", "parse", "parse"));
        assertThat(rejected())
                .allSatisfy(rejected -> assertThat(rejected.getReason()).isNotBlank());
    }

    @Test
    @Order(4)
    void aComparisonFromElsewhereBecomesAPreference() {
        broker.json(
                CATALOGUE.feedback(),
                """
                {"feedbackId": "f1", "source": "external", "groupId": "rule-7", "comparison": {
                  "verdict": "A_BETTER",
                  "selfContained": {
                    "messages": [{"role": "user", "content": "Correct: he go"}],
                    "answerA": "he goes", "answerB": "he go"}}}
                """);

        await().atMost(LIMIT).untilAsserted(() -> assertThat(preferences()).hasSize(1));
        Preference preference = preferences().get(0);
        assertThat(preference.getOrigin()).isEqualTo(Preference.Origin.EXTERNAL);
        assertThat(preference.getPair().getChosen().getText()).isEqualTo("he goes");
        assertThat(preference.getWeight()).isEqualTo(0.5);
    }

    @Test
    @Order(5)
    void aCorrectionIsLearnedAsAPairAndAsADemonstration() {
        broker.json(
                CATALOGUE.feedback(),
                """
                {"feedbackId": "f2", "turnId": "t1", "principal": {"subject": "local", "assurance": "LOOPBACK"},
                 "correction": {"completionId": "r1/0", "corrected": "The tide."}}
                """);
        broker.json(
                CATALOGUE.completions(),
                """
                {"completionId": "r1/0", "turnId": "t1", "messages": [{"role": "user", "content": "What turns it?"}],
                 "answer": "Tide.", "modelVersion": "tidemill-000000", "groupId": "c1"}
                """);

        TokenSequence sequence = awaitSequence(first, "f2");
        assertThat(sequence.getObjective()).isEqualTo(TokenSequence.Objective.SFT);
        assertThat(sequence.getLossMask().toByteArray()).contains((byte) 0, (byte) 1);
        assertThat(sequence.getProvenance().getGroupId()).isEqualTo("c1");
    }

    @Test
    @Order(6)
    void countsAreShownByStageAndCode() {
        given().get("/v1/preprocess")
                .then()
                .body("counts.parse.accepted", greaterThanOrEqualTo(4))
                .body("counts.tokenize.accepted", greaterThanOrEqualTo(2));
        // Each topic once: Kafka also measures it under its older name, with underscores for dots.
        await().atMost(LIMIT)
                .until(() -> lags(), lags -> lags.contains(CATALOGUE.feedback().name()));
        assertThat(lags()).noneMatch(topic -> topic.endsWith("_feedback"));
        String metrics =
                given().get("/q/metrics").then().statusCode(200).extract().asString();
        assertThat(metrics).containsPattern("preprocess_records_total\\{.*code=\"accepted\".*stage=\"join\".*} 2.0");
    }

    @Test
    @Order(7)
    void anotherTokenizerTokenizesAllTextAgain() throws Exception {
        CheckpointEvent second = versions.promote("tidemill-000001", "ebb and flood of another sea");
        assertThat(second.getTokenizerFingerprint()).isNotEqualTo(first.getTokenizerFingerprint());
        broker.protobuf(CATALOGUE.checkpoints(), second);

        awaitSequence(second, "whole");
        given().get("/v1/preprocess").then().body("applications[1].version", equalTo("tidemill-000001"));
    }

    private static Set<String> lags() {
        return given().get("/v1/preprocess")
                .jsonPath()
                .getMap("applications[0].lagRecords", String.class, Object.class)
                .keySet();
    }

    private static TokenSequence awaitSequence(CheckpointEvent version, String parent) {
        Topic topic = CATALOGUE.tokenSequences(version.getTokenizerFingerprint());
        // The service makes the topic when it starts with the tokenizer; asking must not depend on who is first.
        broker.ensure(CATALOGUE, List.of(topic));
        List<TokenSequence> found = await().atMost(LIMIT)
                .pollInterval(Duration.ofMillis(300))
                .until(
                        () -> broker.committed(topic, Readers.tokenSequences()).stream()
                                .filter(sequence ->
                                        sequence.getProvenance().getParentIds(0).equals(parent))
                                .toList(),
                        sequences -> !sequences.isEmpty());
        assertThat(found).hasSize(1);
        assertThat(found.get(0).getTokenizerFingerprint()).isEqualTo(version.getTokenizerFingerprint());
        return found.get(0);
    }

    private static List<Rejected> rejected() {
        return broker.committed(CATALOGUE.rejected(), Readers.rejected());
    }

    private static List<Preference> preferences() {
        return broker.committed(CATALOGUE.preferences(), Readers.preferences());
    }
}
