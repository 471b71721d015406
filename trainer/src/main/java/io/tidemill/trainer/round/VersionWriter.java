package io.tidemill.trainer.round;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.util.Timestamps;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.Lineage;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Deltas;
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.checkpoint.ModelCard;
import io.tidemill.trainer.checkpoint.Probe;
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.checkpoint.VersionSigner;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.data.SliceOrigins;
import io.tidemill.trainer.promotion.PromotionSettings;
import io.tidemill.trainer.slice.Slice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.common.TopicPartition;

/** Completes a version's directory (card, manifest) and puts it into the store. */
final class VersionWriter {
    private final CheckpointStore store;
    private final Function<VersionId, String> filesUrl;
    private final List<VersionSigner> signers;
    private final boolean deltas;
    private final PromotionSettings promotion;
    private final Clock clock;

    /**
     * @param filesUrl   where a version's files are served
     * @param signers    sign every version, one after the other; none for unsigned ones
     * @param deltas     whether a version that is not refused tells what differs from its parent
     * @param promotion  what becomes of a version that passed
     */
    VersionWriter(
            CheckpointStore store,
            Function<VersionId, String> filesUrl,
            List<VersionSigner> signers,
            boolean deltas,
            PromotionSettings promotion,
            Clock clock) {
        this.store = store;
        this.filesUrl = filesUrl;
        this.signers = signers;
        this.deltas = deltas;
        this.promotion = promotion;
        this.clock = clock;
    }

    /**
     * What is known of a version before it is judged.
     *
     * @param records read, by partition
     * @param replayed what was learned once more
     * @param metrics by name; more may be added
     * @param microBatch it was made with
     * @param origins of the examples
     */
    record Draft(
            RoundPlan plan,
            RoundExamples examples,
            Map<TopicPartition, Long> records,
            Replayed replayed,
            long parameters,
            Map<String, Double> metrics,
            MicroBatch microBatch,
            SliceOrigins origins) {}

    /** State of a version that passed its gate. */
    VersionState passed() {
        return promotion.policy().announced();
    }

    /**
     * @param aside holds weights and companions, or nothing where the version is refused
     * @param last  run when all is written, before the version exists; what it throws leaves the store as it was
     */
    CheckpointEvent publish(Path aside, Draft draft, VersionState state, GateVerdict verdict, Runnable last)
            throws IOException {
        RoundPlan plan = draft.plan();
        Manifest parent = store.manifest(plan.parentId());
        Lineage.Builder lineage = Lineage.newBuilder()
                .addAllSlices(plan.slice().toProto(draft.records()))
                .setRound(plan.round())
                .setSeed(plan.seed())
                .setErasuresOffset(plan.erasures().offset())
                .putAllExamples(draft.examples().counts())
                .addAllReplayedSlices(draft.replayed().ranges())
                .putAllReplayed(draft.replayed().counts());
        draft.examples()
                .firstFeedback()
                .ifPresent(at -> lineage.setFirstFeedbackTime(Timestamps.fromMillis(at.toEpochMilli())));
        CheckpointEvent.Builder event = CheckpointEvent.newBuilder()
                .setParent(plan.parent())
                .setVerdict(verdict)
                .setLineage(lineage)
                .putAllMetrics(draft.metrics())
                .setTokenizerFingerprint(parent.event().getTokenizerFingerprint())
                .setParameters(draft.parameters())
                .setReason(verdict.getSummary())
                .addAllForgotten(plan.erasures().toProto());
        plan.erasures().retraining().ifPresent(retraining -> event.setRetraining(retraining.toProto()));
        event.setAccount(draft.origins().account(draft.examples(), draft.records()));
        if (state == VersionState.CANARY) {
            event.setCanary(promotion.canary().rule(clock.instant()));
        }
        boolean refused = state == VersionState.REFUSED;
        if (deltas && !refused) {
            event.addAllDeltas(Deltas.write(aside, store.directory(plan.parentId()), parent.event()));
        }
        return finish(
                aside,
                store.directory(plan.parentId()),
                plan.versionId(),
                event.setState(state),
                draft.examples().sources(),
                parent.base(),
                refused ? plan.onTrialAgain() : Slice.EMPTY,
                WorkDirectory.JSON.valueToTree(plan.settings()),
                origin().set("micro_batch", WorkDirectory.JSON.valueToTree(draft.microBatch())),
                last);
    }

    /**
     * Makes the first version of a lineage.
     *
     * @param from Hugging Face directory
     * @param base as the manifest names it
     */
    CheckpointEvent importBase(Path from, VersionId version, String base) throws IOException {
        Path aside = store.aside(version);
        try {
            VersionFiles.copyWeights(from, aside);
            VersionFiles.copyCompanions(from, aside);
            Path card = from.resolve(ModelCard.FILE);
            if (Files.exists(card)) {
                Files.copy(card, aside.resolve(VersionFiles.BASE_CARD));
            }
            try (Tokenizer tokenizer = Tokenizer.load(aside)) {
                Probe.of(aside, tokenizer).write(aside);
                CheckpointEvent.Builder event = CheckpointEvent.newBuilder()
                        .setState(VersionState.PROMOTED)
                        .setTokenizerFingerprint(tokenizer.fingerprint())
                        .setParameters(ModelShape.read(aside).parameters())
                        .setReason("The base model of a new lineage.");
                return finish(
                        aside,
                        aside,
                        version,
                        event,
                        Map.of(),
                        base,
                        Slice.EMPTY,
                        new ObjectMapper().createObjectNode(),
                        origin(),
                        () -> {});
            }
        } finally {
            Durable.deleteTree(aside);
        }
    }

    /** @param likeIt directory with weights of the same kind: those of a refused version are not kept */
    private CheckpointEvent finish(
            Path aside,
            Path likeIt,
            VersionId version,
            CheckpointEvent.Builder event,
            Map<String, Long> sources,
            String base,
            Slice quarantined,
            JsonNode settings,
            JsonNode origin,
            Runnable last)
            throws IOException {
        event.setModel(version.model())
                .setVersion(version.toString())
                .setUri(version.uri())
                .setFilesUrl(filesUrl.apply(version))
                .setEventTime(Timestamps.fromMillis(clock.millis()));
        ModelCard.write(aside, likeIt, event.build(), sources);
        event.addAllFiles(VersionFiles.digests(aside));
        new Manifest(event.build(), base, quarantined, settings, origin, parentSha256(event.getParent())).write(aside);
        for (VersionSigner signer : signers) {
            signer.sign(aside);
        }
        CheckpointStore.seal(aside);
        store.publish(aside, version, last);
        return store.manifest(version).announcement(store.directory(version));
    }

    private String parentSha256(String parent) throws IOException {
        if (parent.isEmpty()) {
            return "";
        }
        Path directory = store.directory(VersionId.parse(parent));
        return FileDigests.of(directory, directory.resolve(Manifest.FILE)).getSha256();
    }

    /** What besides plan and log may change the last bit of a result. */
    static ObjectNode origin() {
        ObjectNode origin = new ObjectMapper().createObjectNode();
        for (String property : new String[] {"os.name", "os.arch", "java.version"}) {
            origin.put(property, System.getProperty(property));
        }
        origin.put("best_compute_type", ComputeType.best().toString());
        return origin;
    }
}
