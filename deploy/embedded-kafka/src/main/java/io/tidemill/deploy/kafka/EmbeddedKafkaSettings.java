package io.tidemill.deploy.kafka;

import java.nio.file.Path;
import java.util.Objects;

/**
 * Where the broker keeps its log and how it is reached.
 *
 * @param directory         log, metadata and lock file; created when missing, kept between starts
 * @param host              interface it listens on and advertises
 * @param port              port clients connect to; 0 takes a free one
 * @param messageLimitBytes largest record batch that it accepts
 */
public record EmbeddedKafkaSettings(Path directory, String host, int port, int messageLimitBytes) {
    public static final String LOOPBACK = "127.0.0.1";

    /** Holds the largest record of {@code rejected} (4.5 MiB) with its batch's frame. Unit: bytes. */
    public static final int DEFAULT_MESSAGE_LIMIT_BYTES = 5 * 1024 * 1024;

    private static final int LARGEST_PORT = 65_535;

    public EmbeddedKafkaSettings {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(host, "host");
        if (port < 0 || port > LARGEST_PORT) {
            throw new IllegalArgumentException("port must be between 0 and " + LARGEST_PORT + ", but was " + port);
        }
        if (messageLimitBytes < 1) {
            throw new IllegalArgumentException("messageLimitBytes must be positive, but was " + messageLimitBytes);
        }
    }

    /** On loopback, on any free port. */
    public static EmbeddedKafkaSettings in(Path directory) {
        return new EmbeddedKafkaSettings(directory, LOOPBACK, 0, DEFAULT_MESSAGE_LIMIT_BYTES);
    }

    public EmbeddedKafkaSettings withHost(String newHost) {
        return new EmbeddedKafkaSettings(directory, newHost, port, messageLimitBytes);
    }

    public EmbeddedKafkaSettings withPort(int newPort) {
        return new EmbeddedKafkaSettings(directory, host, newPort, messageLimitBytes);
    }

    public EmbeddedKafkaSettings withMessageLimitBytes(int newLimit) {
        return new EmbeddedKafkaSettings(directory, host, port, newLimit);
    }
}
