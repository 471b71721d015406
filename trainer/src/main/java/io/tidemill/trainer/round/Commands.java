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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What people asked of this model's trainer, in order. Pause, resume and quiet hours are read from the topic's beginning at every
 * start and so outlive the process; of the others each is handed out until it is {@link #done}: all before the offset kept in a file
 * are, and what is done beyond it may be handed out again at the next start.
 *
 * <p>What comes is heard on a thread of its own, however busy everybody else is; all may be asked by any thread, and throws what that
 * thread failed of.
 */
final class Commands implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Commands.class);
    private static final Duration POLL = Duration.ofSeconds(1);

    private final String model;
    private final Path offsetFile;
    private final Consumer<byte[], byte[]> consumer;
    private final RecordReader<Command> reader = Readers.commands();
    private final List<Numbered> pending = new ArrayList<>();
    private long done;
    private long heard;
    private Optional<String> pause = Optional.empty();
    private Optional<Optional<QuietHours>> quietHours = Optional.empty(); // none was said
    private Optional<Thread> thread = Optional.empty();
    private Optional<RuntimeException> failure = Optional.empty();
    private volatile boolean closed;

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

    /**
     * Hears what comes from now on.
     *
     * @param championChanges run on the thread that hears, after a command that changes the champion
     */
    synchronized void listen(Runnable championChanges) {
        Thread listener = new Thread(() -> hear(championChanges), "commands-" + model);
        listener.setDaemon(true);
        thread = Optional.of(listener);
        listener.start();
    }

    private void hear(Runnable championChanges) {
        try {
            while (!closed) {
                poll(POLL);
                if (changesChampion()) {
                    championChanges.run();
                }
            }
        } catch (WakeupException e) {
            LOG.debug("Nobody listens to commands any more");
        } catch (RuntimeException e) {
            failed(e);
        } catch (Error e) {
            failed(new IllegalStateException("Commands are not heard any more: " + e, e));
            throw e;
        }
    }

    private synchronized void failed(RuntimeException e) {
        failure = Optional.of(e);
        notifyAll();
    }

    private void poll(Duration atMost) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(atMost);
        if (!records.isEmpty()) {
            take(records);
        }
    }

    private synchronized void take(ConsumerRecords<byte[], byte[]> records) {
        for (ConsumerRecord<byte[], byte[]> record : records) {
            Reading<Command> reading = reader.read(record.value(), record.headers());
            if (reading instanceof Reading.Accepted<Command> accepted) {
                take(record.offset(), accepted.message());
            } else if (reading instanceof Reading.Refused<Command> refused) {
                LOG.warn("Command at offset {} is ignored: {}", record.offset(), refused.reason());
            }
        }
        notifyAll();
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
                    heard = offset + 1;
                    pending.add(new Numbered(offset, command));
                }
            }
        }
    }

    /** @throws RuntimeException that ended the hearing */
    synchronized void check() {
        failure.ifPresent(e -> {
            throw e;
        });
    }

    /** Waits until something comes, but not for longer. */
    synchronized void await(Duration atMost) throws InterruptedException {
        check();
        wait(atMost.toMillis());
        check();
    }

    /** Why the trainer is paused, if it is. */
    synchronized Optional<String> pause() {
        check();
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
    synchronized Optional<QuietHours> quietHours(Optional<QuietHours> ofSettings) {
        return quietHours.orElse(ofSettings);
    }

    /** Does one of those waiting change the champion? */
    boolean changesChampion() {
        return !championChanges().isEmpty();
    }

    /** Those of the waiting ones that change the champion, oldest first. */
    synchronized List<Command> championChanges() {
        check();
        return pending.stream()
                .map(Numbered::command)
                .filter(command -> command.hasPromote() || command.hasRollback())
                .toList();
    }

    /** The oldest one waiting; it stays so until it is {@link #done}. */
    synchronized Optional<Command> next() {
        check();
        return pending.stream().findFirst().map(Numbered::command);
    }

    /** It was carried out and is not handed out again; nothing where that is known. */
    synchronized void done(Command command) throws IOException {
        if (!pending.removeIf(numbered -> numbered.command == command)) {
            return;
        }
        long before = pending.isEmpty() ? heard : pending.get(0).offset;
        if (before != done) {
            done = before;
            Sealed.write(offsetFile, done + "\n");
        }
    }

    /** It was carried out before its turn: rounds that were asked for before it are not to be run after it. */
    synchronized void overtook(Command command) throws IOException {
        List<Command> overtaken = pending.stream()
                .map(Numbered::command)
                .takeWhile(older -> older != command)
                .filter(Command::hasStartRound)
                .toList();
        for (Command older : overtaken) {
            done(older);
        }
        done(command);
    }

    @Override
    public void close() {
        closed = true;
        Optional<Thread> listener;
        synchronized (this) {
            listener = thread;
        }
        if (listener.isPresent()) {
            consumer.wakeup();
            try {
                listener.get().join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        consumer.close();
    }
}
