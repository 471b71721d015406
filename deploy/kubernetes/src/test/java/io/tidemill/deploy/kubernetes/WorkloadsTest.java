package io.tidemill.deploy.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the services' pods are, and that the resources which speak of them mean pods that exist. */
class WorkloadsTest {
    static Stream<Resource> workloads() {
        return Manifests.workloads().stream();
    }

    @Test
    void eachServiceIsOneWorkload() {
        assertThat(workloads().map(Resource::name)).containsExactlyInAnyOrderElementsOf(Manifests.SERVICES);
    }

    @Test
    void whatKeepsStateIsAStatefulSetAndTheTrainerIsOnePod() {
        assertThat(Manifests.base("StatefulSet").stream().map(Resource::name))
                .containsExactlyInAnyOrder("preprocess-stream", "trainer");
        assertThat(Manifests.workload("trainer").spec().path("replicas").asInt())
                .as("one trainer owns a model's name at a time")
                .isEqualTo(1);
        for (Resource set : Manifests.base("StatefulSet")) {
            assertThat(Manifests.base("Service", set.spec().path("serviceName").asText())
                            .spec()
                            .path("clusterIP")
                            .asText())
                    .as(set + " needs a headless service")
                    .isEqualTo("None");
            assertThat(claims(set)).contains("data");
        }
    }

    @ParameterizedTest
    @MethodSource("workloads")
    void startLivenessAndReadinessAreAskedForWhereQuarkusAnswers(Resource workload) {
        JsonNode container = Manifests.container(workload);
        assertThat(container.at("/startupProbe/httpGet/path").asText()).isEqualTo("/q/health/started");
        assertThat(container.at("/livenessProbe/httpGet/path").asText()).isEqualTo("/q/health/live");
        assertThat(container.at("/readinessProbe/httpGet/path").asText()).isEqualTo("/q/health/ready");
        assertThat(Stream.of("startupProbe", "livenessProbe", "readinessProbe")
                        .map(probe -> container.path(probe).at("/httpGet/port").asText()))
                .as(workload + ": probes ask the port by its name")
                .containsOnly(container.at("/ports/0/name").asText());
    }

    @ParameterizedTest
    @MethodSource("workloads")
    void noContainerIsRootOrWritesToItsImage(Resource workload) {
        JsonNode pod = Manifests.pod(workload);
        assertThat(pod.at("/securityContext/runAsNonRoot").asBoolean()).isTrue();
        assertThat(pod.at("/securityContext/runAsUser").asInt()).isPositive();
        assertThat(pod.at("/securityContext/seccompProfile/type").asText()).isEqualTo("RuntimeDefault");
        assertThat(pod.path("automountServiceAccountToken").asBoolean(true))
                .as(workload + " never asks the Kubernetes API")
                .isFalse();
        assertThat(containers(pod)).isNotEmpty().allSatisfy(container -> {
            JsonNode security = container.path("securityContext");
            assertThat(security.path("readOnlyRootFilesystem").asBoolean()).isTrue();
            assertThat(security.path("allowPrivilegeEscalation").asBoolean(true))
                    .isFalse();
            assertThat(security.at("/capabilities/drop/0").asText()).isEqualTo("ALL");
        });
    }

    @ParameterizedTest
    @MethodSource("workloads")
    void everyContainerSaysWhatItNeedsAndItsMemoryIsBounded(Resource workload) {
        assertThat(containers(Manifests.pod(workload))).allSatisfy(container -> {
            assertThat(container.at("/resources/requests/cpu").asText()).isNotEmpty();
            assertThat(container.at("/resources/limits/memory").asText())
                    .as("requested memory is the limit, so that a full node does not kill the pod")
                    .isNotEmpty()
                    .isEqualTo(container.at("/resources/requests/memory").asText());
        });
    }

    @ParameterizedTest
    @MethodSource("workloads")
    void everyMountHasItsVolumeAndEveryScratchVolumeASize(Resource workload) {
        JsonNode pod = Manifests.pod(workload);
        Set<String> volumes = new TreeSet<>(claims(workload));
        pod.path("volumes").forEach(volume -> volumes.add(volume.path("name").asText()));
        Set<String> mounted = containers(pod).stream()
                .flatMap(container -> stream(container.path("volumeMounts")))
                .map(mount -> mount.path("name").asText())
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(mounted).contains("tmp").isEqualTo(volumes);
        assertThat(stream(pod.path("volumes")).filter(volume -> volume.has("emptyDir")))
                .allSatisfy(volume ->
                        assertThat(volume.at("/emptyDir/sizeLimit").asText()).isNotEmpty());
    }

    @ParameterizedTest
    @MethodSource("workloads")
    void aWorkloadSelectsItsOwnPodsAndNoOthers(Resource workload) {
        JsonNode selector = workload.spec().path("selector");
        assertThat(workloads().filter(other -> selects(selector, podLabels(other))))
                .as(workload.toString())
                .containsExactly(workload);
        assertThat(podLabels(workload).path("app.kubernetes.io/part-of").asText())
                .isEqualTo("tidemill");
    }

    @Test
    void everyServiceLeadsToOneWorkloadAndAPortThatItHas() {
        assertThat(Manifests.base("Service")).isNotEmpty().allSatisfy(service -> {
            List<Resource> behind = workloads()
                    .filter(workload ->
                            contains(podLabels(workload), service.spec().path("selector")))
                    .toList();
            assertThat(behind).as(service.toString()).hasSize(1);
            JsonNode port = service.spec().at("/ports/0");
            JsonNode containerPort = Manifests.container(behind.get(0)).at("/ports/0");
            assertThat(port.path("targetPort").asText())
                    .isEqualTo(containerPort.path("name").asText());
            assertThat(port.path("port").asInt())
                    .isEqualTo(containerPort.path("containerPort").asInt());
        });
        assertThat(Manifests.base("Service").stream().map(Resource::name)).containsAll(Manifests.SERVICES);
    }

