package io.tidemill.proto;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Every topic with its partitions, retention and limits; the embedded broker, the services, the tests and the
 * deployment files all take them from here.
 *
 * <p>All topics carry the broker's append time: retention counts from arrival, so that a backfill of old events is not
 * deleted at once. The time of the event itself is in the payload.
 */
public final class TopicCatalogue {
    public static final String DEFAULT_PREFIX = "tidemill.";

    /** Largest record of a source topic. Unit: bytes. */
    public static final int MAX_SOURCE_RECORD_BYTES = 4 * 1024 * 1024;

    /** What a rejected record may add to the largest source record: key, headers, reason. Unit: bytes. */
    public static final int REJECTED_FRAME_BYTES = 256 * 1024;

    private static final int DESCRIBE_ATTEMPTS = 50;
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final int DATA_PARTITIONS = 4;
    private static final Duration DATA_RETENTION = Duration.ofDays(90);
    private static final Duration REFUSED_RETENTION = Duration.ofDays(30);
    private static final Duration CONTROL_RETENTION = Duration.ofDays(7);

    private final String prefix;

    public TopicCatalogue(String prefix) {
        this.prefix = prefix;
        documents(); // an impossible prefix is told here, not at the first use
    }

    public String prefix() {
        return prefix;
    }

    public Topic documents() {
        return data("documents");
    }

    public Topic demonstrations() {
        return data("demonstrations");
    }

    public Topic prompts() {
        return data("prompts");
    }

    public Topic completions() {
        return data("completions");
    }

    public Topic feedback() {
        return data("feedback");
    }

    public Topic preferences() {
        return data("preferences");
    }

    /** Text as token ids of one tokenizer; each tokenizer has its own topic, made when it is first needed. */
    public Topic tokenSequences(String tokenizerFingerprint) {
        return data("token-sequences." + tokenizerFingerprint);
    }

    public Topic rejected() {
        return deleting("rejected", DATA_PARTITIONS, REFUSED_RETENTION, MAX_SOURCE_RECORD_BYTES + REJECTED_FRAME_BYTES);
    }

    public Topic quarantine() {
        return deleting("quarantine", 1, REFUSED_RETENTION, MAX_SOURCE_RECORD_BYTES + REJECTED_FRAME_BYTES);
    }

    /** Kept for ever: it is the only position of the trainer. */
    public Topic checkpoints() {
        return topic(
                "checkpoints", 1, Map.of("cleanup.policy", "delete", "retention.ms", "-1", "retention.bytes", "-1"));
    }

    public Topic rounds() {
        return deleting("rounds", 1, CONTROL_RETENTION, MAX_SOURCE_RECORD_BYTES);
    }

    public Topic commands() {
        return deleting("commands", 1, CONTROL_RETENTION, MAX_SOURCE_RECORD_BYTES);
    }

    /** One partition, for an erasure has one place among all; keyed by what is erased ({@link ErasureKeys}), and the newest stays. */
    public Topic erasures() {
        return topic("erasures", 1, Map.of("cleanup.policy", "compact"));
    }

    /** All topics whose name is known beforehand: all but the token sequences. */
    public List<Topic> all() {
        return List.of(
                documents(),
                demonstrations(),
                prompts(),
                completions(),
                feedback(),
                preferences(),
                rejected(),
                quarantine(),
                checkpoints(),
                rounds(),
                commands(),
                erasures());
    }

    /**
     * Creates those topics that are missing and leaves the others as they are.
     *
     * @throws IllegalStateException when a topic has another number of partitions than the catalogue
     * @throws KafkaException        when the broker does not answer or refuses
     */
    public void ensure(Admin admin, Collection<Topic> topics, short replicationFactor) {
        Collection<Topic> unchecked = topics;
        for (int attempt = 1; !unchecked.isEmpty(); attempt++) {
            unchecked = create(admin, missing(admin, unchecked), replicationFactor);
            if (attempt == DESCRIBE_ATTEMPTS && !unchecked.isEmpty()) {
                throw new KafkaException("The broker says of " + names(unchecked)
                        + " both that they exist and that they do not. Try again when it has settled.");
            }
            if (!unchecked.isEmpty()) {
                pause(); // what was just made elsewhere is not known everywhere at once
            }
        }
    }

    private static List<Topic> missing(Admin admin, Collection<Topic> topics) {
        Map<String, KafkaFuture<TopicDescription>> described =
                admin.describeTopics(names(topics)).topicNameValues();
        List<Topic> missing = new ArrayList<>();
        for (Topic topic : topics) {
            try {
                checkPartitions(
                        topic, await(described.get(topic.name())).partitions().size());
            } catch (UnknownTopicOrPartitionException absent) {
                missing.add(topic);
            }
        }
        return missing;
    }

    /** Creates topics and returns those that somebody else has made meanwhile. */
    private static List<Topic> create(Admin admin, List<Topic> topics, short replicationFactor) {
        Map<String, KafkaFuture<Void>> created = admin.createTopics(topics.stream()
                        .map(topic -> new NewTopic(topic.name(), topic.partitions(), replicationFactor)
                                .configs(topic.settings()))
                        .toList())
                .values();
        List<Topic> existing = new ArrayList<>();
        for (Topic topic : topics) {
            try {
                await(created.get(topic.name()));
            } catch (TopicExistsException anotherServiceWasFaster) {
                existing.add(topic);
            }
        }
        return existing;
    }

    private static List<String> names(Collection<Topic> topics) {
        return topics.stream().map(Topic::name).toList();
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE.toMillis());
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private static void checkPartitions(Topic topic, int found) {
        if (found != topic.partitions()) {
            throw new IllegalStateException("Topic " + topic.name() + " has " + found + " partitions, but the catalogue"
                    + " says " + topic.partitions() + ". Partition counts decide which records meet in a join:"
                    + " recreate the topic, or use another tidemill.topic-prefix.");
        }
    }

    private static <T> T await(KafkaFuture<T> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof KafkaException kafka ? kafka : new KafkaException(e.getCause());
        }
    }

    private Topic data(String name) {
        return deleting(name, DATA_PARTITIONS, DATA_RETENTION, MAX_SOURCE_RECORD_BYTES);
    }

    private Topic deleting(String name, int partitions, Duration retention, int maxRecordBytes) {
        return topic(
                name,
                partitions,
                Map.of(
                        "cleanup.policy", "delete",
                        "retention.ms", Long.toString(retention.toMillis()),
                        "max.message.bytes", Integer.toString(maxRecordBytes)));
    }

    private Topic topic(String name, int partitions, Map<String, String> settings) {
        Map<String, String> all = new TreeMap<>(settings);
        all.put("message.timestamp.type", "LogAppendTime");
        all.putIfAbsent("max.message.bytes", Integer.toString(MAX_SOURCE_RECORD_BYTES));
        return new Topic(prefix + name, partitions, all);
    }
}
