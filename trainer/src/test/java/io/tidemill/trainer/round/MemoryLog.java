package io.tidemill.trainer.round;

import com.google.protobuf.Message;
import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;

/** A log without a broker: topics of one partition, in memory. */
final class MemoryLog {
    private final Map<String, List<ConsumerRecord<byte[], byte[]>>> topics = new TreeMap<>();

    void send(String topic, String key, Message message) {
        List<ConsumerRecord<byte[], byte[]>> records = topics.computeIfAbsent(topic, name -> new ArrayList<>());
        records.add(new ConsumerRecord<>(
                topic, 0, records.size(), key.getBytes(StandardCharsets.UTF_8), message.toByteArray()));
    }

    /** Where each topic ends now. */
    Map<TopicPartition, Long> ends() {
        return topics.entrySet().stream()
                .collect(Collectors.toMap(topic -> new TopicPartition(topic.getKey(), 0), topic ->
                        (long) topic.getValue().size()));
    }

    /** From there to where the topics end now. */
    Slice since(Map<TopicPartition, Long> from) {
        List<OffsetRange> ranges = new ArrayList<>();
        ends().forEach((partition, end) ->
                ranges.add(new OffsetRange(partition, from.getOrDefault(partition, 0L), end)));
        return new Slice(ranges);
    }

    Consumer<byte[], byte[]> consumer() {
        return new MockConsumer<byte[], byte[]>("none") {
            {
                ends().keySet().forEach(partition -> updateBeginningOffsets(Map.of(partition, 0L)));
            }

            @Override
            public synchronized void assign(Collection<TopicPartition> partitions) {
                super.assign(partitions);
                for (TopicPartition partition : partitions) {
                    topics.getOrDefault(partition.topic(), List.of()).forEach(this::addRecord);
                }
            }
        };
    }
}
