package io.tidemill.trainer.offline.data;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Message;
import io.tidemill.proto.AssignedConsumer;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Demonstration;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Split;
import io.tidemill.trainer.slice.OffsetRange;
import io.tidemill.trainer.slice.Slice;
import io.tidemill.trainer.slice.SliceReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * A slice of one of the product's own topics, committed records alone, oldest first by their time in the log. What was erased is
 * left out. Of preferences, which say on which side of the split they are, training reads the
 * one and evaluation the other.
 */
final class TopicSource implements Source {
    static final String SCHEME = "kafka:";

    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Pattern RANGE = Pattern.compile("(\\d+):(\\d+)-(\\d*)");
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    /** What the records of a topic hold, as columns. */
    private record Kind<M extends Message>(
            RecordReader<M> reader, Function<M, Set<String>> keys, Function<M, Optional<ObjectNode>> row) {
        Optional<ObjectNode> read(ConsumerRecord<byte[], byte[]> record, ErasureSet erased) throws Mistake {
            Reading<M> reading = reader.read(record.value(), record.headers());
            if (reading instanceof Reading.Refused<M> refused) {
                throw new Mistake(refused.code(), refused.reason());
            }
            M message = ((Reading.Accepted<M>) reading).message();
            return erased.concerns(keys.apply(message)) ? Optional.empty() : row.apply(message);
        }
    }

    private final String topic;
    private final Kind<?> kind;
    private final Map<String, Object> clients;
    private final String offsets;
    private final OptionalLong limit;

