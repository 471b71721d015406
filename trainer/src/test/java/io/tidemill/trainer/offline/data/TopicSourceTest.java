package io.tidemill.trainer.offline.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Message;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Answer;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Demonstration;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Prompt;
import io.tidemill.proto.v1.Scored;
import io.tidemill.proto.v1.Split;
import io.tidemill.trainer.offline.data.DataReader.Data;
import io.tidemill.trainer.offline.recipe.Recipe;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** On a real broker, with the product's own messages. */
class TopicSourceTest {
    private static final TopicCatalogue TOPICS = new TopicCatalogue("offline-topics.");

    private static Producer<byte[], byte[]> producer;

    private Mistakes mistakes = new Mistakes(20);

    @BeforeAll
    static void write() throws Exception {
        String servers = SharedKafka.bootstrapServers();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers));
                Producer<byte[], byte[]> open = new KafkaProducer<>(
                        Map.of("bootstrap.servers", servers, "transactional.id", "offline-topics"),
                        new ByteArraySerializer(),
                        new ByteArraySerializer())) {
            TOPICS.ensure(admin, TOPICS.all(), (short) 1);
            producer = open;
            producer.initTransactions();
            producer.beginTransaction();
            for (int i = 0; i < 6; i++) {
                send(
                        "documents",
                        Document.newBuilder()
                                .setDocumentId("d" + i)
                                .setText("Text " + i)
                                .addSubjects(i == 5 ? "anna" : "ben")
                                .build());
            }
            send("erasures", Erasure.newBuilder().setSubject("anna").build());
            raw("documents", "not a document".getBytes(StandardCharsets.UTF_8));
            ChatMessage question = message("user", "Why?");
            send(
                    "demonstrations",
                    Demonstration.newBuilder()
                            .setExampleId("e")
                            .addMessages(question)
                            .addMessages(message("assistant", "Because."))
                            .build());
            send(
                    "prompts",
                    Prompt.newBuilder()
                            .setPromptId("p")
                            .addMessages(question)
                            .putRewardData("solution", "Because.")
                            .build());
            send("preferences", pair("train", question, Split.TRAIN));
            send("preferences", pair("held out", question, Split.HELD_OUT));
            send(
                    "preferences",
                    Preference.newBuilder()
                            .setExampleId("scored")
                            .addMessages(question)
                            .setScored(Scored.newBuilder()
                                    .setScore(1)
                                    .setAnswer(Answer.newBuilder().setText("Fine.")))
                            .setSplit(Split.TRAIN)
                            .build());
            producer.commitTransaction();
            producer.beginTransaction();
            send(
                    "documents",
                    Document.newBuilder()
                            .setDocumentId("aborted")
                            .setText("Never")
                            .build());
            producer.flush(); // an aborted record that never left would prove nothing
            producer.abortTransaction();
        }
    }

    private static ChatMessage message(String role, String content) {
        return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }

    private static Preference pair(String id, ChatMessage question, Split split) {
        return Preference.newBuilder()
                .setExampleId(id)
                .addMessages(question)
                .setPair(Pair.newBuilder()
                        .setChosen(Answer.newBuilder().setText("Good " + id))
                        .setRejected(Answer.newBuilder().setText("Bad")))
                .setWeight(0.5)
                .setSplit(split)
                .build();
    }

    private static void send(String topic, Message message) {
        raw(topic, message.toByteArray());
    }

    private static void raw(String topic, byte[] value) {
        var unused = producer.send(
                new ProducerRecord<>("offline-topics." + topic, 0, topic.getBytes(StandardCharsets.UTF_8), value));
    }

    private Data read(List<Format> formats, String... flags) throws IOException {
        Map<String, String> all =
                new HashMap<>(Map.of("stage", "sft", "bootstrap_servers", SharedKafka.bootstrapServers()));
        for (int i = 0; i < flags.length; i += 2) {
            all.put(flags[i], flags[i + 1]);
        }
        mistakes = new Mistakes(20);
        return new DataReader(Recipe.read(Optional.empty(), all), formats, mistakes).read();
    }

    @Test
    void documentsAreReadCommittedWithoutThoseOfPeopleWhoAskedToBeForgotten() throws IOException {
        Data data = read(List.of(Format.TEXT), "train_data", "kafka:offline-topics.documents");

        assertThat(data.training())
                .extracting(example -> ((Example.Text) example).text())
                .containsExactlyInAnyOrder("Text 0", "Text 1", "Text 2", "Text 3", "Text 4");
        assertThat(mistakes.first()).hasSize(1);
        assertThat(mistakes.first().get(0)).startsWith("offline-topics.documents-0@6: ");
    }

    @Test
    void aSliceIsReadByOffsetsAndLimit() throws IOException {
        assertThat(read(
                                List.of(Format.TEXT),
                                "train_data",
                                "kafka:offline-topics.documents",
                                "topic_offsets",
                                "0:1-4",
                                "topic_limit",
                                "2")
                        .training())
                .extracting(example -> example.origin().id())
                .containsExactly("offline-topics.documents-0@1", "offline-topics.documents-0@2");
        assertThatThrownBy(() -> read(
                        List.of(Format.TEXT),
                        "train_data",
                        "kafka:offline-topics.documents",
                        "topic_offsets",
                        "0:1-400"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("topic_offsets asks for 1 to 400");
        assertThatThrownBy(() -> read(
                        List.of(Format.TEXT), "train_data", "kafka:offline-topics.documents", "topic_offsets", "all"))
                .hasMessageContaining("topic_offsets must be as in 0:100-250");
    }

    @Test
    void chatsPromptsPairsAndRatingsAreTheSameExamplesAsFromFiles() throws IOException {
        assertThat(read(List.of(Format.MESSAGES), "train_data", "kafka:offline-topics.demonstrations")
                        .training())
                .singleElement()
                .isInstanceOf(Example.Chat.class);
        assertThat(read(List.of(Format.PROMPT), "train_data", "kafka:offline-topics.prompts")
                        .training())
                .singleElement()
                .satisfies(asked -> assertThat(((Example.Asked) asked).data()).containsEntry("solution", "Because."));
        Data pairs = read(
                List.of(Format.PREFERENCE),
                "train_data",
                "kafka:offline-topics.preferences",
                "eval_data",
                "kafka:offline-topics.preferences");
        assertThat(pairs.training()).singleElement().satisfies(pair -> {
            assertThat(((Example.Pair) pair).chosen()).isEqualTo("Good train");
            assertThat(((Example.Pair) pair).weight()).isEqualTo(0.5);
        });
        assertThat(pairs.evaluation()).singleElement().satisfies(pair -> assertThat(((Example.Pair) pair).chosen())
                .isEqualTo("Good held out"));
        assertThat(read(List.of(Format.RATING), "train_data", "kafka:offline-topics.preferences")
                        .training())
                .singleElement()
                .satisfies(rated -> assertThat(((Example.Rated) rated).liked()).isTrue());
    }

    @Test
    void aTopicOrBrokerThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> read(List.of(Format.TEXT), "train_data", "kafka:nowhere.documents"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("There is no topic nowhere.documents");
    }
}
