package io.tidemill.trainer.round;

import io.tidemill.model.engine.Model;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.checkpoint.Ledger;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.checkpoint.Probe;
import io.tidemill.trainer.checkpoint.ProvenanceIndex;
import io.tidemill.trainer.checkpoint.QuarantinedRecords;
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.data.SliceOrigins;
import io.tidemill.trainer.gate.Gate;
import io.tidemill.trainer.gate.HeldOut;
import io.tidemill.trainer.gate.LossSuite;
import io.tidemill.trainer.gate.ScoreCache;
import io.tidemill.trainer.gate.Scores;
import io.tidemill.trainer.gate.Suite;
import io.tidemill.trainer.rollout.RewardHackingException;
import io.tidemill.trainer.rollout.RolloutsLostException;
import io.tidemill.trainer.stage.DivergedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One round, from its frozen plan to a version in the store.
 *
 * <pre>
 *   slice ── examples ── stages of the model's kind ── candidate ── gate ─┬─ passed: the whole version
 *                         └ diverged ─────────────────────────────────────┴─ refused: manifest and card
 * </pre>
 *
 * <p>A function of plan, log, champion and recorded micro-batch: run again after an interruption it gives the same weights,
 * from the last saved step on. Where memory runs out it begins again from the champion, with a smaller micro-batch that is
 * recorded first.
 */
final class RoundRunner {
    private static final Logger LOG = LoggerFactory.getLogger(RoundRunner.class);

    /** Published weights in bfloat16 have 8 bits of mantissa: their logits may differ by so much of the largest. */
    private static final double BFLOAT16_TOLERANCE = 0.05;

    private final CheckpointStore store;
    private final SliceExamples examples;
    private final ScoreCache scores;
    private final VersionWriter versions;
    private final RoundReporter reporter;
    private final RoundControl control;
    private final Arithmetic arithmetic;
    private final LongSupplier nanoClock;

    RoundRunner(
            CheckpointStore store,
            SliceExamples examples,
            ScoreCache scores,
            VersionWriter versions,
            RoundReporter reporter,
            RoundControl control,
            Arithmetic arithmetic,
            LongSupplier nanoClock) {
        this.store = store;
        this.examples = examples;
        this.scores = scores;
        this.versions = versions;
        this.reporter = reporter;
        this.control = control;
        this.arithmetic = arithmetic;
        this.nanoClock = nanoClock;
    }

    /** A verdict with the figures that go beside it. */
    private record Judgement(GateVerdict verdict, Map<String, Double> figures) {}

    /**
     * Runs the round, or what is left of it.
     *
     * @return the event to announce; the version is in the store
     * @throws NoMemoryException if there is no memory even for the smallest micro-batch
     */
    CheckpointEvent run(RoundPlan plan, WorkDirectory work, Lineage lineage) throws IOException {
        while (true) {
            try {
                return runOnce(plan, work, lineage);
            } catch (RolloutsLostException e) {
                LOG.warn("round={} {}; the round begins again from the champion", plan.round(), e.getMessage());
                work.forgetState();
            } catch (MicroBatchException e) {
                MicroBatch now = work.microBatch();
                MicroBatch smaller = now.smaller(e.part(), e.longest())
                        .orElseThrow(() -> new NoMemoryException(nothingSmaller(plan, e), e));
                work.record(smaller);
                LOG.warn(
                        "round={} {} The round begins again with {}; it had {}",
                        plan.round(),
                        e.getMessage(),
                        smaller.describe(),
                        now.describe());
                reporter.begin(plan);
                reporter.phase(
                        Phase.READING, e.getMessage() + ". The round begins again with " + smaller.describe() + ".");
            }
        }
    }

