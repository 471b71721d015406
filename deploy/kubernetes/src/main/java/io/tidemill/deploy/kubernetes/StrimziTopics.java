package io.tidemill.deploy.kubernetes;

import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The topic catalogue as {@code KafkaTopic} resources of a Strimzi cluster.
 *
 * @param cluster       name of the {@code Kafka} resource that the topics belong to
 * @param replicas      copies of each partition
 * @param inSync        copies that must have a record before it is acknowledged
 */
public record StrimziTopics(String cluster, int replicas, int inSync) {
    private static final String HEADER =
            """
            # Made from io.tidemill.proto.TopicCatalogue; a test compares. To make it again, from the root of the repository:
            #   mvn -pl deploy/kubernetes -am test -Dtest=TopicsFileTest -Dsurefire.failIfNoSpecifiedTests=false -Dtopics.write=true
            # The topics of token sequences carry a tokenizer's fingerprint; preprocess-stream creates them.
            """;

    public StrimziTopics {
        if (inSync < 1 || inSync >= replicas) {
            throw new IllegalArgumentException("With " + replicas + " copies of a partition and " + inSync
                    + " that must be in sync, no node can be away. Ask for 1 to " + (replicas - 1) + " in sync.");
        }
    }

    /** One YAML document per topic, in the order of the catalogue. */
    public String yaml(TopicCatalogue catalogue) {
        StringBuilder yaml = new StringBuilder(HEADER);
        catalogue.all().forEach(topic -> append(yaml, topic));
        return yaml.toString();
    }

    private void append(StringBuilder yaml, Topic topic) {
        Map<String, String> settings = new TreeMap<>(topic.settings());
        settings.put("min.insync.replicas", Integer.toString(inSync));
        yaml.append(
                """
                ---
                apiVersion: kafka.strimzi.io/v1
                kind: KafkaTopic
                metadata:
                  name: %s
                  labels:
                    strimzi.io/cluster: %s
                spec:
                  topicName: %s
                  partitions: %d
                  replicas: %d
                  config:
                """
                        .formatted(resourceName(topic.name()), cluster, topic.name(), topic.partitions(), replicas));
        settings.forEach((key, value) ->
                yaml.append("    ").append(key).append(": \"").append(value).append("\"\n"));
    }

    /** Kubernetes takes lower-case letters, digits, dots and hyphens, and a letter or digit at either end. */
    private static String resourceName(String topic) {
        String name = topic.toLowerCase(Locale.ROOT).replace('_', '-');
        if (!name.matches("[a-z0-9]([-.a-z0-9]*[a-z0-9])?")) {
            throw new IllegalArgumentException("No Kubernetes name can be made of topic " + topic
                    + ". Choose a topic prefix that starts with a letter or digit.");
        }
        return name;
    }
}
