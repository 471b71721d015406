package io.tidemill.standalone.torture;

import io.tidemill.deploy.kafka.EmbeddedKafka;
import io.tidemill.deploy.kafka.EmbeddedKafkaSettings;
import java.nio.file.Path;

/** A broker in a JVM of its own: arguments are its directory and its port. */
final class BrokerMain {
    static final String UP = "UP ";

    private BrokerMain() {}

    public static void main(String[] arguments) {
        Parent.watch();
        EmbeddedKafka kafka = EmbeddedKafka.start(
                EmbeddedKafkaSettings.in(Path.of(arguments[0])).withPort(Integer.parseInt(arguments[1])));
        Runtime.getRuntime().addShutdownHook(new Thread(kafka::close, "close"));
        System.out.println(UP + kafka.bootstrapServers());
    }
}
