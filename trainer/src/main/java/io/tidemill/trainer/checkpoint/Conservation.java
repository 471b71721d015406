package io.tidemill.trainer.checkpoint;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.TopicAccount;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.data.Stages;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The ledger of the live lineage, topic by topic, from its events alone: what was received is what live versions read, what
 * was passed over, and what waits; every record of it has one outcome. Cheap, and no proof: that is the auditor's.
 *
 * @param topics by name
 */
public record Conservation(Map<String, Topic> topics) {
    /** What nobody has read yet. */
    public static final String WAITING = "waiting";

    /**
     * Of one topic.
     *
     * @param received records
     * @param outcomes records by what became of them
     */
    public record Topic(long received, Map<String, Long> outcomes) {
        /** 0, unless a record's fate is unknown or told twice. */
        public long difference() {
            return received
                    - outcomes.values().stream().mapToLong(Long::longValue).sum();
        }
    }

    private static final class Sums {
        private long received;
        private final Map<String, Long> outcomes = new TreeMap<>();

        void add(String outcome, long records) {
            outcomes.merge(outcome, records, Long::sum);
        }
    }

    /**
     * Reads the events.
     *
     * @param events  of the model, oldest first
     * @param waiting records by topic
     */
    public static Conservation of(List<CheckpointEvent> events, Map<String, Long> waiting) {
        Map<String, Sums> sums = new TreeMap<>();
        Lineage lineage = new Lineage();
        for (CheckpointEvent event : events) {
            boolean passedOver = event.getState() != VersionState.PROMOTED
                    && !lineage.passedOver(event).isEmpty();
            if (passedOver) {
                for (TopicAccount topic : event.getAccount().getTopicsList()) {
                    Sums sum = sums(sums, topic.getTopic());
                    sum.received += topic.getRecords();
                    sum.add(Stages.QUARANTINED, topic.getRecords());
                }
            }
            lineage.add(event);
        }
        lineage.ancestry().stream()
                .flatMap(version -> lineage.event(version.toString()).stream())
                .flatMap(event -> event.getAccount().getTopicsList().stream())
                .forEach(topic -> {
                    Sums sum = sums(sums, topic.getTopic());
                    sum.received += topic.getRecords();
                    topic.getOutcomesMap().forEach(sum::add);
                });
        waiting.forEach((topic, records) -> {
            Sums sum = sums(sums, topic);
            sum.received += records;
            sum.add(WAITING, records);
        });
        Map<String, Topic> topics = new TreeMap<>();
        sums.forEach((name, sum) -> topics.put(name, new Topic(sum.received, Map.copyOf(sum.outcomes))));
        return new Conservation(topics);
    }

    private static Sums sums(Map<String, Sums> sums, String topic) {
        return sums.computeIfAbsent(topic, none -> new Sums());
    }
}
