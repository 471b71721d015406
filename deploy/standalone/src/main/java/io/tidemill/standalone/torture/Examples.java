package io.tidemill.standalone.torture;

import com.google.protobuf.Message;
import io.tidemill.proto.AssignedConsumer;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.TokenSequence;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * What preprocessing made of records, from the topics themselves.
 *
 * @param byParent ids of examples by the id of an event that they were made of
 * @param parents  of each example
 * @param rejected source ids with their reasons
 */
record Examples(Map<String, Set<String>> byParent, Map<String, List<String>> parents, Map<String, String> rejected) {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    static Examples read(String bootstrapServers) {
        Examples examples = new Examples(new TreeMap<>(), new TreeMap<>(), new HashMap<>());
        read(bootstrapServers, "tidemill.preferences", Readers.preferences(), examples::add);
        read(bootstrapServers, "tidemill.token-sequences.", Readers.tokenSequences(), examples::add);
        read(
                bootstrapServers,
                "tidemill.rejected",
                Readers.rejected(),
                record -> examples.rejected.put(record.getSourceId(), record.getStage() + ": " + record.getReason()));
        return examples;
    }

    private void add(Preference preference) {
        add(preference.getExampleId(), preference.getProvenance());
    }

    private void add(TokenSequence sequence) {
        add(sequence.getExampleId(), sequence.getProvenance());
    }

    private void add(String example, Provenance provenance) {
        parents.put(example, provenance.getParentIdsList());
        provenance.getParentIdsList().forEach(parent -> byParent.computeIfAbsent(parent, id -> new TreeSet<>())
                .add(example));
    }

    /** Of those, the ones that no example was made of, and that were not rejected. */
    Set<String> unaccounted(Set<String> accepted) {
        Set<String> missing = new HashSet<>(accepted);
        missing.removeAll(byParent.keySet());
        missing.removeAll(rejected.keySet());
        return missing;
    }

    /** Everything committed in all topics whose name begins so. */
    private static <M extends Message> void read(
            String bootstrapServers, String topicPrefix, RecordReader<M> reader, Consumer<M> each) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", bootstrapServers,
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest");
        try (AssignedConsumer consumer = new AssignedConsumer(settings)) {
            List<TopicPartition> partitions = consumer.listTopics().entrySet().stream()
                    .filter(topic -> topic.getKey().startsWith(topicPrefix))
                    .flatMap(topic -> topic.getValue().stream())
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            consumer.seekToBeginning(partitions);
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException(topicPrefix + " cannot be read to its end in " + PATIENCE);
                }
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (reader.read(record.value(), record.headers()) instanceof Reading.Accepted<M> accepted) {
                        each.accept(accepted.message());
                    }
                }
            }
        }
    }
}
