package io.tidemill.ingest;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.Positive;
import java.time.Duration;

/** What ingest takes, how much at a time, and where it puts it. */
@ConfigMapping(prefix = "ingest")
public interface IngestConfig {
    /** Addresses of the brokers, comma-separated. */
    @WithDefault("${kafka.bootstrap.servers:localhost:9092}")
    String bootstrapServers();

    /** Beginning of every topic's name. */
    @WithDefault("${tidemill.topic-prefix:tidemill.}")
    String topicPrefix();

    /** Copies of each partition of topics that are created here. */
    @WithDefault("${tidemill.replication-factor:1}")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    short replicationFactor();

    /** Longest record, in JSON and in protobuf. Unit: bytes; the broker's limit is 4 MiB with key and frame. */
    @WithDefault("4177920")
    @Min(value = 1, message = "must be at least 1, but was ${validatedValue}")
    @Max(value = 4177920, message = "must leave 16 KiB of the topic's 4 MiB, but was ${validatedValue}")
    int maxRecordBytes();

    /** A body of no more records is checked whole and taken whole or not at all. Unit: records. */
    @WithDefault("1000")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    int batchRecords();

    /** A body of no more bytes is checked whole and taken whole or not at all. Unit: bytes. */
    @WithDefault("8388608")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    int batchBytes();

    /** Most records of one stream that wait for the broker. Unit: records. */
    @WithDefault("1000")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    int inFlightRecords();

    /** Most bytes of one stream that wait for the broker. Unit: bytes. */
    @WithDefault("8388608")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    long inFlightBytes();

    /** A stream with more refused lines is broken off, so that the answer can list all of them. Unit: lines. */
    @WithDefault("1000")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    int maxRefusedLines();

    /** Most requests that are read at a time; bounds the memory together with the limits above. Unit: requests. */
    @WithDefault("16")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    int concurrentUploads();

    /** How long a record may wait for the broker, and again for its acknowledgement. */
    @WithDefault("10s")
    Duration acknowledgeTimeout();

    /** Answers kept for repeated idempotency keys; older ones are forgotten. Unit: bytes. */
    @WithDefault("33554432")
    @Positive(message = "must be at least 1, but was ${validatedValue}")
    long idempotencyBytes();
}
