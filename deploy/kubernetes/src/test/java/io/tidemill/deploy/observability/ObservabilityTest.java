package io.tidemill.deploy.observability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.deploy.Program;
import io.tidemill.deploy.compose.Compose;
import io.tidemill.deploy.kubernetes.JsonSchemas;
import io.tidemill.deploy.kubernetes.Yaml;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** deploy/observability; that its metrics are told by a running mill is asked by the processes' tests. */
class ObservabilityTest {
    private static final Path FOLDER = Path.of("../observability");
    private static final JsonNode OVERLAY = Yaml.document(FOLDER.resolve("compose.yaml"));

    @Test
    void prometheusReadsEachServiceWhereItsContainerListens() {
        List<String> expected = Compose.SERVICES.stream()
                .map(name -> name + ":"
                        + Compose.service(name).at("/healthcheck/test/2").asText())
                .toList();
        List<String> read = new ArrayList<>();
        for (JsonNode targets :
                Yaml.document(FOLDER.resolve("prometheus/prometheus.yml")).at("/scrape_configs/0/static_configs")) {
            read.add(targets.at("/targets/0").asText());
            assertThat(read.get(read.size() - 1))
                    .startsWith(targets.at("/labels/service").asText() + ":");
        }
        assertThat(read).containsExactlyInAnyOrderElementsOf(expected);
    }

    @Test
    void eachAlertSaysHowUrgentItIsWhatIsWrongAndWhatToDo() {
        JsonNode rules = Yaml.document(FOLDER.resolve("prometheus/alerts.yml")).at("/groups/0/rules");
        assertThat(rules).hasSizeGreaterThan(5).allSatisfy(rule -> {
            assertThat(rule.at("/labels/severity").asText()).isIn("page", "ticket");
            assertThat(rule.at("/annotations/summary").asText()).isNotBlank();
            assertThat(rule.at("/annotations/description").asText()).isNotBlank();
        });
    }

    @Test
    void eachPanelAsksTheSourceThatIsProvided() throws IOException {
        JsonNode source = Yaml.document(FOLDER.resolve("grafana/provisioning/datasources/prometheus.yaml"))
                .at("/datasources/0");
        JsonNode panels = new ObjectMapper()
                .readTree(FOLDER.resolve("grafana/dashboards/tidemill.json").toFile())
                .path("panels");
        assertThat(panels)
                .hasSizeGreaterThan(15)
                .extracting(panel -> panel.path("id").asInt())
                .doesNotHaveDuplicates();
        assertThat(panels.findValues("uid").stream().map(JsonNode::asText))
                .containsOnly(source.path("uid").asText());
        assertThat(OVERLAY.at("/services/prometheus/ports/0").asText())
                .endsWith(":" + source.path("url").asText().replaceFirst("http://prometheus:", ""));
    }

    @Test
    void theOverlayFollowsTheDescriptionOfTheSpecificationAndIsReachableFromThisMachineAlone() {
        assertThat(JsonSchemas.named("compose").problems(OVERLAY)).isEmpty();
        assertThat(OVERLAY.path("services")).allSatisfy(service -> assertThat(service.path("ports"))
                .isNotEmpty()
                .allSatisfy(port -> assertThat(port.asText()).startsWith("127.0.0.1:")));
        for (JsonNode service : OVERLAY.path("services")) {
            for (JsonNode volume : service.path("volumes")) {
                String from = volume.asText().split(":", 2)[0];
                assertThat(
                                from.startsWith("../")
                                        ? Compose.FOLDER.resolve(from).toFile().isDirectory()
                                        : OVERLAY.path("volumes").has(from))
                        .as(from)
                        .isTrue();
            }
        }
    }

    /** Asks Prometheus itself, where its tool is installed. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "check config prometheus.yml",
                "check config all-in-one.yml",
                "check rules alerts.yml",
                "test rules alerts-test.yml"
            })
    void prometheusItselfUnderstandsTheFilesAndTheAlertsRingWhenTheyShould(String asked) throws Exception {
        assumeThat(Program.isInstalled("promtool")).as("promtool is installed").isTrue();
        String[] words = asked.split(" ");
        words[2] = FOLDER.resolve("prometheus").resolve(words[2]).toString();
        Program.Result answer = Program.run("promtool", words[0], words[1], words[2]);
        assertThat(answer.status()).as(answer.output() + answer.errors()).isZero();
    }
}
