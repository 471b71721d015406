package io.tidemill.ingest;

import static io.restassured.RestAssured.given;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tidemill.deploy.kafka.testing.KafkaTestResource;
import io.tidemill.proto.Caller;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Prompt;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.awaitility.Awaitility;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The service over HTTP against a real broker. */
@QuarkusTest
@QuarkusTestResource(KafkaTestResource.class)
class IngestServiceTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @ConfigProperty(name = "kafka.bootstrap.servers")
    String brokers;

    @TestHTTPResource("/v1/documents")
    URI documents;

    private final TopicCatalogue topics = new TopicCatalogue(TopicCatalogue.DEFAULT_PREFIX);

    @BeforeEach
    void untilReady() {
        Awaitility.await()
                .atMost(SOON)
                .untilAsserted(() -> given().get("/q/health/ready").then().statusCode(200));
    }

    @Test
    void aDocumentIsInKafkaWhenItsAnswerIsThere() {
        String id = given().contentType("application/json")
                .body("{\"text\":\"The tide turns.\",\"source\":\"novel\"}")
                .post("/v1/documents")
                .then()
                .statusCode(202)
                .body("ids", hasSize(1))
                .extract()
                .path("ids[0]");
        List<ConsumerRecord<String, byte[]>> kept =
                read(topics.documents(), record -> record.key().equals(id));
        assertThat(kept).hasSize(1);
        assertThat(Readers.documents().read(kept.get(0).value(), kept.get(0).headers()))
                .isEqualTo(new Reading.Accepted<>(Document.newBuilder()
                        .setDocumentId(id)
                        .setText("The tide turns.")
                        .setSource("novel")
                        .build()));
    }

    @Test
    void promptsAndDemonstrationsGoToTheirTopics() {
        given().contentType("application/json")
                .body("{\"prompt_id\":\"p-7\",\"messages\":[{\"role\":\"user\",\"content\":\"2+2?\"}],"
                        + "\"reward_data\":{\"answer\":\"4\"}}")
                .post("/v1/prompts")
                .then()
                .statusCode(202)
                .body("ids", equalTo(List.of("p-7")));
        given().contentType("application/json")
                .body("{\"exampleId\":\"e-7\",\"textTarget\":{\"text\":\"fine\",\"labels\":[\"good\"]}}")
                .post("/v1/demonstrations")
                .then()
                .statusCode(202)
                .body("ids", equalTo(List.of("e-7")));
        assertThat(read(topics.prompts(), record -> record.key().equals("p-7")))
                .singleElement()
                .satisfies(record -> assertThat(Readers.prompts().read(record.value(), record.headers()))
                        .isInstanceOfSatisfying(Reading.Accepted.class, accepted -> assertThat(
                                        ((Prompt) accepted.message()).getRewardDataMap())
                                .containsEntry("answer", "4")));
        assertThat(read(topics.demonstrations(), record -> record.key().equals("e-7")))
                .hasSize(1);
    }

    @Test
    void aPairFromElsewhereIsAComparisonInFeedback() {
        given().contentType("application/json")
                .body("[{\"id\":\"pair-7\",\"prompt\":\"Why?\",\"chosen\":\"Because.\",\"rejected\":\"No.\"}]")
                .post("/v1/preferences")
                .then()
                .statusCode(202);
        assertThat(read(topics.feedback(), record -> record.key().equals("pair-7")))
                .singleElement()
                .satisfies(record -> assertThat(Readers.feedback().read(record.value(), record.headers()))
                        .isInstanceOfSatisfying(Reading.Accepted.class, accepted -> {
                            Feedback pair = (Feedback) accepted.message();
                            assertThat(pair.getComparison().getSelfContained().getAnswerA())
                                    .isEqualTo("Because.");
                            assertThat(pair.getPrincipal()).isEqualTo(Caller.LOCAL);
                        }));
    }

    @Test
    void aRepeatIsOneEventAndIsMarkedAsOne() {
        for (String replayed : new String[] {null, "true"}) {
            given().contentType("application/json")
                    .header("Idempotency-Key", "key-7")
                    .body("{\"text\":\"once\"}")
                    .post("/v1/documents")
                    .then()
                    .statusCode(202)
                    .header("Idempotent-Replayed", replayed);
        }
        given().contentType("application/json")
                .header("Idempotency-Key", "key-7")
                .body("{\"text\":\"twice\"}")
                .post("/v1/documents")
                .then()
                .statusCode(422)
                .contentType("application/problem+json");
        assertThat(read(
                        topics.documents(),
                        record -> record.headers().lastHeader("idempotency-key") != null
                                && new String(
                                                record.headers()
                                                        .lastHeader("idempotency-key")
                                                        .value(),
                                                UTF_8)
                                        .equals("key-7")))
                .hasSize(1);
    }

    @Test
    void aWrongRecordIsNamedWithLineFieldAndValue() {
        given().contentType("application/x-ndjson; charset=utf-8")
                .body("{\"text\":\"a\"}\n{\"text\":\"b\",\"tags\":\"c\"}\n".getBytes(UTF_8))
                .post("/v1/documents")
                .then()
                .statusCode(400)
                .contentType("application/problem+json")
                .body("refused[0].line", equalTo(2))
                .body("refused[0].field", equalTo("tags"))
                .body("refused[0].value", equalTo("\"c\""))
                .body("refused[0].expected", equalTo("a list"))
                .body("accepted", equalTo(0));
    }

    @Test
    void curlsDefaultContentTypeIsToldWhatToSend() {
        given().contentType("application/x-www-form-urlencoded")
                .body("{\"text\":\"a\"}")
                .post("/v1/documents")
                .then()
                .statusCode(415)
                .body("detail", containsString("application/json"));
    }

    @Test
    void aRecordAtTheLimitIsTakenAndOneByteMoreIs413() {
        int limit = 4_177_920;
        String frame = "{\"text\":\"\"}";
        // 16 bytes of id are added, so the text itself stays a little below the limit
        String largest = "{\"text\":\"" + "x".repeat(limit - frame.length() - 100) + "\"}";
        given().contentType("application/json")
                .body(largest)
                .post("/v1/documents")
                .then()
                .statusCode(202);
        given().contentType("application/json")
                .body("{\"text\":\"" + "x".repeat(limit - frame.length() + 1) + "\"}")
                .post("/v1/documents")
                .then()
                .statusCode(413)
                .body("refused[0].value", equalTo(Integer.toString(limit + 1)));
    }

    @Test
    void aStreamIsKeptWhileItsClientIsStillSending() throws Exception {
        byte[] first = lines("early", 0, 3_000);
        byte[] second = lines("late", 3_000, 6_000);
        InputStream body = new SequenceInputStream(Collections.enumeration(List.of(
                stream(first),
                waitUntil(() -> !read(topics.documents(), record -> record.key().equals("early-0"))
                        .isEmpty()),
                stream(second))));
        HttpRequest request = HttpRequest.newBuilder(documents)
                .header("Content-Type", "application/x-ndjson")
                .timeout(Duration.ofSeconds(60))
                .POST(HttpRequest.BodyPublishers.ofInputStream(() -> body))
                .build();
        HttpResponse<String> response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(202);
        assertThat(response.body())
                .contains("\"accepted\":6000", "\"accepted_lines\":\"1-6000\"", "\"last_id\":\"late-5999\"");
        assertThat(read(topics.documents(), record -> record.key().startsWith("late-")))
                .hasSize(3_000);
    }

    @Test
    void metricsHealthAndTheDescriptionOfTheDoorAreThere() {
        given().contentType("application/json")
                .body("{\"text\":\"a\"}")
                .post("/v1/documents")
                .then()
                .statusCode(202);
        given().get("/q/metrics")
                .then()
                .statusCode(200)
                .body(containsString("ingest_records_total{kind=\"documents\",outcome=\"accepted\"}"));
        given().get("/q/health/live").then().statusCode(200);
        given().get("/q/openapi").then().statusCode(200).body(containsString("/v1/preferences"));
    }

    @Test
    void topicsAreThereAsTheCatalogueSaysAndAnotherCountIsNamed() {
        TopicCatalogue other = new TopicCatalogue("ensure-test.");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
            other.ensure(admin, List.of(other.documents()), (short) 1);
            other.ensure(admin, other.all(), (short) 1);
            other.ensure(admin, other.all(), (short) 1);
            assertThat(admin.listTopics()
                            .names()
                            .toCompletionStage()
                            .toCompletableFuture()
                            .join())
                    .containsAll(other.all().stream().map(Topic::name).toList());

            TopicCatalogue wrong = new TopicCatalogue("wrong-test.");
            admin.createTopics(List.of(new NewTopic(wrong.documents().name(), 3, (short) 1)))
                    .all()
                    .toCompletionStage()
                    .toCompletableFuture()
                    .join();
            assertThatThrownBy(() -> wrong.ensure(admin, wrong.all(), (short) 1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("wrong-test.documents has 3 partitions, but the catalogue says 4");
        }
    }

    private static byte[] lines(String name, int from, int to) {
        StringBuilder lines = new StringBuilder();
        IntStream.range(from, to).forEach(i -> lines.append("{\"document_id\":\"")
                .append(name)
                .append('-')
                .append(i)
                .append("\",\"text\":\"The tide turns.\"}\n"));
        return lines.toString().getBytes(UTF_8);
    }

    private static InputStream stream(byte[] bytes) {
        return new ByteArrayInputStream(bytes);
    }

    /** An empty stream that ends when the condition holds. */
    private static InputStream waitUntil(Callable<Boolean> condition) {
        return new InputStream() {
            @Override
            public int read() {
                Awaitility.await().atMost(SOON).until(condition);
                return -1;
            }

            @Override
            public int read(byte[] into, int offset, int length) {
                return read();
            }
        };
    }

    private List<ConsumerRecord<String, byte[]>> read(Topic topic, Predicate<ConsumerRecord<String, byte[]>> wanted) {
        List<ConsumerRecord<String, byte[]>> found = new ArrayList<>();
        try (KafkaConsumer<String, byte[]> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", brokers), new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = IntStream.range(0, topic.partitions())
                    .mapToObj(i -> new TopicPartition(topic.name(), i))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> {
                    if (wanted.test(record)) {
                        found.add(record);
                    }
                });
            }
        }
        return found;
    }
}
