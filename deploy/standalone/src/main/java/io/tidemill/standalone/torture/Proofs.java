package io.tidemill.standalone.torture;

import io.tidemill.auditor.Audit;
import io.tidemill.auditor.AuditException;
import io.tidemill.auditor.AuditSettings;
import io.tidemill.proto.Readers;
import io.tidemill.proto.Reading;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Finding;
import io.tidemill.trainer.checkpoint.Ledger;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.checkpoint.VersionCheck;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.round.Rebuild;
import io.tidemill.trainer.round.TrainerClients;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is looked at in a store when the faults are over. */
final class Proofs {
    /** Seen before by an ancestor, and so not learned. */
    private static final String REPEATED = "repeated";

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path store;
    private final String model;
    private final String bootstrapServers;
    private final String prefix;

    Proofs(Path store, String model, String bootstrapServers, String prefix) {
        this.store = store;
        this.model = model;
        this.bootstrapServers = bootstrapServers;
        this.prefix = prefix;
    }

    static List<Path> list(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.list(directory)) {
            return paths.sorted().toList();
        }
    }

    /** All files below, in a list that may be changed. */
    static List<Path> files(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return new ArrayList<>();
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            return paths.filter(Files::isRegularFile).sorted().collect(Collectors.toCollection(ArrayList::new));
        }
    }

    /** Directories of versions, oldest first. */
    static List<Path> versions(Path ofModel) throws IOException {
        return list(ofModel).stream()
                .filter(path -> Files.isDirectory(path)
                        && !path.getFileName().toString().startsWith("."))
                .toList();
    }

    /** Directory of the newest version that has weights; what was refused has none. */
    static Path champion(Path ofModel) throws IOException {
        List<Path> weighed = versions(ofModel).stream()
                .filter(version -> Files.exists(version.resolve("model.safetensors")))
                .toList();
        return weighed.get(weighed.size() - 1);
    }

    /** "version stage" of each example that versions have read for the first time, by the example's id. */
    static Map<String, List<String>> entries(Path ofModel) throws IOException {
        Map<String, List<String>> entries = new TreeMap<>();
        for (Path version : versions(ofModel)) {
            for (LedgerEntry entry : Ledger.read(version.resolve(CheckpointStore.STATE))) {
                if (!entry.stage().equals(REPEATED)) {
                    entries.computeIfAbsent(entry.exampleId(), id -> new ArrayList<>())
                            .add(version.getFileName() + " " + entry.stage());
                }
            }
        }
        return entries;
    }

    /** What versions of the live line have read twice; what was rolled back may be read again. */
    List<String> twice() throws IOException {
        Set<String> live =
                lineage().ancestry().stream().map(VersionId::toString).collect(Collectors.toSet());
        List<String> twice = new ArrayList<>();
        entries(store.resolve(model)).forEach((id, all) -> {
            List<String> ofLive = all.stream()
                    .filter(entry -> live.contains(entry.substring(0, entry.indexOf(' '))))
                    .toList();
            if (ofLive.size() > 1) {
                twice.add("example " + id + " is in " + ofLive);
            }
        });
        return twice;
    }

    /** As it was announced up to now. */
    Lineage lineage() {
        List<CheckpointEvent> events = new ArrayList<>();
        clients().readAll(new TopicCatalogue(prefix).checkpoints(), record -> {
            if (Readers.checkpoints().read(record.value(), record.headers())
                            instanceof Reading.Accepted<CheckpointEvent> accepted
                    && accepted.message().getModel().equals(model)) {
                events.add(accepted.message());
            }
        });
        return Lineage.of(events);
    }

    private TrainerClients clients() {
        return new TrainerClients(Map.of("bootstrap.servers", bootstrapServers));
    }

    /** Trains every promoted version once more, without a fault; how many came out the same. */
    int rebuild(List<String> flaws, PrintStream out) throws IOException {
        int same = 0;
        try (CheckpointStore read = CheckpointStore.read(store, model)) {
            for (VersionId version : read.versions()) {
                CheckpointEvent event = read.manifest(version).event();
                if (event.getState() == VersionState.REFUSED
                        || event.getParent().isEmpty()) {
                    continue;
                }
                try {
                    Rebuild.Result result = new Rebuild(
                                    read,
                                    clients(),
                                    new TopicCatalogue(prefix),
                                    PATIENCE,
                                    System::nanoTime,
                                    Path.of(System.getProperty("java.io.tmpdir")))
                            .run(version, round -> {});
                    if (result.same()) {
                        same++;
                    } else {
                        flaws.add(version + " has SHA-256 " + result.published() + ", but without faults "
                                + result.rebuilt());
                    }
                } catch (RuntimeException e) {
                    flaws.add(version + " cannot be rebuilt: " + e);
                }
            }
        }
        out.printf("%d versions rebuilt with the same weights%n", same);
        return same;
    }

    /**
     * The ledger of the lineage by the auditor, which shares no code with the trainer.
     *
     * @param data directory of the mill
     * @param events whether what people sent is in the log too
     */
    void audit(Path data, boolean events, List<String> flaws) {
        AuditSettings all =
                AuditSettings.of(data, bootstrapServers).withTopicPrefix(prefix).withModel(Optional.of(model));
        try {
            Audit.run(events ? all : all.withoutEvents()).findings().forEach(finding -> flaws.add("audit: " + finding));
        } catch (AuditException e) {
            flaws.add("the ledger cannot be audited: " + e.getMessage());
        }
    }

    /** Every version of the store by its files, its probe and its ancestors. */
    void verify(List<String> flaws) throws IOException {
        for (Path version : versions(store.resolve(model))) {
            VersionId id = VersionId.parse(version.getFileName().toString());
            flaws(store, id).forEach(flaw -> flaws.add(id + " does not hold: " + flaw));
        }
    }

    /** What {@code ./tidemill verify} has against a version. */
    static List<String> flaws(Path store, VersionId version) throws IOException {
        return VersionCheck.inStore(store, version, Optional.empty()).run().stream()
                .filter(Finding::failed)
                .map(finding -> finding.check() + ": " + finding.told())
                .toList();
    }
}
