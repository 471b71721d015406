package io.tidemill.standalone.control;

import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.standalone.CannotStartException;
import io.tidemill.standalone.LogOptions;
import io.tidemill.trainer.round.TrainerClients;
import java.io.PrintStream;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what rounds put aside, and gives it another chance. */
@Command(
        name = "quarantine",
        description = {
            "Lists what rounds put aside: records that were refused twice, or that a step diverged by; by the version",
            "that sent them there. Released records wait in their topics as new ones."
        })
public final class QuarantineCommand implements Callable<Integer> {
    @Mixin
    Operator operator;

    @Option(names = "--release", paramLabel = "VERSION", description = "Release what this version sent there.")
    Optional<String> release = Optional.empty();

    @Mixin
    LogOptions log;

    private final PrintStream out = System.out;

    private record Group(long records, Rejected first) {
        Group and(Group other) {
            return new Group(records + other.records, first);
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        if (release.isPresent()) {
            out.println(operator.outcome(
                    Operator.command("release").put("version", release.get()),
                    (loop, id) -> Optional.empty(),
                    "Asked for; the records wait in their topics as soon as the trainer has written them there."));
            return 0;
        }
        Map<String, Group> groups = read();
        if (groups.isEmpty()) {
            out.println("Nothing is in quarantine.");
            return 0;
        }
        groups.forEach((key, group) -> out.printf(
                "%s  %d records, %s: %s%n",
                group.first.getVersion(), group.records, group.first.getCode(), group.first.getReason()));
        return 0;
    }

    /** By version and code. */
    private Map<String, Group> read() {
        Map<String, Group> groups = new TreeMap<>();
        log.greet();
        try {
            new TrainerClients(log.client()).readAll(log.topics().quarantine(), record -> {
                Reading<Rejected> reading = Readers.rejected().read(record.value(), record.headers());
                if (reading instanceof Reading.Accepted<Rejected> accepted
                        && !accepted.message().getVersion().isEmpty()) {
                    Rejected rejected = accepted.message();
                    groups.merge(rejected.getVersion() + " " + rejected.getCode(), new Group(1, rejected), Group::and);
                }
            });
            return groups;
        } catch (KafkaException e) {
            throw new CannotStartException(
                    "Kafka at " + log.bootstrapServers() + " cannot be read: " + e.getMessage(), e);
        }
    }
}
