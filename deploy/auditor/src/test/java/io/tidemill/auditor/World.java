package io.tidemill.auditor;

import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.FileDigest;
import io.tidemill.proto.v1.KeptRecord;
import io.tidemill.proto.v1.Lineage;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.proto.v1.SliceRange;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.VersionState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A mill made by hand: topics of a prefix of its own and a store, as the services would leave them. */
final class World implements AutoCloseable {
    static final String FINGERPRINT = "0123456789abcdef";
    static final double SHARE = 0.05;

    final TopicCatalogue topics = new TopicCatalogue("audit-" + UUID.randomUUID() + ".");
    final Path data;
    private final Admin admin = Admin.create(Map.of("bootstrap.servers", SharedKafka.bootstrapServers()));
    private final KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
            Map.of("bootstrap.servers", SharedKafka.bootstrapServers(), "acks", "all"),
            new ByteArraySerializer(),
            new ByteArraySerializer());

    private int sent;

    World(Path data) {
        this.data = data;
        List<Topic> all = new ArrayList<>(topics.all());
        all.add(topics.tokenSequences(FINGERPRINT));
        topics.ensure(admin, all, (short) 1);
        version(0).announce();
    }

    AuditSettings settings() {
        return AuditSettings.of(data, SharedKafka.bootstrapServers()).withTopicPrefix(topics.prefix());
    }

    Report audit() {
        return Audit.run(settings());
    }

    String sequences() {
        return topics.tokenSequences(FINGERPRINT).name();
    }

    String preferences() {
        return topics.preferences().name();
    }

    // ---- what people send, and what preprocessing makes of it -------------------------------------------------------

    /** A name like this whose hash is on that side of the split. */
    static String group(String name, Split side) {
        for (int i = 0; ; i++) {
            String group = name + "." + i;
            if ((Hash.fraction("tidemill", group) < SHARE) == (side == Split.HELD_OUT)) {
                return group;
            }
        }
    }

    /** A document and the sequence that comes of it; its example id. */
    String document(String id, Split side) {
        sendDocument(id);
        return sequence(id, side);
    }

    long sendDocument(String id) {
        return send(
                topics.documents().name(),
                Document.newBuilder().setDocumentId(id).setText("text of " + id).build());
    }

    String sequence(String documentId, Split side) {
        return sequence(documentId, group(documentId, side), side);
    }

    String sequence(String documentId, String group, Split side) {
        String example = Hash.exampleId(List.of(documentId, "text"), "CAUSAL_LM");
        send(sequences(), tokens(example, documentId, group, side));
        return example;
    }

    static TokenSequence tokens(String example, String documentId, String group, Split side) {
        return TokenSequence.newBuilder()
                .setExampleId(example)
                .addIds(1)
                .addIds(2)
                .setSplit(side)
                .setWeight(1)
                .setObjective(TokenSequence.Objective.CAUSAL_LM)
                .setTokenizerFingerprint(FINGERPRINT)
                .setProvenance(Provenance.newBuilder()
                        .addParentIds(documentId)
                        .setGroupId(group)
                        .setSource("test"))
                .build();
    }

    /** Two answers in a turn, a comparison of them, and the pair that comes of it; its example id. */
    String compared(String turn, Split side) {
        send(topics.completions().name(), completion(turn, "a"));
        send(topics.completions().name(), completion(turn, "b"));
        send(topics.feedback().name(), comparison(turn));
        List<String> parents = List.of(turn + "-said", turn + "/a", turn + "/b");
        String example = Hash.exampleId(parents, "PREFERENCE_PAIR");
        send(
                preferences(),
                Preference.newBuilder()
                        .setExampleId(example)
                        .addMessages(ChatMessage.newBuilder().setRole("user").setContent("Say it well."))
                        .setPair(Pair.getDefaultInstance())
                        .setWeight(1)
                        .setSplit(side)
                        .setOrigin(Preference.Origin.COMPARISON)
                        .setProvenance(
                                Provenance.newBuilder().addAllParentIds(parents).setGroupId(group(turn, side)))
                        .build());
        return example;
    }

    static Completion completion(String turn, String choice) {
        return Completion.newBuilder()
                .setCompletionId(turn + "/" + choice)
                .setTurnId(turn)
                .setModelVersion("tiny-000000")
                .addMessages(ChatMessage.newBuilder().setRole("user").setContent("Say it well."))
                .setAnswer("answer " + choice)
                .build();
    }

    static Feedback comparison(String turn) {
        return Feedback.newBuilder()
                .setFeedbackId(turn + "-said")
                .setTurnId(turn)
                .setComparison(Comparison.newBuilder()
                        .setVerdict(Comparison.Verdict.A_BETTER)
                        .setCompletionA(turn + "/a")
                        .setCompletionB(turn + "/b"))
                .build();
    }

    void refuse(String topic, long offset, String code) {
        send(topics.rejected().name(), copy(topic, offset, code));
    }

    void quarantine(String topic, long offset) {
        send(topics.quarantine().name(), copy(topic, offset, "refused-twice"));
    }

    private static Rejected copy(String topic, long offset, String code) {
        return Rejected.newBuilder()
                .setStage("test")
                .setCode(code)
                .setReason("because")
                .setTopic(topic)
                .setOffset(offset)
                .build();
    }

    long send(String topic, Message message) {
        return send(topic, message, Map.of());
    }

    long send(String topic, Message message, Map<String, String> headers) {
        try {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, 0, key(), message.toByteArray());
            headers.forEach((name, value) -> record.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
            return producer.send(record).get().offset();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Each of its own, so that nothing compacts. */
    private byte[] key() {
        return Integer.toString(sent++).getBytes(StandardCharsets.UTF_8);
    }

    /** End of partition 0, which holds everything here. */
    long end(String topic) {
        try (Log log = new Log(SharedKafka.bootstrapServers(), settings().patience())) {
            return log.freeze(List.of(topic)).ends().get(new TopicPartition(topic, 0));
        }
    }

    /** Retention takes what stands before an offset. */
    void retain(String topic, long from) {
        try {
            admin.deleteRecords(Map.of(new TopicPartition(topic, 0), RecordsToDelete.beforeOffset(from)))
                    .all()
                    .get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A record between two operators of preprocessing. */
    void between(String name, String origin) {
        Topic topic = new Topic(topics.prefix() + "tokenize." + FINGERPRINT + "-" + name + "-repartition", 1, Map.of());
        topics.ensure(admin, List.of(topic), (short) 1);
        send(topic.name(), Document.getDefaultInstance(), Map.of("tidemill-origin", origin));
    }

    /** Preprocessing has read all that was sent until now. */
    void preprocessed() {
        Map<TopicPartition, OffsetAndMetadata> tokenize = new HashMap<>();
        Map<TopicPartition, OffsetAndMetadata> route = new HashMap<>();
        for (Topic topic : List.of(topics.documents(), topics.demonstrations(), topics.preferences())) {
            tokenize.put(new TopicPartition(topic.name(), 0), new OffsetAndMetadata(end(topic.name())));
        }
        for (Topic topic : List.of(topics.completions(), topics.feedback(), topics.prompts())) {
            route.put(new TopicPartition(topic.name(), 0), new OffsetAndMetadata(end(topic.name())));
        }
        try {
            admin.alterConsumerGroupOffsets(topics.prefix() + "tokenize." + FINGERPRINT, tokenize)
                    .all()
                    .get();
            admin.alterConsumerGroupOffsets(topics.prefix() + "route", route)
                    .all()
                    .get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- what the trainer leaves ------------------------------------------------------------------------------------

    static String name(int round) {
        return String.format("tiny-%06d", round);
    }

    Version version(int round) {
        return new Version(round);
    }

    /** A version as a round leaves it; promoted unless said otherwise. */
    final class Version {
        private final int round;
        private final StringBuilder ledger = new StringBuilder();
        private final StringBuilder replayed = new StringBuilder();
        private final StringBuilder diverged = new StringBuilder();
        private final Map<String, Long> counts = new LinkedHashMap<>();
        private final Map<String, Long> replays = new LinkedHashMap<>();
        private final List<SliceRange> slices = new ArrayList<>();
        private final List<SliceRange> quarantined = new ArrayList<>();
        private final List<Message> suite = new ArrayList<>();
        private final List<Message> kept = new ArrayList<>();
        private long erasures;
        private VersionState state = VersionState.PROMOTED;
        private String parent;

        private Version(int round) {
            this.round = round;
            this.parent = round == 0 ? "" : name(round - 1);
        }

        Version parent(int parentRound) {
            parent = name(parentRound);
            return this;
        }

        Version as(VersionState other) {
            state = other;
            return this;
        }

        Version slice(String topic, long from, long to) {
            return slice(topic, from, to, to - from);
        }

        Version slice(String topic, long from, long to, long records) {
            slices.add(range(topic, from, to).setRecords(records).build());
            return this;
        }

        Version quarantined(String topic, long from, long to) {
            quarantined.add(range(topic, from, to).build());
            return this;
        }

        private SliceRange.Builder range(String topic, long from, long to) {
            return SliceRange.newBuilder().setTopic(topic).setFromOffset(from).setToOffset(to);
        }

        Version line(String stage, String... examples) {
            for (String example : examples) {
                ledger.append(stage).append('\t').append(example).append('\n');
                counts.merge(stage, 1L, Long::sum);
            }
            return this;
        }

        /** Its round was told what the topic of erasures has so far. */
        Version toldToForget() {
            erasures = end(topics.erasures().name());
            return this;
        }

        Version count(String stage, long count) {
            counts.put(stage, count);
            return this;
        }

        Version replayed(String stage, String example) {
            replays.merge(stage, 1L, Long::sum);
            replayed.append(stage).append('\t').append(example).append('\n');
            return this;
        }

        /** A record that its round diverged by. */
        Version diverged(String topic, long offset, String example) {
            diverged.append(topic)
                    .append("\t0\t")
                    .append(offset)
                    .append('\t')
                    .append(example)
                    .append('\n');
            return this;
        }

        Version suite(TokenSequence sequence) {
            suite.add(sequence);
            return this;
        }

        Version kept(KeptRecord record) {
            kept.add(record);
            return this;
        }

        CheckpointEvent announce() {
            CheckpointEvent event = CheckpointEvent.newBuilder()
                    .setModel("tiny")
                    .setVersion(name(round))
                    .setParent(parent)
                    .setState(state)
                    .setTokenizerFingerprint(FINGERPRINT)
                    .putMetrics("loss", 1.0 / 3)
                    .setLineage(Lineage.newBuilder()
                            .addAllSlices(slices)
                            .setRound(round)
                            .setErasuresOffset(erasures)
                            .putAllExamples(counts)
                            .putAllReplayed(replays))
                    .build();
            CheckpointEvent announced = event.toBuilder()
                    .addFiles(write(event))
                    .addFiles(FileDigest.newBuilder().setPath("manifest.json.sig"))
                    .addFiles(FileDigest.newBuilder().setPath("model.sig"))
                    .build();
            send(topics.checkpoints().name(), announced);
            return announced;
        }

        private FileDigest write(CheckpointEvent event) {
            try {
                Path directory = data.resolve("store/tiny").resolve(name(round));
                Files.createDirectories(directory.resolve("state"));
                StringBuilder passedOver = new StringBuilder();
                for (SliceRange range : quarantined) {
                    passedOver
                            .append(passedOver.isEmpty() ? "" : ",")
                            .append(String.format(
                                    "{\"topic\":\"%s\",\"partition\":0,\"from\":%d,\"to\":%d}",
                                    range.getTopic(), range.getFromOffset(), range.getToOffset()));
                }
                String manifest = "{\"format\":1,\"checkpoint\":"
                        + JsonFormat.printer().print(event) + ",\"quarantined\":[" + passedOver + "]}\n";
                Files.writeString(directory.resolve("manifest.json"), manifest);
                if (state != VersionState.REFUSED && round > 0) {
                    Files.writeString(directory.resolve("state/examples.tsv"), ledger);
                }
                if (!replayed.isEmpty()) {
                    Files.writeString(directory.resolve("state/replayed.tsv"), replayed);
                }
                if (!diverged.isEmpty()) {
                    Files.writeString(directory.resolve("state/quarantined.tsv"), diverged);
                }
                write(suite, directory.resolve("state/held-out-sequences.binpb"));
                write(kept, directory.resolve("state/slice.binpb"));
                byte[] bytes = manifest.getBytes(StandardCharsets.UTF_8);
                return FileDigest.newBuilder()
                        .setPath("manifest.json")
                        .setLength(bytes.length)
                        .setSha256(HexFormat.of().formatHex(Hash.sha256(bytes)))
                        .build();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static void write(List<Message> messages, Path file) throws IOException {
            try (var out = Files.newOutputStream(file)) {
                for (Message message : messages) {
                    message.writeDelimitedTo(out);
                }
            }
        }
    }

    @Override
    public void close() {
        producer.close();
        admin.close();
    }
}
