package io.tidemill.standalone;

import io.tidemill.proto.TopicCatalogue;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How one process runs.
 *
 * @param data             everything that is kept: broker's log, store, work of rounds, state of streams
 * @param host             interface of the HTTP port
 * @param port             HTTP port, never 0
 * @param kafkaPort        port of the embedded broker; 0 for a free one
 * @param bootstrapServers a cluster in the embedded broker's place
 * @param model            what is ground
 * @param more             settings of services, by their own keys; they win over ours
 */
public record MillSettings(
        Path data,
        String host,
        int port,
        int kafkaPort,
        Optional<String> bootstrapServers,
        ModelChoice model,
        Map<String, String> more) {

    /** Where a service that listens everywhere is reached from here. */
    private static final String LOOPBACK = "127.0.0.1";

    public MillSettings {
        more = Map.copyOf(more);
    }

    static MillSettings of(
            Path data,
            String host,
            int port,
            int kafkaPort,
            Optional<String> bootstrapServers,
            ModelChoice model,
            Map<String, String> more) {
        int chosen = port == 0 ? Ports.anyFree(host) : port;
        return new MillSettings(
                data.toAbsolutePath().normalize(), host, chosen, kafkaPort, bootstrapServers, model, more);
    }

    /** This in another data directory. */
    public MillSettings withData(Path directory) {
        return new MillSettings(directory, host, port, kafkaPort, bootstrapServers, model, more);
    }

    /** This with settings that hold unless the command line gives others. */
    public MillSettings withDefaults(Map<String, String> defaults) {
        Map<String, String> merged = new LinkedHashMap<>(defaults);
        merged.putAll(more);
        return new MillSettings(data, host, port, kafkaPort, bootstrapServers, model, merged);
    }

    /** Base of the page and of every REST path, without a slash at its end. */
    public String url() {
        return "http://" + (isAnyInterface() ? LOOPBACK : host) + ":" + port;
    }

    /** A setting of a service that was given on the command line or by the demo. */
    public Optional<String> setting(String key) {
        return Optional.ofNullable(more.get(key)).or(() -> Optional.ofNullable(System.getProperty(key)));
    }

    public String modelName() {
        return model.name();
    }

    public TopicCatalogue topics() {
        return new TopicCatalogue(setting("tidemill.topic-prefix").orElse(TopicCatalogue.DEFAULT_PREFIX));
    }

    boolean isLoopback() {
        return address().isLoopbackAddress();
    }

    private boolean isAnyInterface() {
        return address().isAnyLocalAddress();
    }

    private InetAddress address() {
        try {
            return InetAddress.getByName(host);
        } catch (UnknownHostException e) {
            throw new CannotStartException("--host " + host + " is not an interface of this machine.", e);
        }
    }

    /**
     * What the services read as configuration.
     *
     * @param bootstrap address of the broker
     * @param instance  name of this process among those that share the broker
     */
    Map<String, String> properties(String bootstrap, String instance) {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("kafka.bootstrap.servers", bootstrap);
        properties.put("quarkus.http.host", host);
        properties.put("quarkus.http.port", String.valueOf(port));
        properties.put("tidemill.data", data.toString());
        properties.put("tidemill.store-url", url());
        properties.put("trainer.public-url", url());
        properties.put("tidemill.model", model.name());
        properties.put("preprocess.instance-id", instance);
        model.directory().ifPresent(directory -> properties.put("trainer.base-model", directory.toString()));
        properties.put("quarkus.log.file.path", data.resolve("tidemill.log").toString());
        properties.putAll(more);
        return properties;
    }
}
