package io.tidemill.deploy.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.TreeMap;

/** What the services' containers get as environment variables. */
public final class Environments {
    private Environments() {}

    /** Shared by all services. */
    public static Map<String, String> shared() {
        Map<String, String> variables = new TreeMap<>();
        Manifests.base("ConfigMap", "tidemill-settings")
                .json()
                .path("data")
                .fields()
                .forEachRemaining(
                        entry -> variables.put(entry.getKey(), entry.getValue().asText()));
        return variables;
    }

    /** Of one service's own; what comes from the pod's metadata has the name of its first pod. */
    public static Map<String, String> own(String service) {
        Map<String, String> variables = new TreeMap<>();
        for (JsonNode variable :
                Manifests.container(Manifests.workload(service)).path("env")) {
            variables.put(
                    variable.path("name").asText(),
                    variable.has("valueFrom")
                            ? service + "-0"
                            : variable.path("value").asText());
        }
        return variables;
    }

    public static int port(String service) {
        return Manifests.container(Manifests.workload(service))
                .at("/ports/0/containerPort")
                .asInt();
    }

    /** What a service asks of its node, as written: {@code 2} or {@code 250m}. */
    public static String processors(String service) {
        return Manifests.container(Manifests.workload(service))
                .at("/resources/requests/cpu")
                .asText();
    }

    /** Where the container of the API keys puts its file. */
    public static String apiKeysFile() {
        JsonNode command = Manifests.pod(Manifests.workload("feedback")).at("/initContainers/0/command");
        return command.path(command.size() - 1).asText();
    }

    /** The consumer group that a trigger of the scaling asks about. */
    public static String scalingGroup(String trigger) {
        for (JsonNode candidate :
                Manifests.base("ScaledObject", "preprocess-stream").spec().path("triggers")) {
            if (candidate.path("name").asText().equals(trigger)) {
                return candidate.at("/metadata/consumerGroup").asText();
            }
        }
        throw new AssertionError("No trigger " + trigger);
    }
}
