package io.tidemill.feedback;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** All settings of the feedback service. */
@ConfigMapping(prefix = "feedback")
public interface FeedbackConfig {
    /** Kafka's addresses, as {@code host:port} with commas between. */
    @WithDefault("${kafka.bootstrap.servers:localhost:9092}")
    @NotBlank(message = "must name at least one broker, but was '${validatedValue}'")
    String bootstrapServers();

    /** Put before every topic's name. */
    @WithDefault("${tidemill.topic-prefix:tidemill.}")
    String topicPrefix();

    /** Copies of each topic that this service creates. Unit: brokers. */
    @WithDefault("${tidemill.replication-factor:1}")
    @Min(value = 1, message = "must be at least 1, but was ${validatedValue}")
    short replicationFactor();

    /** Name of the model that is served: the key of {@code checkpoints}, {@code rounds} and {@code commands}. */
    @WithDefault("${tidemill.model:tidemill}")
    @NotBlank(message = "must not be blank, but was '${validatedValue}'")
    String model();

    /** Directory of everything that is kept on disk; this service writes under {@code served} and {@code feedback}. */
    @WithDefault("${tidemill.data:./tidemill-data}")
    Path data();

    /** Address of the checkpoint store, instead of the one that each event names. */
    @WithDefault("${tidemill.store-url:}")
    Optional<URI> storeUrl();

    /** Threads inside one operation of the model. More than the cores that are free is several times slower than one. */
    @WithDefault("1")
    @Min(value = 1, message = "must be at least 1, but was ${validatedValue}")
    int threads();

    /**
     * Answers that are written at the same time. They share each pass over the weights, so that eight cost little more than
     * one; a seed promises the same answer only to one that is written alone.
     */
    @WithDefault("4")
    @Min(value = 1, message = "must be at least 1, but was ${validatedValue}")
    int generators();

    /** Questions that may wait for a generator before the next one is answered 429. */
    @WithDefault("32")
    @Min(value = 1, message = "must be at least 1, but was ${validatedValue}")
    int maximumWaiting();

    /**
     * Whether the version that was replaced last stays loaded, so that a rollback takes no time; it takes the memory of a
     * second model, and gives it back where another version needs it. Without it a rollback loads files that are there already.
     */
    @WithDefault("true")
    boolean standby();

    /** Longest answer where the request names none. Unit: tokens. */
    @WithDefault("256")
    @Min(value = 1, message = "must be at least 1, but was ${validatedValue}")
    int defaultMaxTokens();

    /** Number type of the matrix products. */
    @WithDefault("best")
    Compute compute();

    /** Longest wait for the broker to acknowledge an event. */
    @WithDefault("5s")
    Duration brokerTimeout();

    /** Longest that the end of an answer waits to say whether the answer was stored; the first token never waits. */
    @WithDefault("1s")
    Duration captureTimeout();

    /** Largest body of one request. Unit: bytes; NDJSON streams count per line. */
    @WithDefault("2097152")
    @Min(value = 1024, message = "must be at least 1024, but was ${validatedValue}")
    @Max(value = 4194304, message = "must be at most 4194304, which a topic takes, but was ${validatedValue}")
    int maximumRecordBytes();

    /** How callers show who they are. */
    @WithDefault("none")
    Authentication authentication();

    /** Names in the {@code Host} header that are accepted besides loopback's own, as a proxy in front sends them. */
    Optional<List<String>> allowedHosts();

    /** How callers show who they are. */
    enum Authentication {
        /** Everybody on the loopback interface may do everything. */
        NONE,
        /** {@code Authorization: Bearer …} with a key that was made at the first start. */
        API_KEY
    }

    /** Number type of the matrix products. */
    enum Compute {
        /** BFLOAT16 where the processor multiplies it in hardware, else FLOAT32. */
        BEST,
        FLOAT32,
        BFLOAT16
    }
}
