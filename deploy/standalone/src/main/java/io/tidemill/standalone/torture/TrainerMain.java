package io.tidemill.standalone.torture;

import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.trainer.round.Trainer;
import io.tidemill.trainer.round.TrainerClients;
import io.tidemill.trainer.round.TrainerStatus;
import io.tidemill.trainer.service.TrainerConfig;
import io.tidemill.trainer.service.TrainerWiring;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * A trainer in a JVM of its own, without Quarkus, which would take longer to start than the trainer. Arguments are settings,
 * {@code key=value}. It says where it stands, at every change and ten times a second: see {@link Standing}.
 */
final class TrainerMain {
    /** Exit status of a trainer that has stopped for good. */
    static final int STOPPED = 3;

    /** Short, so that a pause outlasts it. */
    private static final int TRANSACTION_MILLIS = 3_000;

    private static final long LOOK_MILLIS = 5;
    private static final long PACE_MILLIS = 100;

    private TrainerMain() {}

    public static void main(String[] arguments) throws InterruptedException {
        Parent.watch();
        TrainerConfig config = config(settings(arguments));
        Trainer trainer = new Trainer(
                TrainerWiring.options(config),
                new TrainerClients(Map.of(
                        "bootstrap.servers", config.bootstrapServers(), "transaction.timeout.ms", TRANSACTION_MILLIS)),
                Clock.systemUTC(),
                System::nanoTime);
        Runtime.getRuntime().addShutdownHook(new Thread(trainer::close, "close"));
        trainer.start();
        String last = "";
        long lastMillis = 0;
        while (true) {
            TrainerStatus status = trainer.status();
            String now = Standing.of(status);
            long millis = System.currentTimeMillis();
            if (!now.equals(last) || millis - lastMillis >= PACE_MILLIS) {
                System.out.println(Standing.MARK + millis + "\t" + now);
                last = now;
                lastMillis = millis;
            }
            if (status.stopped()) {
                Runtime.getRuntime().halt(STOPPED);
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    static Map<String, String> settings(String[] arguments) {
        Map<String, String> settings = new HashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            settings.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        return settings;
    }

    private static TrainerConfig config(Map<String, String> settings) {
        return new SmallRyeConfigBuilder()
                .withMapping(TrainerConfig.class)
                .withSources(new PropertiesConfigSource(settings, "arguments", 100))
                .addDefaultInterceptors()
                .withConverter(Duration.class, 200, new DurationConverter())
                .build()
                .getConfigMapping(TrainerConfig.class);
    }

    /**
     * A line about a trainer.
     *
     * @param millis  when it was said, since the epoch
     * @param ready   a champion is known and the log is followed
     * @param events  of the model on the topic of checkpoints
     * @param doing   phase, stage and step
     * @param failure why it does not work, or nothing
     */
    record Standing(long millis, boolean ready, int events, String doing, String failure) {
        static final String MARK = "STANDING\t";

        private static String of(TrainerStatus status) {
            RoundEvent round = status.round();
            String doing = round.getPhase() == RoundEvent.Phase.PHASE_UNSPECIFIED
                    ? "CONNECTING"
                    : round.getPhase().name();
            if (round.getPhase() == RoundEvent.Phase.TRAINING) {
                doing += " " + round.getStage() + " " + round.getStep();
            }
            String failure = status.failure().orElse("").replaceAll("\\s+", " ");
            return status.ready() + "\t" + status.events().size() + "\t" + doing + "\t" + failure + ".";
        }

        static Standing parse(String line) {
            String[] parts = line.split("\t");
            return new Standing(
                    Long.parseLong(parts[1]),
                    Boolean.parseBoolean(parts[2]),
                    Integer.parseInt(parts[3]),
                    parts[4],
                    parts[5].substring(0, parts[5].length() - 1));
        }
    }
}