    /**
     * @param name    with or without the usual prefix
     * @param offsets as {@code 0:100-250,1:0-}; empty for the whole topic
     */
    TopicSource(String name, String bootstrapServers, String offsets, OptionalLong limit, boolean evaluation) {
        String kindName = name.substring(name.lastIndexOf('.') + 1);
        this.topic = name.contains(".") ? name : TopicCatalogue.DEFAULT_PREFIX + name;
        this.kind = kind(kindName, evaluation);
        this.offsets = offsets;
        this.limit = limit;
        Map<String, Object> settings = new HashMap<>();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 15_000);
        this.clients = Map.copyOf(settings);
    }

    private static Kind<?> kind(String name, boolean evaluation) {
        return switch (name) {
            case "documents" ->
                new Kind<>(Readers.documents(), ErasureKeys::of, message -> Optional.of(document(message)));
            case "demonstrations" ->
                new Kind<>(Readers.demonstrations(), ErasureKeys::of, message -> Optional.of(demonstration(message)));
            case "prompts" -> new Kind<>(Readers.prompts(), ErasureKeys::of, message -> Optional.of(prompt(message)));
            case "preferences" ->
                new Kind<>(
                        Readers.preferences(),
                        ErasureKeys::of,
                        message -> (message.getSplit() == Split.HELD_OUT) == evaluation
                                ? preference(message)
                                : Optional.empty());
            default ->
                throw new DataException("kafka:" + name
                        + " is no topic that training reads; there are documents, demonstrations, preferences and"
                        + " prompts, behind their prefix, as in kafka:tidemill.documents.");
        };
    }

    @Override
    public String name() {
        return SCHEME + topic;
    }

    @Override
    public void read(java.util.function.Consumer<Row> rows, Mistakes mistakes) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        ErasureSet erased;
        try {
            erased = erased();
            read(slice(topic, offsets), records::add);
        } catch (KafkaException e) {
            throw new DataException(
                    name() + " cannot be read from " + clients.get(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG) + ": "
                            + e.getMessage() + ". Name a broker that answers with --bootstrap-servers.",
                    e);
        }
        records.sort(Comparator.<ConsumerRecord<byte[], byte[]>>comparingLong(ConsumerRecord::timestamp)
                .thenComparingInt(ConsumerRecord::partition)
                .thenComparingLong(ConsumerRecord::offset));
        for (ConsumerRecord<byte[], byte[]> record :
                records.subList(0, (int) Math.min(records.size(), limit.orElse(Long.MAX_VALUE)))) {
            Place place = Place.offset(topic + "-" + record.partition(), record.offset());
            try {
                kind.read(record, erased).ifPresent(fields -> rows.accept(new Row(place, fields)));
            } catch (Mistake mistake) {
                mistakes.add(place, mistake);
            }
        }
    }

    private void read(Slice slice, java.util.function.Consumer<ConsumerRecord<byte[], byte[]>> sink) {
        new SliceReader(this::consumer, System::nanoTime, PATIENCE).read(slice, sink);
    }

    private Consumer<byte[], byte[]> consumer() {
        return new AssignedConsumer(clients);
    }

    /** What nobody may learn from any more. */
    private ErasureSet erased() {
        String erasures = topic.substring(0, topic.lastIndexOf('.') + 1) + "erasures";
        RecordReader<Erasure> reader = Readers.erasures();
        ErasureSet erased = ErasureSet.none();
        read(slice(erasures, ""), record -> {
            if (reader.read(record.value(), record.headers()) instanceof Reading.Accepted<Erasure> accepted) {
                erased.add(accepted.message());
            }
        });
        return erased;
    }

    private Slice slice(String name, String wanted) {
        try (Consumer<byte[], byte[]> consumer = consumer()) {
            List<PartitionInfo> partitions =
                    Optional.ofNullable(consumer.listTopics().get(name)).orElse(List.of());
            if (partitions.isEmpty() && name.equals(topic)) {
                throw new DataException("There is no topic " + name + " at "
                        + clients.get(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG) + ".");
            }
            List<TopicPartition> all = partitions.stream()
                    .map(partition -> new TopicPartition(name, partition.partition()))
                    .toList();
            Map<TopicPartition, Long> begins = consumer.beginningOffsets(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all);
            if (wanted.isEmpty()) {
                return new Slice(all.stream()
                        .map(partition -> new OffsetRange(partition, begins.get(partition), ends.get(partition)))
                        .toList());
            }
            return new Slice(ranges(wanted, begins, ends));
        }
    }

    private List<OffsetRange> ranges(String wanted, Map<TopicPartition, Long> begins, Map<TopicPartition, Long> ends) {
        List<OffsetRange> ranges = new ArrayList<>();
        for (String range : wanted.split(",")) {
            Matcher parts = RANGE.matcher(range.strip());
            if (!parts.matches()) {
                throw new DataException("topic_offsets must be as in 0:100-250,1:0-, but has '" + range.strip() + "'.");
            }
            TopicPartition partition = new TopicPartition(topic, Integer.parseInt(parts.group(1)));
            Long end = ends.get(partition);
            if (end == null) {
                throw new DataException("topic_offsets names partition " + partition.partition() + ", but " + topic
                        + " has " + ends.size() + ".");
            }
            long from = Long.parseLong(parts.group(2));
            long to = parts.group(3).isEmpty() ? end : Long.parseLong(parts.group(3));
            if (from < begins.get(partition) || to > end || from > to) {
                throw new DataException("topic_offsets asks for " + from + " to " + to + " of " + partition
                        + ", which holds " + begins.get(partition) + " to " + end + ".");
            }
            ranges.add(new OffsetRange(partition, from, to));
        }
        return ranges;
    }

    // ---- records as columns -----------------------------------------------------------------------------------------

    private static ObjectNode grouped(ObjectNode fields, String groupId, String otherwise) {
        String group = groupId.isEmpty() ? otherwise : groupId;
        return group.isEmpty() ? fields : fields.put("group_id", group);
    }

    private static ArrayNode messages(List<ChatMessage> messages) {
        ArrayNode array = JSON.arrayNode();
        messages.forEach(
                message -> array.addObject().put("role", message.getRole()).put("content", message.getContent()));
        return array;
    }

    private static ArrayNode said(String text) {
        return messages(List.of(
                ChatMessage.newBuilder().setRole("assistant").setContent(text).build()));
    }

    private static ObjectNode document(Document message) {
        return grouped(JSON.objectNode().put("text", message.getText()), message.getGroupId(), message.getDocumentId());
    }

    private static ObjectNode demonstration(Demonstration message) {
        ObjectNode fields = JSON.objectNode();
        if (message.hasTextTarget()) {
            fields.put("text", message.getTextTarget().getText());
            ArrayNode labels = fields.putArray("labels");
            message.getTextTarget().getLabelsList().forEach(labels::add);
            if (message.getTextTarget().hasScore()) {
                fields.put("score", message.getTextTarget().getScore());
            }
        } else {
            fields.set("messages", messages(message.getMessagesList()));
        }
        return grouped(fields, message.getGroupId(), message.getExampleId());
    }

    private static ObjectNode prompt(Prompt message) {
        ObjectNode fields = JSON.objectNode();
        fields.set("prompt", messages(message.getMessagesList()));
        message.getRewardDataMap().forEach(fields::put);
        return grouped(fields, message.getGroupId(), message.getPromptId());
    }

    /** Empty where it only takes back. */
    private static Optional<ObjectNode> preference(Preference message) {
        ObjectNode fields = JSON.objectNode();
        fields.set("prompt", messages(message.getMessagesList()));
        if (message.hasPair()) {
            fields.set("chosen", said(message.getPair().getChosen().getText()));
            fields.set("rejected", said(message.getPair().getRejected().getText()));
        } else if (message.hasScored()) {
            fields.set("completion", said(message.getScored().getAnswer().getText()));
            fields.put("label", message.getScored().getScore() >= 0.5);
        } else {
            return Optional.empty();
        }
        fields.put("weight", message.getWeight() == 0 ? 1 : message.getWeight());
        return Optional.of(grouped(fields, message.getProvenance().getGroupId(), message.getExampleId()));
    }
}
