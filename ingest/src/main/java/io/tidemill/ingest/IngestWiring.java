package io.tidemill.ingest;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.tidemill.ingest.upload.IdempotencyKeys;
import io.tidemill.ingest.upload.Intake;
import io.tidemill.ingest.upload.KafkaEventLog;
import io.tidemill.ingest.upload.UploadLimits;
import io.tidemill.ingest.upload.Uploads;
import io.tidemill.proto.Ids;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Principal;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Makes ingest's parts of its settings, and starts and stops them. */
@ApplicationScoped
public class IngestWiring {
    private final IngestConfig config;
    private final TopicCatalogue topics;
    private KafkaEventLog log;
    private TopicGate gate;
    private Uploads uploads;

    IngestWiring(IngestConfig config) {
        this.config = config;
        this.topics = new TopicCatalogue(config.topicPrefix());
    }

    void start(@Observes StartupEvent event) {
        Map<String, Object> settings = Map.of("bootstrap.servers", config.bootstrapServers(), "client.id", "ingest");
        log = new KafkaEventLog(settings, config.acknowledgeTimeout(), TopicCatalogue.MAX_SOURCE_RECORD_BYTES);
        gate = TopicGate.before(
                log,
                settings,
                topics,
                List.of(
                        topics.documents(),
                        topics.demonstrations(),
                        topics.prompts(),
                        topics.feedback(),
                        topics.erasures()),
                config.replicationFactor());
        UploadLimits limits = new UploadLimits(
                config.maxRecordBytes(),
                config.batchRecords(),
                config.batchBytes(),
                config.inFlightRecords(),
                config.inFlightBytes(),
                config.maxRefusedLines(),
                config.concurrentUploads(),
                config.acknowledgeTimeout());
        uploads = new Uploads(gate, limits, new IdempotencyKeys(config.idempotencyBytes()), Ids::uuid7);
        gate.start();
    }

    void stop(@Observes ShutdownEvent event) {
        gate.close();
        log.close();
    }

    Uploads uploads() {
        return uploads;
    }

    Intake<?> documents() {
        return Intake.documents(topics);
    }

    Intake<?> demonstrations() {
        return Intake.demonstrations(topics);
    }

    Intake<?> prompts() {
        return Intake.prompts(topics);
    }

    Intake<?> preferences(Principal sender) {
        return Intake.preferences(topics, sender);
    }

    Intake<?> erasures() {
        return Intake.erasures(topics, Clock.systemUTC());
    }

    /** Why nothing can be taken; empty when it can. */
    Optional<String> closedBecause() {
        return gate == null ? Optional.of("Ingest has not started.") : gate.closedBecause();
    }
}
