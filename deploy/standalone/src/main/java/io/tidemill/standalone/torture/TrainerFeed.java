package io.tidemill.standalone.torture;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.Ids;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Answer;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.Scored;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.TokenSequence.Objective;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What preprocessing would write, in bursts of examples for every stage: burst number n is always the same. One is sent
 * again until the broker has acknowledged all of it; then it is in the journal.
 */
final class TrainerFeed implements AutoCloseable {
    /** Bursts that may wait to be learned. */
    private static final int AHEAD = 3;

    private static final int DOCUMENTS = 8;
    private static final int CONVERSATIONS = 4;
    private static final int PROMPTS = 2;
    private static final int PAIRS = 10;
    private static final int RATINGS = 4;
    private static final long PAUSE_MILLIS = 50;

    /** A larger share than a mill's, so that small suites have something to judge. */
    private static final SplitFunction SPLIT = new SplitFunction("tidemill", 0.2);

    private final String bootstrapServers;
    private final TopicCatalogue topics;
    private final Tokenizer tokenizer;
    private final Topic sequences;
    private final Journal journal;
    private final AtomicInteger wanted;
    private final Thread thread = new Thread(this::run, "feed");
    private volatile int sent;
    private volatile boolean ending;
    private volatile boolean closed;

    /** A record to send. */
    private record Example(String topic, String id, Message message) {}

    TrainerFeed(String bootstrapServers, TopicCatalogue topics, Path base, Path journal) throws IOException {
        this.bootstrapServers = bootstrapServers;
        this.topics = topics;
        this.tokenizer = Tokenizer.load(base);
        this.sequences = topics.tokenSequences(tokenizer.fingerprint());
        this.journal = new Journal(journal);
        this.sent = this.journal.ids().size() / burst(0).size();
        this.wanted = new AtomicInteger(sent + 1);
        thread.setDaemon(true);
        thread.start();
    }

    /** So many rounds have been announced: more is sent if little waits, unless the last burst was. */
    void learned(int rounds) {
        if (ending) {
            return;
        }
        wanted.accumulateAndGet(Math.min(rounds + AHEAD, sent + AHEAD), Math::max);
    }

    /** One burst more than there are, whatever waits. */
    void more() {
        wanted.accumulateAndGet(sent + 1, Math::max);
    }

    /** One burst more, and then none. */
    void last() {
        ending = true;
        more();
    }

    /** Nothing is on its way. */
    boolean quiet() {
        return sent >= wanted.get();
    }

    Set<String> accepted() {
        return journal.ids();
    }

    /** Ids that may have been sent, acknowledged or not. */
    boolean isOurs(String id) {
        return IntStream.rangeClosed(0, sent)
                .anyMatch(number -> burst(number).stream().anyMatch(example -> example.id.equals(id)));
    }

