package io.tidemill.deploy.compose;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.deploy.kubernetes.Yaml;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The files of deploy/compose. */
public final class Compose {
    public static final Path FOLDER = Path.of("../compose");
    public static final Path ROOT = Path.of("../..");
    public static final List<String> SERVICES = List.of("ingest", "preprocess-stream", "trainer", "feedback");

    private Compose() {}

    static JsonNode file(String name) {
        return Yaml.document(FOLDER.resolve(name));
    }

    public static JsonNode service(String name) {
        return file("compose.yaml").path("services").path(name);
    }

    /** Environment variables of a service, by name. */
    public static Map<String, String> environment(String service) {
        Map<String, String> environment = new TreeMap<>();
        service(service)
                .path("environment")
                .fields()
                .forEachRemaining(entry ->
                        environment.put(entry.getKey(), entry.getValue().asText()));
        return environment;
    }
}
