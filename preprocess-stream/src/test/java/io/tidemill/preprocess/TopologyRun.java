package io.tidemill.preprocess;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tidemill.preprocess.outcome.Outcomes;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Rejected;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import java.util.function.Function;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.test.TestRecord;

/** A topology in a test driver, with records as a plain producer writes them and as a defensive reader reads them. */
public final class TopologyRun implements AutoCloseable {
    public static final Instant START = Instant.parse("2026-11-23T08:00:00Z");

    public final TopicCatalogue catalogue = new TopicCatalogue("test.");
    public final Outcomes outcomes = new Outcomes(new SimpleMeterRegistry());
    public final ErasureSet erased = ErasureSet.none();
    private final TopologyTestDriver driver;
    private Instant now = START;

    /** Starts a topology made for this run's catalogue and counts. */
    public static TopologyRun of(Function<TopologyRun, Topology> topology) {
        return new TopologyRun(topology);
    }

    private TopologyRun(Function<TopologyRun, Topology> topology) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, temporary().toString());
        properties.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
        driver = new TopologyTestDriver(topology.apply(this), properties, START);
    }

    private static Path temporary() {
        try {
            Path directory = Files.createTempDirectory("topology-run");
            directory.toFile().deleteOnExit();
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A record in protobuf, without key or header. */
    public void protobuf(Topic topic, Message message) {
        bytes(topic, message.toByteArray(), new RecordHeaders());
    }

    /** A record in protobuf's JSON mapping with the header that says so. */
    public void json(Topic topic, String json) {
        Headers headers = new RecordHeaders();
        headers.add("content-type", "application/json".getBytes(UTF_8));
        bytes(topic, json.getBytes(UTF_8), headers);
    }

    /** A message as JSON. */
    public void json(Topic topic, Message message) {
        try {
            json(topic, JsonFormat.printer().print(message));
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalArgumentException(e);
        }
    }

    public void bytes(Topic topic, byte[] value, Headers headers) {
        driver.createInputTopic(topic.name(), new ByteArraySerializer(), new ByteArraySerializer())
                .pipeInput(new TestRecord<>(null, value, headers, now));
    }

    /** Lets the wall clock go on; records sent later carry the later time. */
    public void pass(Duration time) {
        now = now.plus(time);
        driver.advanceWallClockTime(time);
    }

    public Instant now() {
        return now;
    }

    /** What was written to a topic since it was last asked, as its next reader reads it. */
    public <M extends Message> List<M> read(Topic topic, RecordReader<M> reader) {
        return records(topic).stream()
                .map(record -> {
                    Reading<M> reading = reader.read(record.value(), record.headers());
                    if (reading instanceof Reading.Accepted<M> accepted) {
                        return accepted.message();
                    }
                    throw new AssertionError(topic.name() + " holds what its reader refuses: " + reading);
                })
                .toList();
    }

    /** Everything in a state store, keys and values, as text of one byte a character. */
    public String stored(String store) {
        StringBuilder text = new StringBuilder();
        KeyValueStore<Bytes, byte[]> entries = driver.getKeyValueStore(store);
        try (KeyValueIterator<Bytes, byte[]> all = entries.all()) {
            all.forEachRemaining(entry ->
                    text.append(new String(entry.key.get(), ISO_8859_1)).append(new String(entry.value, ISO_8859_1)));
        }
        return text.toString();
    }

    public List<Rejected> rejected() {
        return read(catalogue.rejected(), Readers.rejected());
    }

    public List<TestRecord<byte[], byte[]>> records(Topic topic) {
        return driver.createOutputTopic(topic.name(), new ByteArrayDeserializer(), new ByteArrayDeserializer())
                .readRecordsToList();
    }

    @Override
    public void close() {
        driver.close();
    }
}
