package io.tidemill.standalone.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tidemill.deploy.kafka.EmbeddedKafka;
import io.tidemill.deploy.kafka.EmbeddedKafkaSettings;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The services as four JVMs that share nothing but a broker; only the trainer's store is reached, by HTTP. */
@Timeout(1200)
class FourServicesProcessTest {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    @TempDir
    Path scratch;

    @Test
    void aWholeRoundRunsThroughFourProcessesAndOneBroker() throws Exception {
        Path model = TinyModel.writeTo(scratch.resolve("tiny"));
        int trainerPort = ServiceProcess.freePort();
        HttpClient http =
                HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafkaSettings.in(scratch.resolve("kafka")));
                ServiceProcess trainer = start(kafka, "trainer", trainerPort, trainerPort, model);
                ServiceProcess preprocess =
                        start(kafka, "preprocess-stream", ServiceProcess.freePort(), trainerPort, model);
                ServiceProcess ingest = start(kafka, "ingest", ServiceProcess.freePort(), trainerPort, model);
                ServiceProcess feedback = start(kafka, "feedback", ServiceProcess.freePort(), trainerPort, model)) {
            for (ServiceProcess service : new ServiceProcess[] {trainer, ingest, preprocess, feedback}) {
                service.awaitReady(http);
            }
            MillClient producer = new MillClient(ingest.url());
            MillClient reader = new MillClient(feedback.url());
            assertThat(reader.chatVersion("tiny")).isEqualTo("tiny-000000");

            assertThat(producer.post("/v1/documents", Examples.documents("a", 20, 1)))
                    .isEqualTo(202);
            assertThat(producer.post("/v1/preferences", Examples.pairs("a", 40, 2)))
                    .isEqualTo(202);

            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(reader.chatVersion("tiny")).isEqualTo("tiny-000001"));
            assertThat(new MillClient(trainer.url())
                            .get("/v1/checkpoints/tiny-000001")
                            .path("state")
                            .asText())
                    .isEqualTo("PROMOTED");
        }
    }

    /** Each service has a data directory of its own. */
    private ServiceProcess start(EmbeddedKafka kafka, String module, int port, int trainerPort, Path model)
            throws Exception {
        Map<String, String> settings = new TreeMap<>();
        settings.put("kafka.bootstrap.servers", kafka.bootstrapServers());
        settings.put("tidemill.model", "tiny");
        settings.put("tidemill.data", scratch.resolve(module + "-data").toString());
        settings.put("tidemill.store-url", "http://127.0.0.1:" + trainerPort);
        settings.put("trainer.base-model", model.toString());
        settings.put("trainer.round.minimum-preferences", "30");
        settings.put("trainer.round.maximum-wait", "PT5S");
        return ServiceProcess.start(scratch, module, port, settings);
    }
}
