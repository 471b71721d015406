package io.tidemill.trainer.service;

import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;

import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.checkpoint.CheckpointClient;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDelta;
import io.tidemill.trainer.checkpoint.Finding;
import io.tidemill.trainer.checkpoint.Finding.Outcome;
import io.tidemill.trainer.checkpoint.KeyFiles;
import io.tidemill.trainer.checkpoint.VerifyingKey;
import io.tidemill.trainer.checkpoint.VersionCheck;
import io.tidemill.trainer.round.TestLog;
import io.tidemill.trainer.round.TinyBase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The service as others see it: topics in, events and files out. */
@QuarkusTest
@QuarkusTestResource(TrainerServiceTest.Settings.class)
class TrainerServiceTest {
    private static final String PREFIX = "trainer-service-test.";
    private static final Duration LONG = Duration.ofMinutes(2);

    /** The broker of this JVM, a tiny base model and a data directory of its own. */
    public static final class Settings implements QuarkusTestResourceLifecycleManager {
        private static final String DIRECTORY = "tidemill.test.directory";

        @Override
        public Map<String, String> start() {
            try {
                Path directory = Files.createTempDirectory("trainer-service-test-");
                System.setProperty(DIRECTORY, directory.toString());
                TinyBase.write(directory.resolve("base"));
                return Map.ofEntries(
                        Map.entry("kafka.bootstrap.servers", SharedKafka.bootstrapServers()),
                        Map.entry("tidemill.topic-prefix", PREFIX),
                        Map.entry("tidemill.model", "served"),
                        Map.entry("tidemill.data", directory.resolve("data").toString()),
                        Map.entry(
                                "trainer.base-model", directory.resolve("base").toString()),
                        Map.entry(
                                "trainer.store.signing-key",
                                KeyFiles.write(directory.resolve("key"))
                                        .secret()
                                        .toString()),
                        Map.entry("trainer.store.deltas", "true"),
                        Map.entry("trainer.adapter.rank", "2"), // changes so little that a delta is worth it
                        Map.entry("trainer.adapter.target-modules", "q_proj"),
                        Map.entry("trainer.threads", "1"),
                        Map.entry("trainer.pretrain.length", "64"),
                        Map.entry("trainer.pretrain.learning-rate", "0.01"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        static Path directory() {
            return Path.of(System.getProperty(DIRECTORY));
        }

        @Override
        public void stop() {}
    }

    @TempDir
    Path downloads;

    private static CheckpointEvent awaitVersion(TestLog log, String version) {
        return await().atMost(LONG)
                .until(
                        () -> log.checkpoints().stream()
                                .filter(event -> event.getVersion().equals(version))
                                .findFirst(),
                        Optional::isPresent)
                .orElseThrow();
    }

    @Test
    void aPromotedVersionCanBeFetchedAndVerifiedOverHttp() throws Exception {
        try (TestLog log = new TestLog(
                SharedKafka.bootstrapServers(), PREFIX, Settings.directory().resolve("base"))) {
            awaitVersion(log, "served-000000");
            given().get("/q/health/ready").then().statusCode(200).body("checks.name", hasItem("trainer"));
            log.documents(0, 30, 150);
            log.preferences(0, 20);
            log.startRound("served");
            CheckpointEvent event = awaitVersion(log, "served-000001");

            given().get("/v1/checkpoints").then().statusCode(200).body("version", hasItem("served-000001"));
            given().get("/v1/checkpoints")
                    .then()
                    .body("[0].version", equalTo("served-000001"))
                    .body("[1].version", equalTo("served-000000"))
                    .body("[0].state", equalTo("PROMOTED"));
            given().get("/v1/checkpoints/served-000001")
                    .then()
                    .statusCode(200)
                    .body("parent", equalTo("served-000000"))
                    .body("verdict.passed", equalTo(true));
            given().get("/v1/rounds").then().statusCode(200).body("model", equalTo("served"));

            // the contract's client checks length and SHA-256 of every file
            CheckpointClient client = new CheckpointClient(
                    HttpClient.newHttpClient(), Optional.of(URI.create("http://127.0.0.1:" + RestAssured.port)));
            Path directory = client.download(event, downloads, path -> true);
            assertThat(directory.resolve("model.safetensors")).isNotEmptyFile();
            assertThat(directory.resolve("deltas")).doesNotExist();
            assertThat(directory.resolve("manifest.json")).content().contains("served-000001");
            VerifyingKey key = VerifyingKey.read(Settings.directory().resolve("key.pub.pem"));
            assertThat(VersionCheck.inDirectory(directory, VersionId.parse("served-000001"), Optional.of(key))
                            .run())
                    .extracting(Finding::check, Finding::outcome)
                    .containsExactly(
                            tuple("manifest", Outcome.OK),
                            tuple("signature", Outcome.OK),
                            tuple("files", Outcome.OK),
                            tuple("probe", Outcome.OK),
                            tuple("lineage", Outcome.UNCHECKED));

            byte[] whole = Files.readAllBytes(directory.resolve("model.safetensors"));
            byte[] part = given().header("Range", "bytes=100-199")
                    .get("/v1/checkpoints/served-000001/files/model.safetensors")
                    .then()
                    .statusCode(206)
                    .header("Content-Range", "bytes 100-199/" + whole.length)
                    .extract()
                    .asByteArray();
            assertThat(part).isEqualTo(Arrays.copyOfRange(whole, 100, 200));
            assertThat(event.getDeltasList())
                    .singleElement()
                    .extracting(FileDelta::getDelta)
                    .satisfies(delta -> {
                        byte[] served = given().get("/v1/checkpoints/served-000001/files/" + delta.getPath())
                                .then()
                                .statusCode(200)
                                .extract()
                                .asByteArray();
                        assertThat((long) served.length).isEqualTo(delta.getLength());
                        assertThat(FileDigests.sha256(served)).isEqualTo(delta.getSha256());
                    });
            given().get("/q/metrics").then().statusCode(200).body(containsString("trainer_round"));
        }
    }

    @Test
    void whatIsPrivateOrOutsideIsNotServed() {
        for (String path : new String[] {
            "served-000000/files/state/examples.tsv",
            "served-000000/files/..%2F..%2F..%2Fbase%2Fconfig.json",
            "served-000000/files/../../.lock",
            "served-000000/files/absent.json",
            "served-000000/files/deltas/model.safetensors.delta",
            "served-000001/files/deltas/absent.delta",
            "served-000001/files/deltas/../state/examples.tsv",
            "served-000001/files/deltas",
            "other-000000/files/config.json",
            "nonsense/files/config.json"
        }) {
            given().urlEncodingEnabled(false)
                    .get("/v1/checkpoints/" + path)
                    .then()
                    .statusCode(404);
        }
        given().get("/v1/checkpoints/served-000099")
                .then()
                .statusCode(404)
                .contentType("application/problem+json")
                .body("detail", equalTo("No version served-000099 of a model that is trained here is known."));
    }
}
