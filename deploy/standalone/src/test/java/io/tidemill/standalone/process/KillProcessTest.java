package io.tidemill.standalone.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.Message;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.TopicTail;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.TokenSequence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code kill -9} at any time, then start again: what was acknowledged is there, and is learnt from once. */
@Timeout(1500)
class KillProcessTest {
    private static final long SEED = 20_261_123;
    private static final int LONGEST_START_MILLIS = 8_000;

    /** A phase of the tiny model's rounds takes some tenths of a second. */
    private static final int LONGEST_PHASE_MILLIS = 400;

    private static final int DOCUMENTS = 12;
    private static final int PAIRS = 24;
    private static final Duration PATIENCE = Duration.ofMinutes(6);

    @TempDir
    Path scratch;

    /** What was acknowledged, by its id. */
    private final Set<String> acknowledged = new TreeSet<>();

    /** Where each life ended, for the messages. */
    private final List<String> ends = new ArrayList<>();

    @Test
    void nothingAcknowledgedIsLostAndNothingIsInTwoManifests() throws Exception {
        Path model = TinyModel.writeTo(scratch.resolve("tiny"));
        Path data = scratch.resolve("data");
        String[] up = {
            "up",
            "--data",
            data.toString(),
            "--port",
            "0",
            "--kafka-port",
            "0",
            "--model",
            model.toString(),
            "-Dtrainer.round.minimum-preferences=10",
            "-Dtrainer.round.maximum-wait=PT1S",
            "-Dtrainer.round.save-every=1",
            "-Dtrainer.preference.pairs=2",
            "-Dtrainer.preference.epochs=4",
            // Only what is kept is looked at: every candidate passes.
            "-Dtrainer.gate.held-out-margin=100",
            "-Dtrainer.gate.old-data-margin=100",
            "-Dtrainer.gate.preference-margin=1"
        };
        Random random = new Random(SEED);
        List<Phase> phases =
                new ArrayList<>(List.of(Phase.READING, Phase.TRAINING, Phase.GATING, Phase.PUBLISHING, Phase.WAITING));
        Collections.shuffle(phases, random);
        for (Phase phase : phases) {
            try (MillProcess mill = MillProcess.start(scratch, up).awaitReady()) {
                killIn(phase, mill, random);
            }
            if (random.nextBoolean()) {
                killWhileStarting(up, random);
            }
        }
        try (MillProcess mill = MillProcess.start(scratch, up).awaitReady()) {
            push(mill.url(), "last", random.nextLong());
            MillClient client = new MillClient(mill.url());
            Map<String, String> examples = new HashMap<>();
            await().atMost(PATIENCE).pollInterval(Duration.ofSeconds(2)).untilAsserted(() -> {
                examples.clear();
                examples.putAll(examplesByParent(mill.bootstrapServers()));
                assertThat(examples.keySet())
                        .as("seed %d, killed %s", SEED, ends)
                        .containsAll(acknowledged);
                assertThat(learnt(data, client).keySet())
                        .as("seed %d, killed %s", SEED, ends)
                        .containsAll(examples.values());
            });
            assertThat(learnt(data, client))
                    .as("seed %d, killed %s: manifests of each example", SEED, ends)
                    .allSatisfy((id, manifests) -> assertThat(manifests).hasSize(1));
            mill.terminate();
        }
    }

    /** Pushes, and kills at a random moment after the next round has said that it is in the phase. */
    private void killIn(Phase phase, MillProcess mill, Random random) throws Exception {
        Set<Phase> seen = ConcurrentHashMap.newKeySet();
        try (TopicTail<RoundEvent> rounds = new TopicTail<>(
                Map.of("bootstrap.servers", mill.bootstrapServers()),
                new TopicCatalogue(TopicCatalogue.DEFAULT_PREFIX).rounds(),
                Readers.rounds(),
                event -> seen.add(event.getPhase()))) {
            rounds.start();
            rounds.firstCaughtUp().get(1, TimeUnit.MINUTES);
            seen.clear();
            push(mill.url(), "in-" + phase, random.nextLong());
            await().atMost(PATIENCE).pollInterval(Duration.ofMillis(2)).until(() -> seen.contains(phase));
            int after = random.nextInt(LONGEST_PHASE_MILLIS);
            Thread.sleep(after); // the moment of the kill
            mill.kill();
            ends.add(after + " ms after " + phase);
        }
    }

