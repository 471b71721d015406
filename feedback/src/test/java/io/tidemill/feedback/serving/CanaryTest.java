package io.tidemill.feedback.serving;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.path.json.JsonPath;
import io.tidemill.feedback.answer.Task;
import io.tidemill.feedback.testing.FakeEngine;
import io.tidemill.feedback.testing.FakeEngineLoader;
import io.tidemill.feedback.testing.Kafka;
import io.tidemill.feedback.testing.ServiceTestResource;
import io.tidemill.feedback.testing.Serving;
import io.tidemill.proto.Readers;
import io.tidemill.proto.v1.CanaryFigures;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.VersionState;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(ServiceTestResource.class)
class CanaryTest {
    private String canary = "";
    private String champion = "";

    @AfterEach
    void noCanaryStays() {
        if (!canary.isEmpty()) {
            announce(VersionState.REFUSED);
            awaitCanary(null);
        }
    }

    @Test
    void aCanaryAnswersSomeConversationsAndTheLogTellsBothArms() {
        champion = Serving.promote();
        canary = Serving.nextVersion();
        announce(VersionState.CANARY);
        awaitCanary(canary);
        assertThat(Serving.served()).isEqualTo(champion);

        int ofCanary = 0;
        String run = UUID.randomUUID().toString();
        for (int i = 0; i < 40; i++) {
            String session = run + i;
            JsonPath first = ask(session, "");
            assertThat(ask(session, "").getString("model"))
                    .as("a conversation stays on its arm")
                    .isEqualTo(first.getString("model"));
            ofCanary += first.getString("model").equals(canary) ? 1 : 0;
        }
        assertThat(ofCanary).isBetween(8, 32); // of 40 with probability 0.5: 20 with a standard deviation of 3.2
        await().atMost(Serving.PATIENCE).until(() -> completions(run).size() == 80);
        for (Completion completion : completions(run)) {
            assertThat(completion.getCanaryVersion()).isEqualTo(canary);
            assertThat(completion.getArmProbability()).isEqualTo(0.5);
            assertThat(completion.getArm())
                    .isEqualTo(completion.getModelVersion().equals(canary) ? "canary" : "champion");
        }
        assertThat(RestAssured.get("/v1/models").jsonPath().getList("data.id")).contains("tidemill", champion, canary);
        assertThat(RestAssured.get("/q/health/ready").asString()).contains(canary);
    }

    @Test
    void whoNamesAVersionIsAnsweredByItAndTakesNoPartInTheDraw() {
        champion = Serving.promote();
        canary = Serving.nextVersion();
        announce(VersionState.CANARY);
        awaitCanary(canary);
        String run = UUID.randomUUID().toString();
        assertThat(ask(run, canary).getString("model")).isEqualTo(canary);
        assertThat(ask(run, champion).getString("model")).isEqualTo(champion);
        await().atMost(Serving.PATIENCE).until(() -> completions(run).size() == 2);
        assertThat(completions(run)).allSatisfy(completion -> {
            assertThat(completion.getCanaryVersion()).isEmpty();
            assertThat(completion.getArmProbability()).isEqualTo(1);
        });
    }

    @Test
    void aPromotedCanaryServesAllWithoutBeingLoadedAgain() {
        champion = Serving.promote();
        canary = Serving.nextVersion();
        announce(VersionState.CANARY);
        awaitCanary(canary);
        announce(VersionState.PROMOTED);
        Serving.awaitServed(canary);
        awaitCanary(null);
        assertThat(FakeEngineLoader.loaded().stream()
                        .filter(engine -> engine.version().equals(canary)))
                .hasSize(1)
                .noneMatch(FakeEngine::closed);
        canary = "";
        Serving.promote();
    }

    @Test
    void aCanaryThatIsRolledBackIsClosedAndTheChampionAnswersAll() {
        champion = Serving.promote();
        canary = Serving.nextVersion();
        announce(VersionState.CANARY);
        awaitCanary(canary);
        announce(VersionState.REFUSED);
        awaitCanary(null);
        String run = UUID.randomUUID().toString();
        for (int i = 0; i < 12; i++) {
            assertThat(ask(run + i, "").getString("model")).isEqualTo(champion);
        }
        await().atMost(Serving.PATIENCE).until(() -> FakeEngineLoader.loaded().stream()
                .filter(engine -> engine.version().equals(canary))
                .allMatch(FakeEngine::closed));
        canary = "";
    }

    @Test
    void aCanaryThatIsNotWhatWasAnnouncedOrThatNobodyRatesAnswersNothing() {
        champion = Serving.promote();
        String damaged = Serving.nextVersion();
        Serving.announce(asCanary(Serving.store().promotedButDamaged(damaged, champion)));
        awaitFailure(damaged, "fake-logits.txt");
        Serving.announce(Serving.store().promoted(damaged, champion).toBuilder()
                .setState(VersionState.REFUSED)
                .build());

        String classifier = Serving.nextVersion();
        CheckpointEvent event = Serving.store().promoted(classifier, champion, Task.CLASSIFY);
        Serving.announce(asCanary(event));
        awaitFailure(classifier, "cannot be a canary");
        Serving.announce(event.toBuilder().setState(VersionState.REFUSED).build());

        assertThat(RestAssured.get("/v1/loop").jsonPath().getString("served.canary"))
                .isNull();
        String run = UUID.randomUUID().toString();
        for (int i = 0; i < 12; i++) {
            assertThat(ask(run + i, "").getString("model")).isEqualTo(champion);
        }
    }

    private void announce(VersionState state) {
        Serving.announce(asCanary(Serving.store().promoted(canary, champion)).toBuilder()
                .setState(state)
                .build());
    }

    private static CheckpointEvent asCanary(CheckpointEvent event) {
        return event.toBuilder()
                .setState(VersionState.CANARY)
                .setCanary(CanaryFigures.newBuilder().setShare(0.5))
                .build();
    }

    private static void awaitCanary(String version) {
        await().atMost(Serving.PATIENCE).untilAsserted(() -> assertThat(
                        RestAssured.get("/v1/loop").jsonPath().getString("served.canary"))
                .isEqualTo(version));
    }

    private static void awaitFailure(String version, String reason) {
        await().atMost(Serving.PATIENCE).untilAsserted(() -> {
            JsonPath loop = RestAssured.get("/v1/loop").jsonPath();
            assertThat(loop.getString("served.failure.version")).isEqualTo(version);
            assertThat(loop.getString("served.failure.reason")).contains(reason);
        });
    }

    private static JsonPath ask(String session, String model) {
        return given().header("X-Session-Id", session)
                .body("{\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}]"
                        + (model.isEmpty() ? "" : ", \"model\": \"" + model + "\"") + "}")
                .post("/v1/chat/completions")
                .then()
                .statusCode(200)
                .extract()
                .jsonPath();
    }

    private static List<Completion> completions(String run) {
        return Kafka.all(Kafka.topics().completions(), Readers.completions(), completion -> completion
                .getSessionId()
                .startsWith(run));
    }
}
