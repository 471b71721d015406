package io.tidemill.proto;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * A topic of the catalogue.
 *
 * @param name       full name, prefix included
 * @param partitions how many; equal where topics are joined, and never changed afterwards
 * @param settings   topic configuration by Kafka's own names, for instance {@code retention.ms}
 */
public record Topic(String name, int partitions, Map<String, String> settings) {
    public Topic {
        if (name.isEmpty() || name.length() > 249 || !name.matches("[A-Za-z0-9._-]+")) {
            throw new IllegalArgumentException(
                    "A topic's name is 1 to 249 letters, digits, dots, underscores and hyphens, but was '" + name
                            + "'.");
        }
        if (partitions < 1) {
            throw new IllegalArgumentException(
                    "Topic " + name + " needs at least one partition, but has " + partitions + ".");
        }
        settings = Collections.unmodifiableMap(new TreeMap<>(settings));
    }
}
