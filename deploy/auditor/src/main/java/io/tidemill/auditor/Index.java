package io.tidemill.auditor;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.CheckpointEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A lineage as its events tell it, frozen: the log, the store, the course of its versions and the names of its topics.
 *
 * @param vocabulary number of tokens that the live version knows
 */
record Index(Log log, Store store, String model, Course course, Topics topics, int vocabulary)
        implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Reads the events; nothing else yet. */
    static Index open(AuditSettings settings) {
        Log log = new Log(settings.bootstrapServers(), settings.patience());
        try {
            return of(settings, log);
        } catch (RuntimeException e) {
            log.close();
            throw e;
        }
    }

    private static Index of(AuditSettings settings, Log log) {
        TopicCatalogue catalogue = new TopicCatalogue(settings.topicPrefix());
        List<CheckpointEvent> all = new ArrayList<>();
        String checkpoints = catalogue.checkpoints().name();
        Set<String> models = new TreeSet<>();
        log.read(List.of(checkpoints), log.freeze(List.of(checkpoints)), record -> Wire.read(
                        CheckpointEvent.getDefaultInstance(), record.value(), record.headers())
                .filter(event -> !event.getVersion().isEmpty())
                .ifPresent(event -> {
                    models.add(event.getModel());
                    if (settings.model().isEmpty() || settings.model().get().equals(event.getModel())) {
                        all.add(event);
                    }
                }));
        if (models.size() > 1 && settings.model().isEmpty()) {
            throw new AuditException(checkpoints + " speaks of " + models + "; name one with --model.");
        }
        if (all.isEmpty()) {
            throw new AuditException(checkpoints + " at " + settings.bootstrapServers() + " has no version"
                    + settings.model()
                            .map(name -> " of " + name + "; it speaks of " + models)
                            .orElse("") + ".");
        }
        String model = all.get(0).getModel();
        // Where slices are read, names of topics are compared with the catalogue's; the tokenizer does not matter.
        Topics any = new Topics(catalogue, "any");
        Course course = Course.of(all, any::holdsExamples);
        if (course.live().isEmpty()) {
            throw new AuditException(checkpoints + " has promoted no version of " + model + " yet.");
        }
        Path root = settings.data().resolve("store").resolve(model);
        if (!Files.isDirectory(root)) {
            throw new AuditException("There is no store of " + model + " in --data " + settings.data() + ".");
        }
        String fingerprint = course.announced().get(course.live()).getTokenizerFingerprint();
        return new Index(
                log,
                new Store(root),
                model,
                course,
                new Topics(catalogue, fingerprint),
                vocabulary(root.resolve(course.live()).resolve("config.json")));
    }

    /** Any where the configuration is not there. */
    private static int vocabulary(Path config) {
        try {
            return Files.isRegularFile(config)
                    ? JSON.readTree(config.toFile()).path("vocab_size").asInt(Integer.MAX_VALUE)
                    : Integer.MAX_VALUE;
        } catch (IOException e) {
            throw new AuditException("The configuration " + config + " cannot be read: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        log.close();
    }
}
