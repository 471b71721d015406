package io.tidemill.preprocess;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.Positive;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** How text and feedback become examples. */
@ConfigMapping(prefix = "preprocess")
public interface PreprocessConfig {
    /** Address of the broker, host:port, several with commas between them. */
    @WithDefault("${kafka.bootstrap.servers:localhost:9092}")
    String bootstrapServers();

    /** What all topics and both application ids begin with. */
    @WithDefault("${tidemill.topic-prefix:tidemill.}")
    String topicPrefix();

    /** The model whose newest promoted version tells the tokenizer. */
    @WithDefault("${tidemill.model:tidemill}")
    @NotBlank(message = "must name the model")
    String model();

    /** Folder for the state stores (streams/) and for tokenizers (tokenizers/). */
    @WithDefault("${tidemill.data:./tidemill-data}")
    Path data();

    /** Base address of the checkpoint store; empty takes the address that each event names. */
    @WithDefault("${tidemill.store-url:}")
    Optional<URI> storeUrl();

    /** Copies of each topic that this service creates, changelogs included. */
    @WithDefault("${tidemill.replication-factor:1}")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    int replicationFactor();

    /** Stable name of this process among those that share the work; on a cluster the pod's name. */
    @WithDefault("preprocess-0")
    @NotBlank(message = "must be a name that a restart keeps")
    String instanceId();

    /** Stream threads of each of the two applications. */
    @WithDefault("1")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    int threads();

    /** Time between transactions: what is written becomes visible after at most this long. Unit: duration. */
    @WithDefault("PT0.2S")
    Duration commitInterval();

    /** Native memory of all state stores together. Unit: bytes. */
    @WithDefault("33554432")
    @Min(value = 4194304, message = "must be at least 4194304, but was ${validatedValue}")
    long storeMemoryBytes();

    /** Longest document, or conversation with all its messages, that is taken. Unit: characters (code points). */
    @WithDefault("1000000")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    int maxDocumentCharacters();

    /** How long feedback waits for its completion, by ingestion time. */
    @WithDefault("PT1H")
    Duration feedbackWait();

    /** How long a completion waits for feedback, by ingestion time; feedback's ids are remembered as long. */
    @WithDefault("P30D")
    Duration completionRetention();

    /** Most feedback that waits at a time. Unit: records per partition. */
    @WithDefault("100000")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    long maxWaitingFeedback();

    /** Most completions that wait at a time; the oldest are forgotten first. Unit: records per partition. */
    @WithDefault("1000000")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    long maxCompletions();

    Deduplication deduplication();

    Split split();

    Trust trust();

    /** What came before is not learned twice. */
    interface Deduplication {
        /** How long an id and a content are remembered, by ingestion time. */
        @WithDefault("P30D")
        Duration retention();

        /** Most ids, and most contents, that are remembered; the oldest are forgotten first. Unit: per partition. */
        @WithDefault("5000000")
        @Positive(message = "must be at least 1, but was ${validatedValue}")
        long maxEntries();
    }

    /** Which examples only the gate reads. Constant within a lineage. */
    interface Split {
        @WithDefault("tidemill")
        String salt();

        /** Share of the groups that is held out. Unit: fraction from 0 to 1. */
        @WithDefault("0.05")
        @DecimalMin(value = "0", message = "must be from 0 to 1, but was ${validatedValue}")
        @DecimalMax(value = "1", message = "must be from 0 to 1, but was ${validatedValue}")
        double heldOutShare();
    }

    /** Weight of feedback by how its rater is known. Unit: weight of an example; an ordinary document weighs 1. */
    interface Trust {
        /** Presented an API key. */
        @WithDefault("1")
        double apiKey();

        /** Anybody on this machine. */
        @WithDefault("1")
        double loopback();

        /** Written to Kafka by a trusted producer. */
        @WithDefault("1")
        double broker();

        /** Nobody vouches. */
        @WithDefault("0.5")
        double unspecified();
    }
}
