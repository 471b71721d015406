package io.tidemill.deploy.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The resources of a folder, as its kustomization lists them. */
final class Manifests {
    static final Path BASE = Path.of("base");
    static final Path GPU = Path.of("gpu");
    static final List<String> SERVICES = List.of("ingest", "preprocess-stream", "trainer", "feedback");

    private Manifests() {}

    /** All resources of the base. */
    static List<Resource> base() {
        List<Resource> all = new ArrayList<>();
        for (JsonNode file : Yaml.document(BASE.resolve("kustomization.yaml")).path("resources")) {
            all.addAll(of(BASE.resolve(file.asText())));
        }
        return all;
    }

    static List<Resource> of(Path file) {
        return of(file.toString(), Yaml.read(file));
    }

    static List<Resource> of(String source, String text) {
        return Yaml.documents(text).stream()
                .map(json -> new Resource(source, json))
                .toList();
    }

    static List<Resource> base(String kind) {
        return base().stream().filter(resource -> resource.kind().equals(kind)).toList();
    }

    static Resource base(String kind, String name) {
        return base(kind).stream()
                .filter(resource -> resource.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("The base has no " + kind + " " + name));
    }

    /** What runs pods: Deployments and StatefulSets. */
    static List<Resource> workloads() {
        return Stream.concat(base("Deployment").stream(), base("StatefulSet").stream())
                .toList();
    }

    static Resource workload(String name) {
        return workloads().stream()
                .filter(resource -> resource.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("No Deployment or StatefulSet " + name));
    }

    static JsonNode pod(Resource workload) {
        return workload.spec().path("template").path("spec");
    }

    static JsonNode container(Resource workload) {
        return pod(workload).path("containers").path(0);
    }
}
