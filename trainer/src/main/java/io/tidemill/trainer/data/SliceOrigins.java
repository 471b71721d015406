package io.tidemill.trainer.data;

import io.tidemill.proto.v1.SliceAccount;
import io.tidemill.proto.v1.TopicAccount;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.slice.Waiting;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.TopicPartition;

/** Where the examples of a slice came from, and when, so that what became of them can be told topic by topic. */
public final class SliceOrigins {
    private static final int HUNDREDTHS = 100;

    private final Map<String, Origin> origins = new HashMap<>();
    private final Map<String, Map<String, Long>> noExamples = new TreeMap<>();

    private record Origin(String topic, long cameInMillis) {}

    /** A record that became no example of its own: repeated, unreadable, in quarantine. */
    void add(String topic, String stage) {
        noExamples.computeIfAbsent(topic, none -> new TreeMap<>()).merge(stage, 1L, Long::sum);
    }

    /** @param cameInMillis when the broker appended its newest parent; milliseconds since the epoch */
    void add(String exampleId, String topic, long cameInMillis) {
        origins.put(exampleId, new Origin(topic, cameInMillis));
    }

    /**
     * The account of the slice.
     *
     * @param records read, by partition
     */
    public SliceAccount account(RoundExamples examples, Map<TopicPartition, Long> records) {
        Map<String, TopicAccount.Builder> topics = new TreeMap<>();
        records.forEach((partition, number) -> {
            TopicAccount.Builder topic = topic(topics, partition.topic());
            topic.setRecords(topic.getRecords() + number);
        });
        noExamples.forEach((topic, stages) -> stages.forEach((stage, n) -> count(topic(topics, topic), stage, n)));
        List<Long> trained = new ArrayList<>();
        for (LedgerEntry entry : examples.ledger()) {
            Origin origin = origins.get(entry.exampleId());
            if (origin != null) {
                count(topic(topics, origin.topic()), entry.stage(), 1);
                if (Waiting.isTrained(entry.stage())) {
                    trained.add(origin.cameInMillis());
                }
            }
        }
        SliceAccount.Builder account = SliceAccount.newBuilder().setTrained(trained.size());
        topics.values().forEach(account::addTopics);
        trained.sort(null);
        for (int i = 0; i <= HUNDREDTHS && !trained.isEmpty(); i++) {
            account.addCameInMillis(trained.get((int) ((long) i * (trained.size() - 1) / HUNDREDTHS)));
        }
        return account.build();
    }

    private static TopicAccount.Builder topic(Map<String, TopicAccount.Builder> topics, String topic) {
        return topics.computeIfAbsent(topic, name -> TopicAccount.newBuilder().setTopic(name));
    }

    private static void count(TopicAccount.Builder topic, String stage, long number) {
        topic.putOutcomes(stage, topic.getOutcomesOrDefault(stage, 0) + number);
    }
}