    private static String nothingSmaller(RoundPlan plan, MicroBatchException e) {
        boolean training = e.part() == MicroBatch.Part.SEQUENCES || e.part() == MicroBatch.Part.PAIRS;
        return "Round " + plan.round() + " does not fit into memory: " + e.getMessage() + ". "
                + "It was down to " + e.part().smallest() + " of " + e.longest() + " tokens at once"
                + (training ? " with activations recomputed" : "")
                + ". The champion " + plan.parent()
                + " stays, and the records wait. Half as many tokens would need about"
                + " half of that: set shorter rows (trainer.pretrain.length, trainer.sft.length; of an encoder"
                + " trainer.masked-lm.length, trainer.classification.length) or shorter answers, take a"
                + " smaller base model, or give the process more memory, and start the trainer again.";
    }

    private CheckpointEvent runOnce(RoundPlan plan, WorkDirectory work, Lineage lineage) throws IOException {
        RoundContext context = new RoundContext(
                plan,
                work,
                work.microBatch(),
                store,
                reporter,
                control,
                arithmetic,
                nanoClock,
                new TreeMap<>(),
                scores.answers());
        long start = nanoClock.getAsLong();
        control.check(); // a rollback that waits comes first: its parent may be damaged
        for (String version : List.of(plan.parent(), plan.pinned())) {
            Optional<CheckpointEvent> announced = lineage.event(version);
            if (announced.isPresent()) {
                store.verify(announced.get());
                control.check();
            }
        }
        SliceExamples.Read input = examples.read(plan, work, lineage);
        control.members(members(context, input));
        control.check();
        return ModelRound.with(context, input.examples(), new ModelRound.Use<>() {
            @Override
            public <M extends Model<M>, S> CheckpointEvent of(Tokenizer tokenizer, ModelRound<M, S> round)
                    throws IOException {
                control.check();
                return run(context, input, tokenizer, round, start);
            }
        });
    }

    private static Set<String> members(RoundContext context, SliceExamples.Read input) throws IOException {
        Set<String> members = new HashSet<>(
                HeldOut.read(context.parent().resolve(CheckpointStore.STATE)).keys());
        input.keys().values().forEach(members::addAll);
        return members;
    }

    private <M extends Model<M>, S> CheckpointEvent run(
            RoundContext context, SliceExamples.Read input, Tokenizer tokenizer, ModelRound<M, S> round, long start)
            throws IOException {
        RoundExamples prepared = round.examples();
        reporter.examples(prepared.counts(), prepared.firstFeedback());
        VersionWriter.Draft draft = new VersionWriter.Draft(
                context.plan(),
                prepared,
                input.records(),
                input.replayed(),
                round.champion().parameterCount(),
                context.metrics(),
                context.microBatch(),
                input.origins());
        if (context.settings().mixture().replay().share() > 0) {
            context.metrics().put("replayed_examples", (double)
                    input.replayed().examples().size());
            context.metrics().put("replay_gone", (double) input.replayed().gone());
        }
        try (M trained = round.train()) {
            context.metrics().put("training_seconds", (nanoClock.getAsLong() - start) * 1e-9);
            return judge(draft, round, trained, tokenizer, input);
        } catch (DivergedException e) {
            LOG.error("round={} {}", context.plan().round(), e.getMessage());
            return refuse(draft, verdict(e.getMessage()), examples.find(context.plan(), e.exampleIds()));
        } catch (RewardHackingException e) {
            LOG.error("round={} {}", context.plan().round(), e.getMessage());
            return refuse(draft, verdict(e.getMessage()));
        }
    }

    /** Refuses a round that cannot be run at all, so that one bad record does not hold all others back for ever. */
    CheckpointEvent giveUp(RoundPlan plan, String reason) throws IOException {
        long parameters = store.manifest(plan.parentId()).event().getParameters();
        VersionWriter.Draft draft = new VersionWriter.Draft(
                plan,
                RoundExamples.NONE,
                Map.of(),
                Replayed.NOTHING,
                parameters,
                new TreeMap<>(),
                MicroBatch.of(plan.settings()),
                new SliceOrigins());
        return refuse(draft, verdict(reason));
    }

    // ---- judging ----------------------------------------------------------------------------------------------------