    @Test
    void theStoreIsAskedForWhereTheTrainersServiceIs() {
        JsonNode port = Manifests.base("Service", "trainer").spec().at("/ports/0/port");
        assertThat(settings().path("TIDEMILL_STORE_URL").asText()).isEqualTo("http://trainer:" + port.asInt());
    }

    @Test
    void settingsThatAreSharedExist() {
        for (Resource workload : Manifests.workloads()) {
            String name = Manifests.container(workload)
                    .at("/envFrom/0/configMapRef/name")
                    .asText();
            assertThat(Manifests.base("ConfigMap", name)).isNotNull();
        }
    }

    @Test
    void theStreamsInstanceIsNamedAfterItsPod() {
        assertThat(stream(Manifests.container(Manifests.workload("preprocess-stream"))
                        .path("env")))
                .anyMatch(variable ->
                        variable.at("/valueFrom/fieldRef/fieldPath").asText().equals("metadata.name"));
    }

    @Test
    void whatMustNotAllBeAwayHasABudgetThatLetsANodeBeDrained() {
        List<Resource> budgets = Manifests.base("PodDisruptionBudget");
        assertThat(budgets.stream().map(budget -> selected(budget.spec().path("selector"))))
                .containsExactlyInAnyOrder(List.of("ingest"), List.of("feedback"), List.of("preprocess-stream"));
        for (Resource budget : budgets) {
            if (budget.spec().has("minAvailable")) {
                assertThat(budget.spec().path("minAvailable").asInt())
                        .as(budget.toString())
                        .isLessThan(Manifests.workload(
                                        selected(budget.spec().path("selector")).get(0))
                                .spec()
                                .path("replicas")
                                .asInt());
            }
        }
    }

    @Test
    void everyNetworkPolicyIsAboutPodsThatExist() {
        assertThat(Manifests.base("NetworkPolicy")).isNotEmpty().allSatisfy(policy -> {
            assertThat(selected(policy.spec().path("podSelector")))
                    .as(policy.toString())
                    .isNotEmpty();
            for (JsonNode rule : policy.spec().path("ingress")) {
                for (JsonNode peer : rule.path("from")) {
                    assertThat(peer.has("namespaceSelector")
                                    || !selected(peer.path("podSelector")).isEmpty())
                            .as(policy + " lets in " + peer)
                            .isTrue();
                }
            }
        });
    }

    /** Policies add up, so what no policy names is closed. */
    @Test
    void everyPodIsClosedBothWaysAndReadersReachTheStore() {
        for (Resource workload : Manifests.workloads()) {
            Set<String> closed = Manifests.base("NetworkPolicy").stream()
                    .filter(policy -> selects(policy.spec().path("podSelector"), podLabels(workload)))
                    .flatMap(policy -> stream(policy.spec().path("policyTypes")))
                    .map(JsonNode::asText)
                    .collect(Collectors.toSet());
            assertThat(closed).as(workload.toString()).containsExactlyInAnyOrder("Ingress", "Egress");
        }
        assertThat(selected(
                        Manifests.base("NetworkPolicy", "store-readers").spec().path("podSelector")))
                .containsExactlyInAnyOrder("preprocess-stream", "feedback");
        assertThat(selected(
                        Manifests.base("NetworkPolicy", "store-readers").spec().at("/egress/0/to/0/podSelector")))
                .containsExactly("trainer");
        assertThat(selected(Manifests.base("NetworkPolicy", "store").spec().at("/ingress/0/from/0/podSelector")))
                .containsExactlyInAnyOrder("preprocess-stream", "feedback");
    }

    static JsonNode settings() {
        return Manifests.base("ConfigMap", "tidemill-settings").json().path("data");
    }

    private static JsonNode podLabels(Resource workload) {
        return workload.spec().at("/template/metadata/labels");
    }

    private static List<JsonNode> containers(JsonNode pod) {
        return Stream.concat(stream(pod.path("initContainers")), stream(pod.path("containers")))
                .toList();
    }

    private static Set<String> claims(Resource workload) {
        return stream(workload.spec().path("volumeClaimTemplates"))
                .map(claim -> claim.at("/metadata/name").asText())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<String> selected(JsonNode selector) {
        return workloads()
                .filter(workload -> selects(selector, podLabels(workload)))
                .map(Resource::name)
                .toList();
    }

    /** Kubernetes' label selectors, as far as the files use them. */
    private static boolean selects(JsonNode selector, JsonNode labels) {
        assertThat(selector.isObject()).as("a selector: " + selector).isTrue();
        boolean all = contains(labels, selector.path("matchLabels"));
        for (JsonNode expression : selector.path("matchExpressions")) {
            assertThat(expression.path("operator").asText()).isEqualTo("In");
            String label = labels.path(expression.path("key").asText()).asText();
            all &= stream(expression.path("values"))
                    .anyMatch(value -> value.asText().equals(label));
        }
        return all;
    }

    private static boolean contains(JsonNode labels, JsonNode wanted) {
        for (Iterator<Map.Entry<String, JsonNode>> fields = wanted.fields(); fields.hasNext(); ) {
            Map.Entry<String, JsonNode> field = fields.next();
            if (!labels.path(field.getKey()).asText().equals(field.getValue().asText())) {
                return false;
            }
        }
        return true;
    }

    private static Stream<JsonNode> stream(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }
}
