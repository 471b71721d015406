package io.tidemill.preprocess.stream;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.StreamsConfig;

/**
 * What is the same for every application of this service.
 *
 * @param directory         where the stores live, one folder per application
 * @param instanceId        stable name of this process among those that share the work; on a cluster the pod's name
 * @param commitInterval    time between transactions; what is written becomes visible after at most this long
 * @param maxRecordBytes    largest record that internal and output topics take
 * @param rocksDbBytes      native memory of all stores together
 * @param replicationFactor of changelog and repartition topics
 */
public record StreamsSettings(
        String bootstrapServers,
        Path directory,
        String instanceId,
        int threads,
        Duration commitInterval,
        int maxRecordBytes,
        long rocksDbBytes,
        int replicationFactor) {
    /** A process that comes back within this time keeps its partitions; one that does not loses them. */
    private static final int SESSION_MILLIS = 10_000;

    /** A transaction of a process that does not come back is aborted after this, and holds readers back until then. */
    private static final long SHORTEST_TRANSACTION_TIMEOUT_MILLIS = 10_000;

    /** Settings for one application. */
    Properties of(String applicationId, Failures failures) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, applicationId);
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, directory.toString());
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, threads);
        properties.put(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, 0);
        properties.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, replicationFactor);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, commitInterval.toMillis());
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), (int)
                Math.max(SHORTEST_TRANSACTION_TIMEOUT_MILLIS, 2 * commitInterval.toMillis()));
        properties.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
        properties.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedRocksDb.class);
        properties.put(BoundedRocksDb.BUDGET_BYTES, rocksDbBytes);
        properties.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.NO_OPTIMIZATION);
        properties.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);

        // KAFKA-20685: with the state updater of 4.1.1 a store's checkpoint file survives while the task runs, and
        // after a kill the store holds what the transaction never committed: every document is then a duplicate.
        properties.put("__state.updater.enabled__", false);

        // Kafka Streams does not leave its group; with a name of its own a restart need not wait out the session.
        properties.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), instanceId);
        properties.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), SESSION_MILLIS);
        properties.put(
                StreamsConfig.mainConsumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), SESSION_MILLIS / 5);
        properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.METADATA_MAX_AGE_CONFIG), 30_000);

        properties.put(StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG), maxRecordBytes);
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
        properties.put(StreamsConfig.topicPrefix(TopicConfig.MAX_MESSAGE_BYTES_CONFIG), maxRecordBytes);

        properties.put(StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG, FailureHandler.class);
        properties.put(StreamsConfig.PROCESSING_EXCEPTION_HANDLER_CLASS_CONFIG, FailureHandler.class);
        properties.put(StreamsConfig.PRODUCTION_EXCEPTION_HANDLER_CLASS_CONFIG, FailureHandler.class);
        properties.put(Failures.KEY, failures);
        return properties;
    }
}
