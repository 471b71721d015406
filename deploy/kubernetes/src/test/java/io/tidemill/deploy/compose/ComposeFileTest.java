package io.tidemill.deploy.compose;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.deploy.Program;
import io.tidemill.deploy.kubernetes.JsonSchemas;
import io.tidemill.deploy.kubernetes.Yaml;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class ComposeFileTest {
    static final List<String> SERVICES = Compose.SERVICES;
    private static final JsonSchemas SCHEMA = JsonSchemas.named("compose");
    private final JsonNode file = Compose.file("compose.yaml");

    @ParameterizedTest
    @ValueSource(strings = {"compose.yaml", "compose.gpu.yaml"})
    void theFileFollowsTheDescriptionOfTheSpecification(String name) {
        assertThat(SCHEMA.problems(Compose.file(name))).isEmpty();
    }

    @Test
    void aMisspeltKeyANumberInTheEnvironmentAndABadPortAreFound() {
        assertThat(SCHEMA.problems(Yaml.documents("services: {a: {imagee: x}}").get(0)))
                .singleElement()
                .asString()
                .contains("imagee");
        assertThat(SCHEMA.problems(
                        Yaml.documents("services: {a: {environment: {A: 3}}}").get(0)))
                .hasSize(1);
        assertThat(SCHEMA.problems(
                        Yaml.documents("services: {a: {ports: ['8081']}}").get(0)))
                .hasSize(1);
    }

    /** Asks Compose itself, where it is installed; it needs no daemon for this. */
    @ParameterizedTest
    @ValueSource(strings = {"compose.yaml", "compose.gpu.yaml"})
    void composeItselfUnderstandsTheFiles(String name) throws Exception {
        assumeThat(Program.isInstalled("docker")
                        && Program.run("docker", "compose", "version").status() == 0)
                .as("docker compose is installed")
                .isTrue();
        Program.Result answer = Program.run(
                "env",
                "TIDEMILL_LIBTORCH=/opt/libtorch",
                "docker",
                "compose",
                "-f",
                Compose.FOLDER.resolve("compose.yaml").toString(),
                "-f",
                Compose.FOLDER.resolve(name).toString(),
                "config",
                "-q");
        assertThat(answer.status()).as(answer.errors()).isZero();
    }

    @Test
    void theFourServicesAndABrokerOfTheClientsVersion() {
        assertThat(file.path("services").fieldNames())
                .toIterable()
                .containsExactlyInAnyOrder("kafka", "ingest", "preprocess-stream", "trainer", "feedback");
        assertThat(file.at("/services/kafka/image").asText())
                .isEqualTo("apache/kafka:" + System.getProperty("kafka.version"));
    }

    @Test
    void nothingIsReachableFromAnotherMachine() {
        for (JsonNode service : file.path("services")) {
            assertThat(service.path("ports")).isNotEmpty().allSatisfy(port -> assertThat(port.asText())
                    .startsWith("127.0.0.1:"));
        }
    }

    @Test
    void everyContainerHasAMemoryLimitAndAHealthCheck() {
        for (JsonNode service : file.path("services")) {
            assertThat(service.path("mem_limit").asText()).isNotEmpty();
            assertThat(service.at("/healthcheck/test/0").asText()).isEqualTo("CMD");
        }
    }

    @ParameterizedTest
    @FieldSource("SERVICES")
    void theHealthCheckAsksThePortThatIsPublished(String name) {
        JsonNode service = Compose.service(name);
        String port = service.at("/healthcheck/test/2").asText();
        assertThat(service.at("/healthcheck/test/1").asText()).isEqualTo("ready");
        assertThat(service.at("/ports/0").asText()).isEqualTo("127.0.0.1:" + port + ":" + port);
    }

    @ParameterizedTest
    @FieldSource("SERVICES")
    void aServiceIsNotRootAndWritesOnlyToItsVolumes(String name) {
        JsonNode service = Compose.service(name);
        assertThat(service.path("read_only").asBoolean()).isTrue();
        assertThat(service.at("/cap_drop/0").asText()).isEqualTo("ALL");
        assertThat(service.path("user").isMissingNode())
                .as("the image's own user, which is not root")
                .isTrue();
    }

    @ParameterizedTest
    @FieldSource("SERVICES")
    void aServiceWaitsUntilTheBrokerAnswersAndAsksItByItsInnerAddress(String name) {
        assertThat(Compose.service(name).at("/depends_on/kafka/condition").asText())
                .isEqualTo("service_healthy");
        assertThat(Compose.environment("kafka").get("KAFKA_ADVERTISED_LISTENERS"))
                .contains("INTERNAL://" + Compose.environment(name).get("KAFKA_BOOTSTRAP_SERVERS"));
    }

    @ParameterizedTest
    @FieldSource("SERVICES")
    void theImageHasTheVersionOfThisBuild(String name) {
        assertThat(Compose.service(name).path("image").asText())
                .isEqualTo("tidemill-" + name + ":${TIDEMILL_VERSION:-" + System.getProperty("tidemill.version") + "}");
    }

    @Test
    void theStoreIsAskedForWhereTheTrainerListens() {
        String port = Compose.service("trainer").at("/healthcheck/test/2").asText();
        assertThat(Stream.of("preprocess-stream", "feedback")
                        .map(name -> Compose.environment(name).get("TIDEMILL_STORE_URL")))
                .containsOnly("http://trainer:" + port);
    }

    @Test
    void everyVolumeThatIsNamedIsUsedOnceAndEveryOneUsedIsNamed() {
        List<String> used = StreamSupport.stream(file.path("services").spliterator(), false)
                .flatMap(service -> StreamSupport.stream(service.path("volumes").spliterator(), false))
                .map(volume -> volume.asText().split(":", 2)[0])
                .toList();
        assertThat(used)
                .as("services other than the trainer never share its disk")
                .doesNotHaveDuplicates();
        assertThat(new TreeSet<>(used))
                .containsExactlyInAnyOrderElementsOf(() -> file.path("volumes").fieldNames());
    }

    @Test
    void theOverrideForGpusChangesTheTrainerAlone() {
        JsonNode gpu = Compose.file("compose.gpu.yaml");
        assertThat(gpu.path("services").fieldNames()).toIterable().containsExactly("trainer");
        JsonNode device = gpu.at("/services/trainer/deploy/resources/reservations/devices/0");
        assertThat(Map.of(
                        "driver", device.path("driver").asText(),
                        "capability", device.at("/capabilities/0").asText()))
                .isEqualTo(Map.of("driver", "nvidia", "capability", "gpu"));
    }
}
