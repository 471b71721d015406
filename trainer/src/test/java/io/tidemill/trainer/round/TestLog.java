package io.tidemill.trainer.round;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.tidemill.model.base.Corpus;
import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.Ids;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Answer;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Scored;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.TokenSequence.Objective;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The other end of the trainer's topics: what preprocess would write, and what anybody may read. */
public final class TestLog implements AutoCloseable {
    private static final List<String> SENTENCES = List.of(
            "the tide does not stop, the mill does",
            "one word after another, the unhappy mill stops",
            "the happy tides stop after the mill",
            "unhappiness does not stop the tide!");

    private final TopicCatalogue topics;
    private final TrainerClients clients;
    private final Topic sequences;
    private final Producer<byte[], byte[]> producer;
    private final List<int[]> documents;

    /** @param base directory whose tokenizer is used */
    public TestLog(String bootstrapServers, String prefix, Path base) {
        topics = new TopicCatalogue(prefix);
        clients = new TrainerClients(Map.of("bootstrap.servers", bootstrapServers));
        // One request at a time: of several to a partition that is just being made, the second may be taken before the
        // first.
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers, "max.in.flight.requests.per.connection", 1),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        try (Tokenizer tokenizer = Tokenizer.load(base);
                Admin admin = clients.admin();
                Stream<CorpusDocument> corpus = Corpus.training()) {
            documents = corpus.limit(60)
                    .map(document -> tokenizer.encode(document.text()))
                    .toList();
            sequences = topics.tokenSequences(tokenizer.fingerprint());
            List<Topic> all = new ArrayList<>(topics.all());
            all.add(sequences);
            topics.ensure(admin, all, (short) 1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public TopicCatalogue topics() {
        return topics;
    }

    /** Drops the beginning of all partitions of a topic, as retention does. */
    public void drop(Topic topic, long records) {
        try (Admin admin = clients.admin()) {
            Map<TopicPartition, RecordsToDelete> before = new HashMap<>();
            for (int partition = 0; partition < topic.partitions(); partition++) {
                before.put(new TopicPartition(topic.name(), partition), RecordsToDelete.beforeOffset(records));
            }
            admin.deleteRecords(before).all().get();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Drops all that a topic has. */
    public void drop(Topic topic) {
        drop(topic, -1);
    }

    /** Of the base's tokenizer. */
    public Topic sequences() {
        return sequences;
    }

    /** Documents number {@code from} to {@code to}, cut to {@code tokens}; every fifth is held out. */
    public void documents(int from, int to, int tokens) {
        for (int i = from; i < to; i++) {
            int[] ids = documents.get(i % documents.size());
            String id = Ids.exampleId(List.of("document-" + i), "causal-lm", 0);
            send(
                    sequences.name(),
                    id,
                    TokenSequence.newBuilder()
                            .setExampleId(id)
                            .addAllIds(IntStream.of(ids).limit(tokens).boxed().toList())
                            .setSplit(i % 5 == 0 ? Split.HELD_OUT : Split.TRAIN)
                            .setObjective(Objective.CAUSAL_LM)
                            .setWeight(1)
                            .setTextBytes(4L * Math.min(tokens, ids.length))
                            .build());
        }
        producer.flush();
    }

    /** Sentences of a small vocabulary for an encoder, with the end that documents have; every fifth is held out. */
    public void sentences(int from, int to, Tokenizer tokenizer) {
        for (int i = from; i < to; i++) {
            String id = Ids.exampleId(List.of("sentence-" + i), "causal-lm", 0);
            send(
                    sequences.name(),
                    id,
                    encoded(id, i, SENTENCES.get(i % SENTENCES.size()), tokenizer)
                            .addIds(tokenizer.endOfText())
                            .setObjective(Objective.CAUSAL_LM)
                            .build());
        }
        producer.flush();
    }

    /** Texts about the tide and about the mill, and named so; every fifth is held out. */
    public void labelled(int from, int to, Tokenizer tokenizer) {
        for (int i = from; i < to; i++) {
            String label = i % 2 == 0 ? "tide" : "mill";
            String id = Ids.exampleId(List.of("labelled-" + i), "labels", 0);
            send(
                    sequences.name(),
                    id,
                    encoded(id, i, "the " + label + " does not stop after " + (char) ('a' + i % 26), tokenizer)
                            .setObjective(Objective.LABELS)
                            .addLabels(label)
                            .build());
        }
        producer.flush();
    }

    public TokenSequence.Builder encoded(String id, int number, String text, Tokenizer tokenizer) {
        return TokenSequence.newBuilder()
                .setExampleId(id)
                .addAllIds(IntStream.of(tokenizer.encode(text)).boxed().toList())
                .setSplit(number % 5 == 0 ? Split.HELD_OUT : Split.TRAIN)
                .setWeight(1);
    }

    /** Sends one token sequence. */
    public void sequence(TokenSequence sequence) {
        send(sequences.name(), sequence.getExampleId(), sequence);
        producer.flush();
    }

    /** Conversations of which only the second half is learned. */
    public void conversations(int from, int to) {
        for (int i = from; i < to; i++) {
            int[] ids =
                    IntStream.of(documents.get(i % documents.size())).limit(40).toArray();
            byte[] mask = new byte[ids.length];
            for (int t = ids.length / 2; t < ids.length; t++) {
                mask[t] = 1;
            }
            String id = Ids.exampleId(List.of("conversation-" + i), "sft", 0);
            send(
                    sequences.name(),
                    id,
                    TokenSequence.newBuilder()
                            .setExampleId(id)
                            .addAllIds(IntStream.of(ids).boxed().toList())
                            .setLossMask(ByteString.copyFrom(mask))
                            .setSplit(Split.TRAIN)
                            .setObjective(Objective.SFT)
                            .setWeight(1)
                            .build());
        }
        producer.flush();
    }

    /** Pairs in which the answer about the tide is liked better; every fifth is held out. */
    public void preferences(int from, int to) {
        for (int i = from; i < to; i++) {
            String id = Ids.exampleId(List.of("turn-" + i), "dpo", 0);
            send(
                    topics.preferences().name(),
                    id,
                    Preference.newBuilder()
                            .setExampleId(id)
                            .addMessages(ChatMessage.newBuilder()
                                    .setRole("user")
                                    .setContent("What comes in, number " + i + "?"))
                            .setPair(Pair.newBuilder()
                                    .setChosen(Answer.newBuilder().setText("The tide comes in " + i + " times."))
                                    .setRejected(Answer.newBuilder().setText("Nothing ever does, " + i + " of them.")))
                            .setWeight(1)
                            .setSplit(i % 5 == 0 ? Split.HELD_OUT : Split.TRAIN)
                            .build());
        }
        producer.flush();
    }

    /** Thumbs: up for answers about the tide, down for others. */
    public void ratings(int from, int to) {
        for (int i = from; i < to; i++) {
            boolean up = i % 2 == 0;
            String id = Ids.exampleId(List.of("rating-" + i), "rating", 0);
            send(
                    topics.preferences().name(),
                    id,
                    Preference.newBuilder()
                            .setExampleId(id)
                            .addMessages(ChatMessage.newBuilder()
                                    .setRole("user")
                                    .setContent("What comes in, number " + i + "?"))
                            .setScored(Scored.newBuilder()
                                    .setAnswer(Answer.newBuilder()
                                            .setText(up ? "The tide comes in " + i + " times." : "Nothing, " + i + "."))
                                    .setScore(up ? 1 : 0))
                            .setWeight(1)
                            .setSplit(Split.TRAIN)
                            .build());
        }
        producer.flush();
    }

    /** Questions for the model itself. */
    public void prompts(int from, int to) {
        for (int i = from; i < to; i++) {
            send(
                    topics.prompts().name(),
                    "prompt-" + i,
                    Prompt.newBuilder()
                            .setPromptId("prompt-" + i)
                            .addMessages(ChatMessage.newBuilder()
                                    .setRole("user")
                                    .setContent("What comes in, number " + i + "?"))
                            .build());
        }
        producer.flush();
    }

    public void send(String topic, String key, Message message) {
        producer.send(new ProducerRecord<>(topic, key.getBytes(StandardCharsets.UTF_8), message.toByteArray()));
    }

    /** Waits until what was sent is there. */
    public void flush() {
        producer.flush();
    }

    /** Asks the trainer of a model for something. */
    public void command(Command.Builder command) {
        send(
                topics.commands().name(),
                command.getModel(),
                command.setCommandId(Ids.uuid7()).build());
        producer.flush();
    }

    public void startRound(String model) {
        Command.Builder command = Command.newBuilder().setModel(model);
        command.getStartRoundBuilder();
        command(command);
    }

    public List<CheckpointEvent> checkpoints() {
        return read(topics.checkpoints(), CheckpointEvent.parser());
    }

    /** All committed records of a topic. */
    public <M extends Message> List<M> read(Topic topic, Parser<M> parser) {
        List<M> messages = new ArrayList<>();
        try (Consumer<byte[], byte[]> consumer = clients.consumer()) {
            List<TopicPartition> partitions = IntStream.range(0, topic.partitions())
                    .mapToObj(partition -> new TopicPartition(topic.name(), partition))
                    .toList();
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            consumer.beginningOffsets(partitions).forEach(consumer::seek);
            while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    messages.add(parser.parseFrom(record.value()));
                }
            }
        } catch (InvalidProtocolBufferException e) {
            throw new UncheckedIOException(e);
        }
        return messages;
    }

    @Override
    public void close() {
        producer.close();
    }
}
