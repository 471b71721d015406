package io.tidemill.trainer.round;

import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.v1.Command;
import io.tidemill.trainer.checkpoint.Sealed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What people asked of this model's trainer, in order. Pause, resume and quiet hours are read from the topic's beginning at every
 * start and so outlive the process; of the others each is handed out once, up to the offset kept in a file.
 *
 * <p>For one thread.
 */
final class Commands implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Commands.class);

    private final String model;
    private final Path offsetFile;
    private final Consumer<byte[], byte[]> consumer;
    private final RecordReader<Command> reader = Readers.commands();
    private final Deque<Numbered> pending = new ArrayDeque<>();
    private long done;
    private Optional<String> pause = Optional.empty();
    private Optional<Optional<QuietHours>> quietHours = Optional.empty(); // none was said

    private record Numbered(long offset, Command command) {}

    /** @param consumers opens a read_committed consumer */
    Commands(String model, String topic, Path offsetFile, Supplier<Consumer<byte[], byte[]>> consumers)
            throws IOException {
        this.model = model;
        this.offsetFile = offsetFile;
        this.done = Sealed.readOrForget(offsetFile)
                .map(bytes -> Long.parseLong(new String(bytes, StandardCharsets.US_ASCII).strip()))
                .orElse(0L);
        this.consumer = consumers.get();
        TopicPartition partition = new TopicPartition(topic, 0); // the catalogue gives it one
        consumer.assign(List.of(partition));
        long beginning = consumer.beginningOffsets(List.of(partition)).get(partition);
        long end = consumer.endOffsets(List.of(partition)).get(partition);
        consumer.seek(partition, beginning);
        while (consumer.position(partition) < end) {
            poll(Duration.ofMillis(100));
        }
    }

    /** Takes in what has come; true if anything has. */
    boolean poll(Duration atMost) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(atMost);
        for (ConsumerRecord<byte[], byte[]> record : records) {
            Reading<Command> reading = reader.read(record.value(), record.headers());
            if (reading instanceof Reading.Accepted<Command> accepted) {
                take(record.offset(), accepted.message());
            } else if (reading instanceof Reading.Refused<Command> refused) {
                LOG.warn("Command at offset {} is ignored: {}", record.offset(), refused.reason());
            }
        }
        return !records.isEmpty();
    }

    private void take(long offset, Command command) {
        if (!command.getModel().equals(model)) {
            return;
        }
        switch (command.getKindCase()) {
            case PAUSE -> pause = Optional.of(command.getPause().getReason());
            case RESUME -> pause = Optional.empty();
            case QUIET_HOURS -> quiet(command);
            default -> {
                if (offset >= done) {
                    pending.add(new Numbered(offset, command));
                }
            }
        }
    }

    /** Why the trainer is paused, if it is. */
    Optional<String> pause() {
        return pause;
    }

    private void quiet(Command command) {
        String from = command.getQuietHours().getFrom();
        String to = command.getQuietHours().getTo();
        try {
            boolean none = from.isEmpty() && to.isEmpty();
            String zone = command.getQuietHours().getZone();
            quietHours = Optional.of(none ? Optional.empty() : Optional.of(QuietHours.of(from, to, zone)));
        } catch (IllegalArgumentException e) {
            LOG.warn("Command {} is ignored: {}", command.getCommandId(), e.getMessage());
        }
    }

    /** When rounds do not start by themselves: as the newest command says, or as the settings do where there was none. */
    Optional<QuietHours> quietHours(Optional<QuietHours> ofSettings) {
        return quietHours.orElse(ofSettings);
    }

    /** Does one of those waiting change the champion? */
    boolean changesChampion() {
        return pending.stream().anyMatch(numbered -> numbered.command.hasPromote() || numbered.command.hasRollback());
    }

    /** The oldest one waiting; it stays so until it is {@link #done}. */
    Optional<Command> next() {
        return Optional.ofNullable(pending.peek()).map(Numbered::command);
    }

    /** Offset up to which commands were carried out. */
    long position() {
        return done;
    }

    /** The oldest one was carried out and is not handed out again. */
    void done() throws IOException {
        done = pending.remove().offset + 1;
        Sealed.write(offsetFile, done + "\n");
    }

    @Override
    public void close() {
        consumer.close();
    }
}
