package io.tidemill.auditor;

import io.tidemill.auditor.IdTable.Key;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;

/**
 * How far preprocessing has come: what it has not read yet, and what lies between two of its operators. All else must
 * have left a trace.
 *
 * <p>Looked at before the ends of its outputs are frozen, so that what it committed by then is in them. Its repartition
 * topics carry the place of each source record in a header.
 */
final class Preprocessing {
    private static final String ORIGIN = "tidemill-origin"; // "partition/offset/topic"
    private static final String REPARTITION = "-repartition";

    private final Topics topics;
    private final Map<TopicPartition, Long> committed = new HashMap<>();
    private final Set<Key> between = new HashSet<>();

    Preprocessing(Log log, Topics topics) {
        this.topics = topics;
        Map<String, Map<TopicPartition, Long>> byApplication = new HashMap<>();
        for (String application : topics.applications()) {
            byApplication.put(application, log.committed(application));
        }
        byApplication.forEach((application, offsets) -> offsets.forEach((partition, offset) -> {
            if (isRead(application, partition.topic())) {
                committed.put(partition, offset);
            }
        }));
        // One topic behind the other, in the order of the flow: what leaves the first meanwhile is met in the second.
        Set<String> existing = log.topics();
        for (String application : topics.applications()) {
            for (String name : List.of("by-turn", "by-id", "by-content", "by-prompt")) {
                String topic = application + "-" + name + REPARTITION;
                if (existing.contains(topic)) {
                    readTail(log, topic, byApplication.get(application));
                }
            }
        }
    }

    private boolean isRead(String application, String topic) {
        return topics.isTokenized(topic)
                == application.equals(topics.applications().get(1));
    }

    private void readTail(Log log, String topic, Map<TopicPartition, Long> offsets) {
        Frozen frozen = log.freeze(List.of(topic));
        Map<TopicPartition, Long> from = new HashMap<>();
        frozen.beginnings()
                .forEach((partition, beginning) ->
                        from.put(partition, Math.max(beginning, offsets.getOrDefault(partition, 0L))));
        log.read(from, frozen.ends(), this::takeBetween);
    }

    private void takeBetween(ConsumerRecord<byte[], byte[]> record) {
        Header origin = record.headers().lastHeader(ORIGIN);
        if (origin != null) {
            String[] parts = new String(origin.value(), StandardCharsets.UTF_8).split("/", 3);
            between.add(topics.key(parts[2], Integer.parseInt(parts[0]), Long.parseLong(parts[1])));
        }
    }

    /** Has all been done with this record that will be done without another one? */
    boolean isDone(String topic, int partition, long offset) {
        return offset < committed.getOrDefault(new TopicPartition(topic, partition), 0L)
                && !between.contains(topics.key(topic, partition, offset));
    }

    /** Source partitions by name with the number of offsets that it has not read; for the report. */
    Set<String> behind(Frozen sources) {
        Set<String> behind = new TreeSet<>();
        sources.ends().forEach((partition, end) -> {
            long position = Math.max(
                    committed.getOrDefault(partition, 0L), sources.beginnings().getOrDefault(partition, 0L));
            if (position < end) {
                behind.add(partition + ": " + (end - position));
            }
        });
        return behind;
    }
}
