package io.tidemill.deploy.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.proto.Topic;
import io.tidemill.proto.TopicCatalogue;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** The cluster fits its topics, the clients' version and those who ask it for lag. */
class KafkaClusterTest {
    private final Resource kafka = Manifests.base("Kafka", "tidemill");
    private final JsonNode config = kafka.spec().at("/kafka/config");
    private final TopicCatalogue catalogue = new TopicCatalogue(TopicCatalogue.DEFAULT_PREFIX);

    @Test
    void theBrokersAreOfTheClientsVersion() {
        assertThat(kafka.spec().at("/kafka/version").asText()).isEqualTo(System.getProperty("kafka.version"));
    }

    @Test
    void threeNodesAndACopyOfEverythingOnEach() {
        Resource nodes = Manifests.base("KafkaNodePool", "node");
        int replicas = nodes.spec().path("replicas").asInt();

        assertThat(replicas).isEqualTo(3);
        assertThat(nodes.json()
                        .at("/metadata/labels")
                        .path("strimzi.io/cluster")
                        .asText())
                .isEqualTo(kafka.name());
        assertThat(Stream.of(
                                "default.replication.factor",
                                "offsets.topic.replication.factor",
                                "transaction.state.log.replication.factor")
                        .map(key -> config.path(key).asInt()))
                .containsOnly(replicas);
        assertThat(config.path("min.insync.replicas").asInt()).isEqualTo(replicas - 1);
        assertThat(config.path("transaction.state.log.min.isr").asInt()).isEqualTo(replicas - 1);
        assertThat(WorkloadsTest.settings().path("TIDEMILL_REPLICATION_FACTOR").asText())
                .as("topics that a service creates")
                .isEqualTo(Integer.toString(replicas));
    }

    /** A topic's limit above the broker's would let in what the replicas cannot fetch. */
    @Test
    void theLargestRecordOfTheCatalogueFits() {
        int largest = catalogue.all().stream()
                .map(Topic::settings)
                .mapToInt(settings -> Integer.parseInt(settings.get("max.message.bytes")))
                .max()
                .orElseThrow();
        assertThat(config.path("message.max.bytes").asInt()).isGreaterThanOrEqualTo(largest);
        assertThat(config.path("replica.fetch.max.bytes").asInt()).isGreaterThanOrEqualTo(largest);
    }

    @Test
    void bootstrapServersNameTheClustersServiceAndAListenerThatOurPodsMayUse() {
        JsonNode listener = kafka.spec().at("/kafka/listeners/0");
        assertThat(WorkloadsTest.settings().path("KAFKA_BOOTSTRAP_SERVERS").asText())
                .isEqualTo(kafka.name() + "-kafka-bootstrap:"
                        + listener.path("port").asInt());
        assertThat(listener.path("networkPolicyPeers").toString())
                .contains("\"app.kubernetes.io/part-of\":\"tidemill\"");
    }

    @Test
    void scalingStopsWhereThePartitionsEndAndAsksTheSameBrokers() {
        Resource scaling = Manifests.base("ScaledObject", "preprocess-stream");
        Resource target = Manifests.base(
                scaling.spec().at("/scaleTargetRef/kind").asText(),
                scaling.spec().at("/scaleTargetRef/name").asText());

        assertThat(target.spec().has("replicas"))
                .as("a number there would undo the scaling at each apply")
                .isFalse();
        assertThat(scaling.spec().path("maxReplicaCount").asInt())
                .isEqualTo(catalogue.documents().partitions());
        assertThat(StreamSupport.stream(scaling.spec().path("triggers").spliterator(), false)
                        .map(trigger -> trigger.at("/metadata/bootstrapServers").asText()))
                .containsOnly(kafka.name() + "-kafka-bootstrap.tidemill.svc:9092");
    }
}
