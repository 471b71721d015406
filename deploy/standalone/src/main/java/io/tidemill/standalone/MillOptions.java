package io.tidemill.standalone;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that {@code up} and {@code demo} share. */
public final class MillOptions {
    @Option(
            names = "--host",
            paramLabel = "HOST",
            defaultValue = "127.0.0.1",
            description = "Interface of the page and the REST API (default: ${DEFAULT-VALUE}, this machine only).")
    String host;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "8080",
            description = "Port of the page and the REST API; 0 takes a free one (default: ${DEFAULT-VALUE}).")
    int port;

    @Option(
            names = "--kafka-port",
            paramLabel = "PORT",
            defaultValue = "9092",
            description = "Port of the embedded Kafka broker, which listens on this machine only; 0 takes a free one"
                    + " (default: ${DEFAULT-VALUE}).")
    int kafkaPort;

    @Option(
            names = "--bootstrap-servers",
            paramLabel = "HOST:PORT,…",
            description = "Use this Kafka cluster and start no broker.")
    Optional<String> bootstrapServers = Optional.empty();

    @Option(
            names = "--model",
            paramLabel = "DIR",
            description = "Start a new lineage from this Hugging Face directory of a supported family"
                    + " (default: the embedded base model).")
    Optional<Path> model = Optional.empty();

    @Option(
            names = "--model-name",
            paramLabel = "NAME",
            description = "Name of the lineage: versions are NAME-000000, NAME-000001, … (default: 'tidemill', or the"
                    + " directory's name with --model).")
    Optional<String> modelName = Optional.empty();

    @Option(
            names = "--api-keys",
            description = "Ask for an API key, which the first start makes, whoever sends, rates or commands; versions"
                    + " can be read without. Needed for a --host that other machines can reach.")
    boolean apiKeys;

    @Option(
            names = {"-D", "--define"},
            paramLabel = "KEY=VALUE",
            description =
                    "Any setting of any service, such as -Dtrainer.preference.learning-rate=1e-4; may be repeated.")
    Map<String, String> settings = new LinkedHashMap<>();

    /** What is asked for, checked. */
    public MillSettings settings(Path data) {
        Map<String, String> all = new LinkedHashMap<>(settings);
        if (apiKeys) {
            all.putIfAbsent("feedback.authentication", "api-key");
        }
        return MillSettings.of(data, host, port, kafkaPort, bootstrapServers, ModelChoice.of(model, modelName), all);
    }
}
