package io.tidemill.feedback.serving;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.tidemill.feedback.testing.FakeEngine;
import io.tidemill.feedback.testing.FakeEngineLoader;
import io.tidemill.feedback.testing.ServiceTestResource;
import io.tidemill.feedback.testing.Serving;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.ConfigProvider;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(ServiceTestResource.class)
class TakeoverTest {
    private static final String HELLO =
            "{\"messages\": [{\"role\": \"user\", \"content\": \"hello\"}], \"store\": false}";

    @Test
    void noRequestFailsWhileVersionsAreSwappedAndAllButTheLastOneAreClosedAfterTheirLastRequest() throws Exception {
        Serving.some();
        AtomicBoolean go = new AtomicBoolean(true);
        Set<String> seen = ConcurrentHashMap.newKeySet();
        ExecutorService clients = Executors.newFixedThreadPool(3);
        List<Future<Integer>> answered = new ArrayList<>();
        for (int client = 0; client < 3; client++) {
            answered.add(clients.submit(() -> {
                int count = 0;
                for (; go.get(); count++) {
                    var answer = given().body(HELLO).post("/v1/chat/completions");
                    assertThat(answer.statusCode()).as(answer.asString()).isEqualTo(200);
                    String version = answer.jsonPath().getString("model");
                    // One answer is of one version, whatever was promoted meanwhile.
                    assertThat(answer.jsonPath().getString("choices[0].message.content"))
                            .startsWith(version + " ");
                    seen.add(version);
                }
                return count;
            }));
        }
        List<String> promoted = new ArrayList<>();
        for (int swap = 0; swap < 5; swap++) {
            String version = Serving.promote();
            promoted.add(version);
            await().atMost(Serving.PATIENCE).until(() -> seen.contains(version));
        }
        go.set(false);
        for (Future<Integer> client : answered) {
            assertThat(client.get(30, TimeUnit.SECONDS)).isPositive();
        }
        clients.shutdown();
        assertThat(seen).containsAll(promoted);
        String newest = promoted.get(promoted.size() - 1);
        String standby = promoted.get(promoted.size() - 2);
        await().atMost(Serving.PATIENCE).until(() -> FakeEngineLoader.loaded().stream()
                .filter(engine -> !List.of(newest, standby).contains(engine.version()))
                .allMatch(FakeEngine::closed));
        assertThat(FakeEngineLoader.loaded()).noneMatch(FakeEngine::closedInUse);
        assertThat(directories()).containsExactlyInAnyOrder(newest, standby);
    }

    @Test
    void aVersionThatIsNotWhatWasAnnouncedLeavesTheServingOneAloneAndShows() {
        String serving = Serving.promote();
        String damaged = Serving.nextVersion();
        Serving.announce(Serving.store().promotedButDamaged(damaged, serving));
        awaitFailure(damaged, "fake-logits.txt");
        answersAs(serving);

        String swapped = Serving.nextVersion();
        Serving.announce(Serving.store().promotedWithOtherWeights(swapped, serving));
        awaitFailure(swapped, "logit 0 is 9.0");
        answersAs(serving);
        assertThat(FakeEngineLoader.loaded().stream().filter(e -> e.version().equals(swapped)))
                .allMatch(FakeEngine::closed);

        RestAssured.get("/q/health/ready").then().statusCode(200).body(org.hamcrest.Matchers.containsString(swapped));
        // The next good one ends the matter.
        String next = Serving.promote();
        answersAs(next);
        assertThat(RestAssured.get("/v1/loop").jsonPath().getString("served.failure"))
                .isNull();
    }

    @Test
    void aRollbackServesTheParentAgain() {
        String parent = Serving.promote();
        String child = Serving.promote();
        CheckpointEvent rolledBack = Serving.store().promoted(child, parent).toBuilder()
                .setState(VersionState.ROLLED_BACK)
                .build();
        Serving.announce(rolledBack);
        Serving.awaitServed(parent);
        answersAs(parent);
        assertThat(FakeEngineLoader.loaded().stream()
                        .filter(engine -> engine.version().equals(parent)))
                .as("it was on standby, and is not loaded again")
                .hasSize(1);
        Serving.promote();
    }

    @Test
    void aRefusedVersionIsNotServed() {
        String serving = Serving.promote();
        String refused = Serving.nextVersion();
        Serving.announce(Serving.store().promoted(refused, serving).toBuilder()
                .setState(VersionState.REFUSED)
                .build());
        await().atMost(Serving.PATIENCE).until(() -> RestAssured.get("/v1/loop")
                .jsonPath()
                .getList("versions.version")
                .contains(refused));
        answersAs(serving);
    }

    private static void answersAs(String version) {
        given().body(HELLO)
                .post("/v1/chat/completions")
                .then()
                .statusCode(200)
                .body("model", org.hamcrest.Matchers.equalTo(version));
    }

    private static void awaitFailure(String version, String reason) {
        await().atMost(Serving.PATIENCE).untilAsserted(() -> {
            var loop = RestAssured.get("/v1/loop").jsonPath();
            assertThat(loop.getString("served.failure.version")).isEqualTo(version);
            assertThat(loop.getString("served.failure.reason")).contains(reason);
        });
    }

    private static List<String> directories() throws IOException {
        Path served = Path.of(ConfigProvider.getConfig().getValue("tidemill.data", String.class), "served", "tidemill");
        try (Stream<Path> versions = Files.list(served)) {
            return versions.map(path -> path.getFileName().toString()).toList();
        }
    }
}
