package io.tidemill.trainer.checkpoint;

import com.google.protobuf.Message;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.proto.v1.RoundEvent;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes to the log in transactions under the model's one transactional id, so that of two trainers of a model the older
 * is shut out. Transactions follow one another, whichever threads ask for them.
 */
public final class Announcer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Announcer.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final Supplier<Producer<byte[], byte[]>> producers;
    private final String transactionalId;
    private final TopicCatalogue topics;
    private Producer<byte[], byte[]> producer;

    /** @param producers opens a transactional producer under the transactional id */
    public Announcer(Supplier<Producer<byte[], byte[]>> producers, String transactionalId, TopicCatalogue topics) {
        this.producers = producers;
        this.transactionalId = transactionalId;
        this.topics = topics;
    }

    /** Takes the transactional id over: from now on an older holder is fenced. */
    public synchronized void open() {
        close();
        producer = producers.get();
        try {
            producer.initTransactions();
        } catch (KafkaException e) {
            close();
            throw e;
        }
    }

    /** Announces versions and what is quarantined with them: all of it, or nothing. */
    public void announce(List<CheckpointEvent> events, List<Rejected> quarantined) {
        inTransaction(() -> {
            events.forEach(event -> send(topics.checkpoints().name(), event.getModel(), event));
            quarantined.forEach(record -> send(topics.quarantine().name(), record.getSourceId(), record));
        });
    }

    /** Writes records as they are: all of them, or none. */
    public void write(List<ProducerRecord<byte[], byte[]>> records) {
        inTransaction(() -> records.forEach(record -> {
            var unusedBecauseTheCommitTells = producer.send(record);
        }));
    }

    /** Tells the state of a round in a transaction, which fails if another trainer has taken over. */
    public void heartbeat(RoundEvent event) {
        inTransaction(() -> send(topics.rounds().name(), event.getModel(), event));
    }

    private synchronized void inTransaction(Runnable sends) {
        if (producer == null) {
            open();
        }
        try {
            producer.beginTransaction();
            sends.run();
            producer.commitTransaction();
        } catch (KafkaException e) {
            checkFenced(e);
            abort();
            throw e;
        }
    }

    /** @throws FencedException if that is what it tells, itself or by its cause */
    private void checkFenced(KafkaException e) {
        if (isFenced(e) || isFenced(e.getCause())) {
            throw new FencedException(transactionalId, e);
        }
    }

    private static boolean isFenced(Throwable e) {
        return e instanceof ProducerFencedException || e instanceof InvalidProducerEpochException;
    }

    private void abort() {
        try {
            producer.abortTransaction();
        } catch (KafkaException alsoThat) {
            checkFenced(alsoThat); // or the id would be taken back from whoever has it now
            LOG.debug("A transaction could not be aborted; the broker ends it by itself", alsoThat);
            close(); // the next transaction takes the id over anew, which ends the open one
        }
    }

    private void send(String topic, String key, Message message) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(topic, key.getBytes(StandardCharsets.UTF_8), message.toByteArray());
        record.headers().add("content-type", "application/x-protobuf".getBytes(StandardCharsets.UTF_8));
        var unusedBecauseTheCommitTells = producer.send(record);
    }

    @Override
    public synchronized void close() {
        if (producer != null) {
            producer.close(CLOSE_TIMEOUT);
            producer = null;
        }
    }
}
