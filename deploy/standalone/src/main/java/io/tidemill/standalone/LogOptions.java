package io.tidemill.standalone;

import io.tidemill.proto.TopicCatalogue;
import java.util.Map;
import picocli.CommandLine.Option;

/** Where the log of a running mill is: for commands that read it themselves. */
public final class LogOptions {
    @Option(
            names = "--bootstrap-servers",
            paramLabel = "HOST:PORT,…",
            defaultValue = "127.0.0.1:9092",
            description = "Kafka that has the log (default: ${DEFAULT-VALUE}, the embedded broker of a running mill).")
    String bootstrapServers;

    @Option(
            names = "--topic-prefix",
            paramLabel = "PREFIX",
            defaultValue = "tidemill.",
            description = "Before the names of all topics (default: ${DEFAULT-VALUE}).")
    String topicPrefix;

    public String bootstrapServers() {
        return bootstrapServers;
    }

    /** Returns once the log answers; {@link CannotStartException} where none does. */
    public void greet() {
        Greeting.greet(bootstrapServers, "start the mill, or give the address that it told as it started.");
    }

    public String topicPrefix() {
        return topicPrefix;
    }

    public TopicCatalogue topics() {
        return new TopicCatalogue(topicPrefix);
    }

    /** For a client of it. */
    public Map<String, Object> client() {
        return Map.of("bootstrap.servers", bootstrapServers);
    }
}