    private void run() {
        while (!closed) {
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers));
                    Producer<byte[], byte[]> producer = new KafkaProducer<>(
                            Map.of("bootstrap.servers", bootstrapServers, "max.block.ms", 5_000, "acks", "all"),
                            new ByteArraySerializer(),
                            new ByteArraySerializer())) {
                List<Topic> all = new ArrayList<>(topics.all());
                all.add(sequences);
                topics.ensure(admin, all, (short) 1);
                while (!closed) {
                    if (quiet()) {
                        Thread.sleep(PAUSE_MILLIS);
                    } else {
                        send(producer, burst(sent));
                        sent++;
                    }
                }
            } catch (InterruptedException e) {
                return;
            } catch (KafkaException | ExecutionException away) {
                pause();
            } catch (IOException e) {
                throw new IllegalStateException("The journal cannot be written: " + e.getMessage(), e);
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void send(Producer<byte[], byte[]> producer, List<Example> burst)
            throws InterruptedException, ExecutionException, IOException {
        List<Future<RecordMetadata>> acknowledgements = new ArrayList<>();
        for (Example example : burst) {
            acknowledgements.add(producer.send(new ProducerRecord<>(
                    example.topic, example.id.getBytes(StandardCharsets.UTF_8), example.message.toByteArray())));
        }
        for (Future<RecordMetadata> acknowledgement : acknowledgements) {
            acknowledgement.get();
        }
        journal.add(burst.stream().map(Example::id).toList());
    }

    // ---- examples ---------------------------------------------------------------------------------------------------

    private List<Example> burst(int number) {
        List<Example> burst = new ArrayList<>();
        IntStream.range(0, DOCUMENTS).forEach(i -> burst.add(document(number * DOCUMENTS + i)));
        IntStream.range(0, CONVERSATIONS).forEach(i -> burst.add(conversation(number * CONVERSATIONS + i)));
        IntStream.range(0, PROMPTS).forEach(i -> burst.add(prompt(number * PROMPTS + i)));
        IntStream.range(0, RATINGS).forEach(i -> burst.add(rating(number * RATINGS + i)));
        IntStream.range(0, PAIRS).forEach(i -> burst.add(pair(number * PAIRS + i)));
        return burst;
    }

    /** As preprocessing writes it for an event that stands alone. */
    private static Provenance provenance(String event) {
        return Provenance.newBuilder()
                .addParentIds(event)
                .setGroupId(event)
                .setSource("torture")
                .build();
    }

    private TokenSequence.Builder sequence(String id, String event, String text) {
        return TokenSequence.newBuilder()
                .setExampleId(id)
                .setProvenance(provenance(event))
                .setSplit(SPLIT.of(event))
                .addAllIds(IntStream.of(tokenizer.encode(text)).boxed().toList())
                .setTextBytes(text.length())
                .setWeight(1);
    }

    private Example document(int i) {
        String event = "document-" + i;
        String id = Ids.exampleId(List.of(event), "causal-lm", 0);
        return new Example(
                sequences.name(),
                id,
                sequence(id, event, Words.of(i, 30))
                        .setObjective(Objective.CAUSAL_LM)
                        .build());
    }

    private Example conversation(int i) {
        String event = "conversation-" + i;
        String id = Ids.exampleId(List.of(event), "sft", 0);
        TokenSequence.Builder sequence = sequence(id, event, Words.of(1_000_000L + i, 20));
        byte[] mask = new byte[sequence.getIdsCount()];
        for (int t = mask.length / 2; t < mask.length; t++) {
            mask[t] = 1;
        }
        return new Example(
                sequences.name(),
                id,
                sequence.setObjective(Objective.SFT)
                        .setLossMask(ByteString.copyFrom(mask))
                        .build());
    }

    private Example prompt(int i) {
        String event = "prompt-" + i;
        return new Example(
                topics.prompts().name(),
                Ids.exampleId(List.of(event), "rollout", 0),
                Prompt.newBuilder().setPromptId(event).addMessages(question(i)).build());
    }

    private static ChatMessage question(int i) {
        return ChatMessage.newBuilder()
                .setRole("user")
                .setContent("What comes in, number " + i + "?")
                .build();
    }

    private Example pair(int i) {
        String event = "pair-" + i;
        String id = Ids.exampleId(List.of(event), "pair", 0);
        return new Example(
                topics.preferences().name(),
                id,
                Preference.newBuilder()
                        .setExampleId(id)
                        .addMessages(question(i))
                        .setPair(Pair.newBuilder()
                                .setChosen(Answer.newBuilder().setText(Words.of(2_000_000L + i, 8)))
                                .setRejected(Answer.newBuilder().setText(Words.of(3_000_000L + i, 8))))
                        .setWeight(1)
                        .setSplit(SPLIT.of(event))
                        .setProvenance(provenance(event))
                        .build());
    }

    private Example rating(int i) {
        String event = "rating-" + i;
        String id = Ids.exampleId(List.of(event), "rating", 0);
        return new Example(
                topics.preferences().name(),
                id,
                Preference.newBuilder()
                        .setExampleId(id)
                        .addMessages(question(i))
                        .setScored(Scored.newBuilder()
                                .setAnswer(Answer.newBuilder().setText(Words.of(4_000_000L + i, 8)))
                                .setScore(i % 2))
                        .setWeight(1)
                        .setSplit(SPLIT.of(event))
                        .setProvenance(provenance(event))
                        .build());
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        thread.join();
        tokenizer.close();
    }
}
