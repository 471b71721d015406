package io.tidemill.trainer.round;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Ledger;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.data.ExampleCollector;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.data.ExampleReader;
import io.tidemill.trainer.data.ExampleSet;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.slice.Slice;
import io.tidemill.trainer.slice.SliceReader;
import io.tidemill.trainer.slice.Waiting;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Examples that ancestors have learned, read from the log once more and mixed into a round, so that it does not forget them:
 * experience replay (Rolnick et al. 2019, arXiv:1811.11682), with the log itself as the buffer.
 *
 * <p>Some ancestors are drawn by SHA-256(seed, version), so that what is read does not grow with the history. Of what their
 * ledgers say was trained, and what the settings of today would train on, each stage takes those whose SHA-256(seed, id) is
 * smallest: with one example more or less, all others stay as they are. What was held out, quarantined, taken back or erased
 * is in no ledger as trained, or is not read as that any more, and is never replayed. Retention may have taken a part: that
 * is counted and told.
 */
final class Replay {
    private static final Logger LOG = LoggerFactory.getLogger(Replay.class);

    /** Two orders by one seed would give the first examples of a round the same place in both. */
    private static final long ORDER_OF_REPLAY = 0x7265_706c_6179L;

    private final CheckpointStore store;
    private final SliceReader slices;
    private final ExampleReader reader;
    private final Predicate<ConsumerRecord<byte[], byte[]>> free;

    /** @param free whether a record may be learned once more: it stands in no quarantine */
    Replay(
            CheckpointStore store,
            SliceReader slices,
            ExampleReader reader,
            Predicate<ConsumerRecord<byte[], byte[]>> free) {
        this.store = store;
        this.slices = slices;
        this.reader = reader;
        this.free = free;
    }

    /**
     * The slice's examples together with those that are learned once more, and which these are.
     *
     * @param keys what each of these goes by where something is to be forgotten
     */
    record Mixed(RoundExamples examples, Replayed replayed, Map<String, Set<String>> keys) {}

    /**
     * Adds what the plan's settings ask for.
     *
     * @param fresh of the round's own slice
     * @param work  where the choice is kept, and was made before if the round goes on
     */
    Mixed mix(RoundPlan plan, WorkDirectory work, Lineage lineage, RoundExamples fresh) throws IOException {
        double share = plan.settings().mixture().replay().share();
        if (share == 0) {
            return new Mixed(fresh, Replayed.NOTHING, Map.of());
        }
        ExampleOrder order = new ExampleOrder(plan.seed());
        Optional<Replayed> before = work.replayed();
        if (before.isPresent()) {
            Set<String> chosen = ids(before.get().examples());
            Map<String, Set<String>> keys = new HashMap<>();
            RoundExamples again = read(before.get().slices(), before.get().examples(), plan.seed(), keys);
            if (!ids(again.trained()).equals(chosen)) {
                throw new RoundAbandonedException("Of " + chosen.size() + " examples that round " + plan.round()
                        + " learns once more, only "
                        + again.trained().size() + " can be read again: retention or an erasure took the others.");
            }
            return new Mixed(fresh.withAgain(again, chosen, order), before.get(), keys);
        }
        return choose(plan, work, lineage, fresh, share);
    }

    private Mixed choose(RoundPlan plan, WorkDirectory work, Lineage lineage, RoundExamples fresh, double share)
            throws IOException {
        Map<String, Long> wanted = new HashMap<>(); // by stage
        fresh.counts().forEach((stage, count) -> {
            if (Waiting.isTrained(stage)) {
                wanted.put(stage, Math.round(count * share / (1 - share)));
            }
        });
        List<LedgerEntry> candidates = new ArrayList<>();
        List<Slice> parts = new ArrayList<>();
        for (VersionId ancestor : drawn(plan, lineage)) {
            Ledger.read(store.directory(ancestor).resolve(CheckpointStore.STATE)).stream()
                    .filter(entry -> wanted.containsKey(entry.stage()))
                    .forEach(candidates::add);
            parts.add(slices.available(slice(lineage, ancestor)));
        }
        Map<String, Set<String>> keys = new HashMap<>();
        RoundExamples again = read(parts, candidates, plan.seed(), keys);

        List<LedgerEntry> chosen = new ArrayList<>();
        wanted.forEach((stage, count) -> chosen.addAll(new ExampleOrder(plan.seed() ^ ORDER_OF_REPLAY)
                .first(
                        Math.toIntExact(count),
                        again.trained().stream()
                                .filter(entry -> entry.stage().equals(stage))
                                .toList(),
                        LedgerEntry::exampleId)));
        long gone = candidates.size() - again.trained().size();
        if (gone > 0) {
            LOG.warn(
                    "round={} Of {} examples that could be learned once more {} cannot be read any more, or are not trained on"
                            + " by the settings of today",
                    plan.round(),
                    candidates.size(),
                    gone);
        }
        ExampleOrder order = new ExampleOrder(plan.seed());
        Replayed replayed =
                new Replayed(chosen.isEmpty() ? List.of() : parts, order.sort(chosen, LedgerEntry::exampleId), gone);
        work.keep(replayed);
        keys.keySet().retainAll(ids(chosen));
        return new Mixed(fresh.withAgain(again, ids(chosen), order), replayed, keys);
    }

    /** The ancestors whose slices are read. */
    private List<VersionId> drawn(RoundPlan plan, Lineage lineage) throws IOException {
        List<VersionId> some = lineage.ancestry(plan.parentId()).stream()
                .filter(version -> !slice(lineage, version).empty())
                .toList();
        Map<VersionId, String> names = new HashMap<>();
        for (VersionId version : some) {
            names.put(version, new Originals(store).name(version, plan).toString());
        }
        return new ExampleOrder(plan.seed() ^ ORDER_OF_REPLAY)
                .first(plan.settings().mixture().replay().slices(), some, names::get);
    }

    private static Slice slice(Lineage lineage, VersionId version) {
        return lineage.event(version.toString())
                .map(CheckpointEvent::getLineage)
                .map(read -> Slice.of(read.getSlicesList()))
                .orElse(Slice.EMPTY);
    }

    /** What those slices have of the entries, if it is still for the same stage. */
    private RoundExamples read(List<Slice> parts, List<LedgerEntry> entries, long seed, Map<String, Set<String>> keys) {
        Map<String, String> stages = new HashMap<>();
        entries.forEach(entry -> stages.put(entry.exampleId(), entry.stage()));
        ExampleCollector collector = new ExampleCollector(reader, new ExampleSet(), seed);
        for (Slice part : parts) {
            slices.read(part, record -> {
                ExampleReader.Example example = reader.read(record);
                if (free.test(record) && example.stage().equals(stages.get(example.exampleId()))) {
                    collector.add(record);
                }
            });
        }
        keys.putAll(collector.keys());
        return collector.finish();
    }

    private static Set<String> ids(List<LedgerEntry> entries) {
        Set<String> ids = new HashSet<>();
        entries.forEach(entry -> ids.add(entry.exampleId()));
        return ids;
    }
}