    private void killWhileStarting(String[] up, Random random) throws Exception {
        try (MillProcess mill = MillProcess.start(scratch, up)) {
            int after = random.nextInt(LONGEST_START_MILLIS);
            Thread.sleep(after); // the moment of the kill
            mill.kill();
            ends.add(after + " ms after its start");
        }
    }

    /** Posts new records; a mill that is alive acknowledges them. */
    private void push(String url, String name, long seed) throws IOException, InterruptedException {
        MillClient client = new MillClient(url);
        List<Map<String, Object>> newDocuments = Examples.documents(name, DOCUMENTS, seed);
        List<Map<String, Object>> newPairs = Examples.pairs(name, PAIRS, seed + 1);
        assertThat(client.post("/v1/documents", newDocuments)).isEqualTo(202);
        newDocuments.forEach(document -> acknowledged.add((String) document.get("document_id")));
        assertThat(client.post("/v1/preferences", newPairs)).isEqualTo(202);
        newPairs.forEach(pair -> acknowledged.add((String) pair.get("id")));
    }

    /** Example id by the id of the record that it was made of; fails where preprocessing made two of one. */
    private static Map<String, String> examplesByParent(String bootstrapServers) {
        Map<String, String> examples = new HashMap<>();
        for (Preference preference : read(bootstrapServers, "tidemill.preferences", Readers.preferences())) {
            put(examples, preference.getProvenance().getParentIds(0), preference.getExampleId());
        }
        for (TokenSequence sequence : read(bootstrapServers, "tidemill.token-sequences.", Readers.tokenSequences())) {
            put(examples, sequence.getProvenance().getParentIds(0), sequence.getExampleId());
        }
        return examples;
    }

    private static void put(Map<String, String> examples, String parent, String example) {
        assertThat(examples.put(parent, example))
                .as("examples made of %s before", parent)
                .isNull();
    }

    /** Versions whose ledger has an example, by the example's id. */
    private static Map<String, Set<String>> learnt(Path data, MillClient client)
            throws IOException, InterruptedException {
        Map<String, Set<String>> manifests = new HashMap<>();
        for (JsonNode version : client.get("/v1/checkpoints")) {
            String name = version.path("version").asText();
            Path ledger =
                    data.resolve("store").resolve(VersionId.parse(name).model()).resolve(name + "/state/examples.tsv");
            if (Files.exists(ledger)) { // the base has none
                for (String line : Files.readAllLines(ledger)) {
                    String[] stageAndId = line.split("\t", 2);
                    if (!stageAndId[0].equals("repeated")) {
                        manifests
                                .computeIfAbsent(stageAndId[1], id -> new TreeSet<>())
                                .add(name + " " + stageAndId[0]);
                    }
                }
            }
        }
        return manifests;
    }

    /** Everything committed in all topics whose name begins so. */
    private static <M extends Message> List<M> read(
            String bootstrapServers, String topicPrefix, RecordReader<M> reader) {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", bootstrapServers,
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest");
        List<M> messages = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.listTopics().entrySet().stream()
                    .filter(topic -> topic.getKey().startsWith(topicPrefix))
                    .flatMap(topic -> topic.getValue().stream())
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                assertThat(System.nanoTime())
                        .as("%s read to its end", topicPrefix)
                        .isLessThan(deadline);
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    Reading<M> reading = reader.read(record.value(), record.headers());
                    assertThat(reading).isInstanceOf(Reading.Accepted.class);
                    messages.add(((Reading.Accepted<M>) reading).message());
                }
            }
        }
        return messages;
    }
}
