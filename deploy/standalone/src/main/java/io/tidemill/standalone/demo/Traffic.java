package io.tidemill.standalone.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.base.GrammarCorrections.Correction;
import io.tidemill.proto.ProtoSerde;
import io.tidemill.proto.Topic;
import io.tidemill.proto.v1.Feedback;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends passages by REST and choices by Kafka, at a pace, and returns when each has been acknowledged. */
final class Traffic implements AutoCloseable {
    private static final int PASSAGES_PER_REQUEST = 4;
    private static final int CHOICES_PER_TICK = 25;
    private static final Duration ANSWER = Duration.ofSeconds(30);

    private final ObjectMapper json = new ObjectMapper();
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final URI documents;
    private final Topic feedback;
    private final Choices choices;
    private final KafkaProducer<String, Feedback> producer;

    Traffic(String url, String bootstrapServers, Topic feedback, Choices choices) {
        this.documents = URI.create(url + "/v1/documents");
        this.feedback = feedback;
        this.choices = choices;
        this.producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers, "acks", "all", "enable.idempotence", true),
                new StringSerializer(),
                ProtoSerde.of(Feedback.getDefaultInstance()).serializer());
    }

    /**
     * @param over time over which the batch is spread; zero sends as fast as it goes
     * @param sent told after each step how many of the batch have been acknowledged
     */
    void send(DemoPlan.Batch batch, Duration over, IntConsumer sent) throws InterruptedException, IOException {
        List<List<CorpusDocument>> requests = chunks(batch.passages(), PASSAGES_PER_REQUEST);
        List<List<Correction>> ticks = chunks(batch.corrections(), CHOICES_PER_TICK);
        int steps = Math.max(requests.size(), ticks.size());
        Duration pause = steps == 0 ? Duration.ZERO : over.dividedBy(steps);
        int done = 0;
        int next = 0;
        for (int step = 0; step < steps; step++) {
            // Passages are strewn among the first three quarters of the choices: when the last choice is there, so are
            // they.
            int due = (int) Math.min(requests.size(), Math.ceil(requests.size() * (step + 1) / (0.75 * steps)));
            for (; next < due; next++) {
                post(requests.get(next));
                done += requests.get(next).size();
            }
            if (step < ticks.size()) {
                produce(ticks.get(step));
                done += ticks.get(step).size();
            }
            sent.accept(done);
            Thread.sleep(pause.toMillis());
        }
    }

    private void post(List<CorpusDocument> passages) throws IOException, InterruptedException {
        StringBuilder lines = new StringBuilder();
        for (CorpusDocument passage : passages) {
            lines.append(json.writeValueAsString(Map.of(
                            "document_id", passage.id(),
                            "text", passage.text(),
                            "source", passage.source(),
                            "language", "en",
                            "licence", "public domain",
                            "group_id", DemoPlan.groupOf(passage))))
                    .append('\n');
        }
        HttpRequest request = HttpRequest.newBuilder(documents)
                .header("content-type", "application/x-ndjson")
                .timeout(ANSWER)
                .POST(BodyPublishers.ofString(lines.toString(), UTF_8))
                .build();
        HttpResponse<String> response = http.send(request, BodyHandlers.ofString(UTF_8));
        if (response.statusCode() != 202) {
            throw new IOException(
                    documents + " answered " + response.statusCode() + " instead of 202: " + response.body());
        }
    }

    private void produce(List<Correction> corrections) throws IOException, InterruptedException {
        List<Future<RecordMetadata>> pending = new ArrayList<>();
        for (Correction correction : corrections) {
            Feedback choice = choices.of(correction);
            pending.add(producer.send(new ProducerRecord<>(feedback.name(), choice.getFeedbackId(), choice)));
        }
        for (Future<RecordMetadata> acknowledged : pending) {
            try {
                acknowledged.get();
            } catch (ExecutionException e) {
                throw new IOException(
                        "Kafka did not take a choice: " + e.getCause().getMessage(), e.getCause());
            }
        }
    }

    private static <T> List<List<T>> chunks(List<T> all, int size) {
        List<List<T>> chunks = new ArrayList<>();
        for (int from = 0; from < all.size(); from += size) {
            chunks.add(all.subList(from, Math.min(all.size(), from + size)));
        }
        return chunks;
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }
}
