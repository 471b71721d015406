package io.tidemill.trainer.round;

import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.ProvenanceIndex;
import io.tidemill.trainer.checkpoint.SliceCopy;
import io.tidemill.trainer.gate.HeldOut;
import io.tidemill.trainer.slice.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the store's versions keep of people: which of them learned from what is erased, and suites and slices that hold texts. */
record Forgetting(CheckpointStore store) {
    private static final Logger LOG = LoggerFactory.getLogger(Forgetting.class);

    /** Takes what is erased out of suites and slices of every version; what was written is flushed. */
    void purge(ErasureSet erased) throws IOException {
        if (erased.isEmpty()) {
            return;
        }
        for (VersionId version : store.versions()) {
            Path state = state(version);
            if (Files.isDirectory(state)) {
                HeldOut kept = HeldOut.read(state);
                HeldOut left = kept.without(erased);
                int gone = kept.sequences().size()
                        - left.sequences().size()
                        + kept.pairs().size()
                        - left.pairs().size();
                if (gone > 0) {
                    left.write(state);
                    LOG.info("version={} held_out_erased={}", version, gone);
                }
                int copies = SliceCopy.purge(state, erased);
                if (copies > 0) {
                    LOG.info("version={} slice_records_erased={}", version, copies);
                }
            }
        }
    }

    /** What each erasure concerns of what the store's versions have learned. */
    List<ErasurePlan.Known> of(List<Erasures.Numbered> erasures) throws IOException {
        if (erasures.isEmpty()) {
            return List.of();
        }
        List<String> keys = erasures.stream().map(Erasures.Numbered::key).toList();
        Map<String, List<String>> versions = new HashMap<>();
        Map<String, Long> examples = new HashMap<>();
        List<String> unknown = new ArrayList<>();
        for (VersionId version : store.versions()) {
            if (isUnknown(version)) {
                unknown.add(version.toString());
            }
            ProvenanceIndex.learned(state(version), keys).forEach((key, count) -> {
                versions.computeIfAbsent(key, none -> new ArrayList<>()).add(version.toString());
                examples.merge(key, count, Long::sum);
            });
        }
        return erasures.stream()
                .map(erasure -> new ErasurePlan.Known(
                        erasure.erasure().getErasureId(),
                        ErasureKeys.kind(erasure.key()),
                        erasure.offset(),
                        versions.getOrDefault(erasure.key(), List.of()),
                        examples.getOrDefault(erasure.key(), 0L),
                        List.copyOf(unknown)))
                .toList();
    }

    /** How many examples the version's own round learned from what is erased, by the erasure's id. */
    Map<String, Long> learned(VersionId version, ErasureSet erased) throws IOException {
        Map<String, String> ids = new HashMap<>();
        for (Erasure erasure : erased.all()) {
            ids.put(ErasureKeys.of(erasure), erasure.getErasureId());
        }
        Map<String, Long> counts = new HashMap<>();
        ProvenanceIndex.learned(state(version), ids.keySet()).forEach((key, count) -> counts.put(ids.get(key), count));
        return counts;
    }

    /** Has it learned from something and does not tell from what? An older program made it. */
    boolean isUnknown(VersionId version) throws IOException {
        if (ProvenanceIndex.exists(state(version)) || !Files.isDirectory(state(version))) {
            return false;
        }
        CheckpointEvent event = store.manifest(version).event();
        return event.getLineage().getExamplesMap().entrySet().stream()
                .anyMatch(entry -> Waiting.isTrained(entry.getKey()) && entry.getValue() > 0);
    }

    private Path state(VersionId version) {
        return store.directory(version).resolve(CheckpointStore.STATE);
    }
}
