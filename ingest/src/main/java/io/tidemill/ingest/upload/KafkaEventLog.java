package io.tidemill.ingest.upload;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import io.tidemill.proto.ProtoSerde;
import io.tidemill.proto.Topic;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringSerializer;

/** Kafka as the log: a record is kept when all in-sync replicas have it. */
public final class KafkaEventLog implements EventLog, AutoCloseable {
    /** Header that repeats of one request share. */
    public static final String IDEMPOTENCY_KEY = "idempotency-key";

    private final Producer<String, Message> producer;

    /**
     * A log with a producer of its own.
     *
     * @param settings           at least {@code bootstrap.servers}
     * @param acknowledgeTimeout how long a record may wait for the broker, and for the broker's acknowledgement
     * @param maxRequestBytes    largest record with key, headers and frame
     */
    public KafkaEventLog(Map<String, Object> settings, Duration acknowledgeTimeout, int maxRequestBytes) {
        Map<String, Object> all = new HashMap<>(settings);
        int millis = Math.toIntExact(acknowledgeTimeout.toMillis());
        all.put(ProducerConfig.ACKS_CONFIG, "all");
        all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        all.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, (long) millis);
        all.put(ProducerConfig.LINGER_MS_CONFIG, 0L);
        all.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, millis);
        all.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, millis);
        all.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, maxRequestBytes);
        this.producer = new KafkaProducer<>(
                all,
                new StringSerializer(),
                ProtoSerde.<Message>of(Empty.getDefaultInstance()).serializer());
    }

    @Override
    public CompletableFuture<Void> append(Topic topic, String key, Message message, Optional<String> idempotencyKey) {
        ProducerRecord<String, Message> record = new ProducerRecord<>(topic.name(), key, message);
        idempotencyKey.ifPresent(value -> record.headers().add(IDEMPOTENCY_KEY, value.getBytes(UTF_8)));
        CompletableFuture<Void> kept = new CompletableFuture<>();
        try {
            var unused = producer.send(record, (metadata, failure) -> {
                if (failure == null) {
                    kept.complete(null);
                } else {
                    kept.completeExceptionally(failure);
                }
            });
        } catch (KafkaException e) {
            kept.completeExceptionally(e);
        }
        return kept;
    }

    @Override
    public void close() {
        producer.close();
    }
}