    private <M extends Model<M>, S> CheckpointEvent judge(
            VersionWriter.Draft draft, ModelRound<M, S> round, M trained, Tokenizer tokenizer, SliceExamples.Read input)
            throws IOException {
        RoundPlan plan = draft.plan();
        reporter.phase(Phase.GATING, "comparing " + plan.version() + " with " + champion(plan));
        Path aside = store.aside(plan.versionId());
        try {
            trained.save(aside, plan.settings().published());
            VersionFiles.copyCompanions(store.directory(plan.parentId()), aside);
            Probe probe = Probe.of(aside, tokenizer);
            try (M candidate = round.load(aside)) {
                Optional<String> flaw =
                        flaw(probe, trained, candidate, plan.settings().published());
                if (flaw.isPresent()) {
                    return refuse(draft, verdict(flaw.get()));
                }
                Judgement judgement = judgement(draft, round, candidate);
                draft.metrics().putAll(judgement.figures());
                draft.metrics().putAll(round.figures());
                VersionState state = state(plan, judgement.verdict());
                if (state == VersionState.REFUSED) {
                    return refuse(draft, judgement.verdict());
                }
                reporter.phase(Phase.PUBLISHING, judgement.verdict().getSummary());
                Path hidden = Files.createDirectory(aside.resolve(CheckpointStore.STATE));
                if (plan.settings().published() != WeightType.FLOAT32) {
                    trained.save(hidden.resolve("masters"), WeightType.FLOAT32);
                }
                Ledger.write(hidden, round.examples().ledger());
                if (!draft.replayed().examples().isEmpty()) {
                    Ledger.writeReplayed(hidden, draft.replayed().examples());
                }
                List<LedgerEntry> read = new ArrayList<>(round.examples().ledger());
                read.addAll(draft.replayed().examples());
                ProvenanceIndex.write(hidden, read, input.keys());
                input.copy().write(hidden);
                round.heldOut().write(hidden);
                round.saveBeside(aside);
                probe.write(aside);
                return versions.publish(aside, draft, state, judgement.verdict(), control::commit);
            }
        } finally {
            Durable.deleteTree(aside);
        }
    }

    private static GateVerdict verdict(String summary) {
        return GateVerdict.newBuilder().setSummary(summary).build();
    }

    /** What the candidate is compared with. */
    private static String champion(RoundPlan plan) {
        return plan.erasures()
                .retraining()
                .map(ErasurePlan.Again::champion)
                .filter(champion -> !champion.isEmpty())
                .orElse(plan.parent());
    }

    /** Of versions that are made again only the last is judged: nobody is ever answered by those on the way to it. */
    private <M extends Model<M>, S> Judgement judgement(VersionWriter.Draft draft, ModelRound<M, S> round, M candidate)
            throws IOException {
        Optional<ErasurePlan.Again> again = draft.plan().erasures().retraining();
        if (again.isPresent() && !again.get().last()) {
            String summary = again.get().of() + " made again without what is erased, on the way to a newer one.";
            return new Judgement(
                    GateVerdict.newBuilder().setPassed(true).setSummary(summary).build(), Map.of());
        }
        Judgement judgement = verdict(draft, round, candidate);
        if (again.isEmpty()) {
            return judgement;
        }
        String summary = again.get().of() + " made again without what is erased. "
                + judgement.verdict().getSummary()
                + (judgement.verdict().getPassed()
                        ? ""
                        : again.get().force()
                                ? " Live by force."
                                : " It stays a candidate: erase --retrain --force or a promotion by hand makes it live.");
        return new Judgement(judgement.verdict().toBuilder().setSummary(summary).build(), judgement.figures());
    }

    private VersionState state(RoundPlan plan, GateVerdict verdict) {
        if (plan.erasures().retraining().isEmpty()) {
            return verdict.getPassed() ? versions.passed() : VersionState.REFUSED;
        }
        ErasurePlan.Again again = plan.erasures().retraining().get();
        return again.last() && (verdict.getPassed() || again.force()) ? VersionState.PROMOTED : VersionState.CANDIDATE;
    }

    private CheckpointEvent refuse(VersionWriter.Draft draft, GateVerdict verdict) throws IOException {
        return refuse(draft, verdict, List.of());
    }

