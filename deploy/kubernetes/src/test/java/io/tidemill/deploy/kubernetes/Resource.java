package io.tidemill.deploy.kubernetes;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * One YAML document of a deployment file.
 *
 * @param source where it stands, for messages
 */
record Resource(String source, JsonNode json) {
    String kind() {
        return json.path("kind").asText();
    }

    /** Group, version and kind, for instance {@code apps/v1/Deployment}. */
    String type() {
        return json.path("apiVersion").asText() + "/" + kind();
    }

    String name() {
        return json.at("/metadata/name").asText();
    }

    JsonNode spec() {
        return json.path("spec");
    }

    @Override
    public String toString() {
        return source + ": " + kind() + " " + name();
    }
}