    /** @param diverged records that no later round is to read */
    private CheckpointEvent refuse(
            VersionWriter.Draft draft, GateVerdict verdict, List<QuarantinedRecords.Entry> diverged)
            throws IOException {
        Path aside = store.aside(draft.plan().versionId());
        try {
            if (!diverged.isEmpty()) {
                QuarantinedRecords.write(Files.createDirectory(aside.resolve(CheckpointStore.STATE)), diverged);
            }
            return versions.publish(aside, draft, VersionState.REFUSED, verdict, control::commit);
        } finally {
            Durable.deleteTree(aside);
        }
    }

    /** What was written must be what was trained. */
    private static Optional<String> flaw(Probe probe, Model<?> trained, Model<?> written, WeightType published) {
        double largest = 0;
        for (float logit : probe.logits()) {
            if (!Float.isFinite(logit)) {
                return Optional.of("The trained model does not give finite logits: " + logit + " for the probe.");
            }
            largest = Math.max(largest, Math.abs(logit));
        }
        boolean same = published == WeightType.FLOAT32
                ? written.digest().equals(trained.digest())
                : probe.distance(trained) <= BFLOAT16_TOLERANCE * Math.max(1, largest);
        if (!same) {
            throw new IllegalStateException("The written checkpoint is not what was trained: digest " + written.digest()
                    + " instead of " + trained.digest() + ", logits of the probe differ by " + probe.distance(trained));
        }
        return Optional.empty();
    }

    private <M extends Model<M>, S> Judgement verdict(VersionWriter.Draft draft, ModelRound<M, S> round, M candidate)
            throws IOException {
        RoundPlan plan = draft.plan();
        Runnable between = () -> {
            control.check();
            reporter.tick();
        };
        List<Gate.Measured> measured = new ArrayList<>();
        List<Gate.Measured> sincePinned = new ArrayList<>();
        String champion = champion(plan);
        try (Later<M> ancestor = Later.of(
                        () -> round.load(store.directory(plan.pinnedId().orElseThrow())));
                Later<M> live = champion.equals(plan.parent())
                        ? Later.borrowed(round.champion())
                        : Later.of(() -> round.load(store.directory(VersionId.parse(champion))))) {
            for (Suite<S> suite : round.suites()) {
                Scores before = scores.score(champion, suite, () -> round.scoring(champion, live.get()), between);
                Scores after =
                        scores.score(plan.version(), suite, () -> round.scoring(plan.version(), candidate), between);
                measured.add(Gate.Measured.withChampion(suite, before, after));
                if (plan.pinnedId().isPresent() && suite.sincePinned()) {
                    // Many small steps down, each within its margin, add up.
                    Scores first = scores.score(
                            plan.pinned(), suite, () -> round.scoring(plan.pinned(), ancestor.get()), between);
                    double margin =
                            suite.marginSincePinned(plan.settings().gate().pinnedMargins());
                    sincePinned.add(new Gate.Measured(suite, plan.pinned(), margin, first, after));
                }
            }
        }
        Map<String, Double> figures = figures(measured);
        measured.addAll(sincePinned);
        GateVerdict verdict =
                new Gate(plan.settings().gate().statistics(), round.policy()).judge(measured, plan.seed());
        return new Judgement(verdict, figures);
    }

    /** Those of the comparison with the champion. */
    private static Map<String, Double> figures(List<Gate.Measured> measured) {
        Map<String, Double> figures = new HashMap<>();
        for (Gate.Measured one : measured) {
            if (one.before().size() > 0 && one.against().isEmpty()) {
                String name = one.suite().name().replace('-', '_');
                figures.put(name + "_before", one.before().mean());
                figures.put(name + "_after", one.after().mean());
                if (one.suite() instanceof LossSuite loss && loss.perByte(one.after()) < Double.POSITIVE_INFINITY) {
                    figures.put(name + "_before_nats_per_byte", loss.perByte(one.before()));
                    figures.put(name + "_after_nats_per_byte", loss.perByte(one.after()));
                }
            }
        }
        return figures;
    }
}
