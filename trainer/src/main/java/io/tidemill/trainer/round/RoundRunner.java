package io.tidemill.trainer.round;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatTemplate;
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
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.data.ExampleCollector;
import io.tidemill.trainer.data.ExampleReader;
import io.tidemill.trainer.data.ExampleSet;
import io.tidemill.trainer.data.PairExample;
import io.tidemill.trainer.data.PromptExample;
import io.tidemill.trainer.data.RatedExample;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.gate.Gate;
import io.tidemill.trainer.gate.HeldOut;
import io.tidemill.trainer.gate.LossSuite;
import io.tidemill.trainer.gate.PreferenceSuite;
import io.tidemill.trainer.gate.ScoreCache;
import io.tidemill.trainer.gate.Scores;
import io.tidemill.trainer.gate.Scoring;
import io.tidemill.trainer.gate.Suite;
import io.tidemill.trainer.rollout.RewardHackingException;
import io.tidemill.trainer.rollout.RolloutPrompt;
import io.tidemill.trainer.slice.SliceReader;
import io.tidemill.trainer.stage.DivergedException;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.StageRunner;
import io.tidemill.trainer.stage.StepListener;
import io.tidemill.trainer.stage.StepMemoryException;
import io.tidemill.trainer.stage.StepReport;
import io.tidemill.trainer.stage.TokenizedAnswer;
import io.tidemill.trainer.stage.TokenizedPair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One round, from its frozen plan to a version in the store.
 *
 * <pre>
 *   slice ── examples ── pretrain ── sft ── preference ── rating ── rollout ── candidate ── gate ─┬─ promoted: the whole version
 *                                     └ diverged ─────────────────────┴─ refused: manifest and card
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
    private final SliceReader slices;
    private final ExampleReader reader;
    private final ScoreCache scores;
    private final VersionWriter versions;
    private final RoundReporter reporter;
    private final RoundControl control;
    private final Arithmetic arithmetic;
    private final LongSupplier nanoClock;

    RoundRunner(
            CheckpointStore store,
            SliceReader slices,
            ExampleReader reader,
            ScoreCache scores,
            VersionWriter versions,
            RoundReporter reporter,
            RoundControl control,
            Arithmetic arithmetic,
            LongSupplier nanoClock) {
        this.store = store;
        this.slices = slices;
        this.reader = reader;
        this.scores = scores;
        this.versions = versions;
        this.reporter = reporter;
        this.control = control;
        this.arithmetic = arithmetic;
        this.nanoClock = nanoClock;
    }

    /** The examples of a slice, with the number of records by partition. */
    private record Input(RoundExamples examples, Map<TopicPartition, Long> records) {}

    /** Examples as the stages take them, after those that no stage can take were put aside. */
    private record Prepared(
            RoundExamples examples,
            List<TokenizedPair> pairs,
            List<TokenizedAnswer> ratings,
            List<RolloutPrompt> prompts,
            Optional<ChatEncoder> encoder,
            List<TokenizedPair> heldOutPairs,
            HeldOut heldOut) {}

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
                + " half of that: set shorter rows (trainer.pretrain.length, trainer.sft.length) or shorter answers, take a"
                + " smaller base model, or give the process more memory, and start the trainer again.";
    }

    private CheckpointEvent runOnce(RoundPlan plan, WorkDirectory work, Lineage lineage) throws IOException {
        RoundSettings settings = plan.settings();
        Path parent = store.directory(plan.parentId());
        Map<String, Double> metrics = new TreeMap<>();
        long start = nanoClock.getAsLong();

        Input input = read(plan, lineage);
        try (Tokenizer tokenizer = Tokenizer.load(parent);
                LanguageModel champion = LanguageModel.load(parent, settings.compute());
                Later masters = masters(plan, champion)) {
            Prepared prepared =
                    prepare(plan, input.examples(), tokenizer, champion.config().maxPositions());
            reporter.examples(prepared.examples().counts(), prepared.examples().firstFeedback());

            VersionWriter.Draft draft = new VersionWriter.Draft(
                    plan,
                    prepared.examples(),
                    input.records(),
                    champion.config().parameterCount(),
                    metrics,
                    work.microBatch());
            try (Trainee trainee = trainee(plan, masters.get())) {
                train(plan, work, prepared, champion, tokenizer, trainee, metrics);
                try (LanguageModel trained = trainee.end()) {
                    metrics.put("training_seconds", (nanoClock.getAsLong() - start) * 1e-9);
                    return judge(prepared, champion, trained, trainee, rewardModel(plan, work), tokenizer, draft);
                }
            } catch (DivergedException | RewardHackingException e) {
                LOG.error("round={} {}", plan.round(), e.getMessage());
                return refuse(
                        draft,
                        GateVerdict.newBuilder().setSummary(e.getMessage()).build());
            }
        }
    }

    /** The champion's float32 weights: its own, where they are published as such, and then no second copy. */
    private Later masters(RoundPlan plan, LanguageModel champion) {
        Path masters = store.masters(plan.parentId());
        return masters.equals(store.directory(plan.parentId()))
                ? Later.borrowed(champion)
                : new Later(masters, plan.settings().compute());
    }

    private static Trainee trainee(RoundPlan plan, LanguageModel masters) {
        Optional<LoraConfig> adapter = plan.settings().adapter().lora();
        return adapter.isPresent()
                ? Trainee.adapter(masters, adapter.get().withBaseModel(plan.parent()), plan.seed())
                : Trainee.whole(masters, plan.settings().compute());
    }

    /** Refuses a round that cannot be run at all, so that one bad record does not hold all others back for ever. */
    CheckpointEvent giveUp(RoundPlan plan, String reason) throws IOException {
        long parameters = store.manifest(plan.parentId()).event().getParameters();
        VersionWriter.Draft draft = new VersionWriter.Draft(
                plan, RoundExamples.NONE, Map.of(), parameters, new TreeMap<>(), MicroBatch.of(plan.settings()));
        return refuse(draft, GateVerdict.newBuilder().setSummary(reason).build());
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    private Input read(RoundPlan plan, Lineage lineage) throws IOException {
        ExampleSet seen = new ExampleSet();
        for (VersionId ancestor : lineage.ancestry()) {
            Ledger.addTo(seen, store.directory(ancestor).resolve(CheckpointStore.STATE));
        }
        ExampleCollector collector = new ExampleCollector(reader, seen, plan.seed());
        Map<TopicPartition, Long> records = slices.read(plan.slice(), collector::add);
        RoundExamples examples = collector.finish();

        long read = records.values().stream().mapToLong(Long::longValue).sum();
        long counted =
                examples.counts().values().stream().mapToLong(Long::longValue).sum();
        if (read != counted) {
            throw new IllegalStateException("Slice " + plan.slice() + " holds " + read + " records, but what became of "
                    + counted + " is known: " + examples.counts());
        }
        return new Input(examples, records);
    }

    private Prepared prepare(RoundPlan plan, RoundExamples examples, Tokenizer tokenizer, int maxPositions)
            throws IOException {
        Path parent = store.directory(plan.parentId());
        Map<String, String> asides = new HashMap<>(); // example id → what became of it instead
        Optional<ChatEncoder> encoder = encoder(parent, tokenizer);
        List<TokenizedPair> pairs = tokenize(
                examples.pairs(),
                PairExample::exampleId,
                TokenizedPair::of,
                TokenizedPair::length,
                encoder,
                maxPositions,
                asides);
        List<TokenizedAnswer> ratings = tokenize(
                examples.ratings(),
                RatedExample::exampleId,
                TokenizedAnswer::of,
                TokenizedAnswer::length,
                encoder,
                maxPositions,
                asides);

        List<RolloutPrompt> prompts = tokenize(
                examples.prompts(),
                PromptExample::exampleId,
                (prompt, chat) -> RolloutPrompt.of(prompt.exampleId(), prompt.prompt(), prompt.rewardData(), chat),
                prompt -> prompt.tokens().length,
                encoder,
                RoundRollouts.room(plan, maxPositions),
                asides);

        int length = windowLength(plan, maxPositions);
        HeldOut heldOut = HeldOut.read(parent.resolve(CheckpointStore.STATE))
                .with(
                        examples.heldOutSequences(),
                        examples.heldOutPreferences(),
                        length,
                        plan.settings().gate().limits());
        List<TokenizedPair> heldOutPairs = tokenize(
                heldOut.pairs().stream().map(PairExample::of).toList(),
                PairExample::exampleId,
                TokenizedPair::of,
                TokenizedPair::length,
                encoder,
                maxPositions,
                new HashMap<>());
        return new Prepared(examples.without(asides), pairs, ratings, prompts, encoder, heldOutPairs, heldOut);
    }

    /** A model without a chat template learns from text alone. */
    private static Optional<ChatEncoder> encoder(Path directory, Tokenizer tokenizer) {
        try {
            return Optional.of(new ChatEncoder(tokenizer, ChatTemplate.load(directory)));
        } catch (IOException | IllegalArgumentException e) {
            LOG.warn("Preferences are left out, for the model has no usable chat template: {}", e.getMessage());
            return Optional.empty();
        }
    }

    private static <E, T> List<T> tokenize(
            List<E> examples,
            Function<E, String> id,
            BiFunction<E, ChatEncoder, T> tokens,
            ToIntFunction<T> length,
            Optional<ChatEncoder> encoder,
            int maxPositions,
            Map<String, String> asides) {
        List<T> tokenized = new ArrayList<>();
        for (E example : examples) {
            if (encoder.isEmpty()) {
                asides.put(id.apply(example), Stages.WITHOUT_OBJECTIVE);
                continue;
            }
            try {
                T one = tokens.apply(example, encoder.get());
                if (length.applyAsInt(one) <= maxPositions) {
                    tokenized.add(one);
                } else {
                    asides.put(id.apply(example), Stages.TOO_LONG);
                }
            } catch (RuntimeException e) { // templates are programs: what they throw has no common type
                LOG.warn("Preference {} is left out: {}", id.apply(example), e.getMessage());
                asides.put(id.apply(example), Stages.UNREADABLE);
            }
        }
        return tokenized;
    }

    /** Predicted tokens of a held-out window; one more token goes before them. */
    private static int windowLength(RoundPlan plan, int maxPositions) {
        return Math.max(1, Math.min(plan.settings().pretrain().length(), maxPositions - 1));
    }

    // ---- training ---------------------------------------------------------------------------------------------------

    /** Runs the stages, or those that are left of them. */
    private void train(
            RoundPlan plan,
            WorkDirectory work,
            Prepared prepared,
            LanguageModel champion,
            Tokenizer tokenizer,
            Trainee trainee,
            Map<String, Double> metrics)
            throws IOException {
        StageRunner runner =
                new StageRunner(work, new Listener(metrics), plan.settings().saveEvery(), nanoClock);
        MicroBatch microBatch = work.microBatch();
        Optional<String> saved = work.stage().filter(RoundStages.NAMES::contains); // others are of an older program
        if (saved.isEmpty()) {
            rewardModel(plan, work).train(prepared.pairs(), champion, (stage, learner) -> {
                reporter.stage(stage.name(), stage.steps());
                metrics.put(stage.name() + "_steps", (double) stage.steps());
                inMemory(stage, () -> runner.run(stage, arithmetic.learner().apply(learner), microBatch.callSize()));
            });
        }
        try (RoundRollouts rollouts = new RoundRollouts(
                plan, work.path(), rewardModel(plan, work).directory(), champion, tokenizer, prepared.encoder())) {
            RoundStages stages = stages(plan, work, prepared, champion, rollouts, metrics);
            learn(plan, work, stages, saved, runner, trainee, metrics);
        }
    }

    /** @param savedStage the one that was saved last, with what came before it in it */
    private void learn(
            RoundPlan plan,
            WorkDirectory work,
            RoundStages stages,
            Optional<String> savedStage,
            StageRunner runner,
            Trainee trainee,
            Map<String, Double> metrics)
            throws IOException {
        MicroBatch microBatch = work.microBatch();
        Optional<String> saved = savedStage;
        for (String name : RoundStages.NAMES) {
            if (saved.isPresent() && !saved.get().equals(name)) {
                continue; // its result is contained in the state of the stage that was saved
            }
            Stage<DecoderLearner> stage = stages.stage(name);
            if (stage.steps() == 0) {
                continue;
            }
            saved = Optional.empty();
            metrics.put(name + "_tokens", (double) stage.tokens());
            metrics.put(name + "_steps", (double) stage.steps());
            reporter.stage(name, stage.steps());
            inMemory(
                    stage,
                    () -> trainee.learn(
                            stage.optimizer().adamW(),
                            name.equals(Stages.ROLLOUT)
                                    && plan.settings().rollout().needsCritic(),
                            learner -> runner.run(stage, arithmetic.learner().apply(learner), microBatch.callSize())));
        }
    }

    private static void inMemory(Stage<?> stage, Runnable run) {
        try {
            run.run();
        } catch (StepMemoryException e) {
            throw new MicroBatchException(
                    RoundStages.part(stage.name()), stage.longest(), e.getMessage(), (NativeMemoryException)
                            e.getCause());
        }
    }

    private RoundRewardModel rewardModel(RoundPlan plan, WorkDirectory work) {
        return new RoundRewardModel(plan, store.directory(plan.parentId()), work.path());
    }

    /** Asks a model for the gate. */
    private Scoring scoring(LanguageModel model, int atOnce) {
        return sequences -> {
            try {
                return arithmetic.scorer().logProbabilities(model, sequences, atOnce);
            } catch (NativeMemoryException e) {
                int longest = sequences.stream()
                        .mapToInt(sequence -> sequence.length)
                        .max()
                        .orElse(0);
                throw new MicroBatchException(MicroBatch.Part.GATE, longest, "The gate: " + e.getMessage(), e);
            }
        };
    }

    private RoundStages stages(
            RoundPlan plan,
            WorkDirectory work,
            Prepared prepared,
            LanguageModel champion,
            RoundRollouts rollouts,
            Map<String, Double> metrics)
            throws IOException {
        int atOnce = work.microBatch().referenceTokens();
        References references = new References(
                work,
                plan.parent(),
                plan.settings().loggedReferences(),
                texts -> answers(champion, texts, atOnce),
                () -> {
                    control.check();
                    reporter.preparing("reference", "log-probabilities under " + plan.parent());
                },
                metrics);
        return new RoundStages(
                plan,
                prepared.examples(),
                prepared.pairs(),
                prepared.ratings(),
                prepared.prompts(),
                rollouts,
                champion.config().maxPositions(),
                references);
    }

    private List<double[]> answers(LanguageModel model, List<PromptAnswers> texts, int atOnce) {
        try {
            return Stream.of(arithmetic.answers().logProbabilities(model, texts, atOnce))
                    .map(text -> Stream.of(text)
                            .mapToDouble(answer -> DoubleStream.of(answer).sum())
                            .toArray())
                    .toList();
        } catch (NativeMemoryException e) {
            int longest = texts.stream().mapToInt(PromptAnswers::longest).max().orElse(0);
            throw new MicroBatchException(MicroBatch.Part.REFERENCE, longest, "The reference: " + e.getMessage(), e);
        }
    }

    /** Reports steps, lets commands in between them. */
    private final class Listener implements StepListener {
        private final Map<String, Double> metrics;

        Listener(Map<String, Double> metrics) {
            this.metrics = metrics;
        }

        @Override
        public void before(Stage<?> stage, long step) {
            control.check();
        }

        @Override
        public void after(Stage<?> stage, StepReport report) {
            reporter.step(report);
            metrics.put(stage.name() + "_loss", report.loss());
            report.figures().forEach((name, value) -> metrics.put(stage.name() + "_" + name, value));
        }
    }

    // ---- judging ----------------------------------------------------------------------------------------------------

    private CheckpointEvent judge(
            Prepared prepared,
            LanguageModel champion,
            LanguageModel trained,
            Trainee trainee,
            RoundRewardModel rewardModel,
            Tokenizer tokenizer,
            VersionWriter.Draft draft)
            throws IOException {
        RoundPlan plan = draft.plan();
        reporter.phase(Phase.GATING, "comparing " + plan.version() + " with " + plan.parent());
        Path aside = store.aside(plan.versionId());
        try {
            trained.save(aside, plan.settings().published());
            trainee.saveBeside(aside);
            VersionFiles.copyCompanions(store.directory(plan.parentId()), aside);
            Probe probe = Probe.of(aside, tokenizer);
            try (LanguageModel candidate =
                    LanguageModel.load(aside, plan.settings().compute())) {
                Optional<String> flaw =
                        flaw(probe, trained, candidate, plan.settings().published());
                if (flaw.isPresent()) {
                    return refuse(
                            draft,
                            GateVerdict.newBuilder().setSummary(flaw.get()).build());
                }
                Judgement judgement = verdict(draft, prepared, champion, candidate, tokenizer);
                draft.metrics().putAll(judgement.figures());
                rewardModel.accuracy(prepared.heldOutPairs()).ifPresent(accuracy -> draft.metrics()
                        .put("reward_model_accuracy", accuracy));
                if (!judgement.verdict().getPassed()) {
                    return refuse(draft, judgement.verdict());
                }
                reporter.phase(Phase.PUBLISHING, judgement.verdict().getSummary());
                Path state = Files.createDirectory(aside.resolve(CheckpointStore.STATE));
                if (plan.settings().published() != WeightType.FLOAT32) {
                    trained.save(state.resolve("masters"), WeightType.FLOAT32);
                }
                Ledger.write(state, prepared.examples().ledger());
                prepared.heldOut().write(state);
                rewardModel.saveBeside(aside);
                probe.write(aside);
                return versions.publish(aside, draft, VersionState.PROMOTED, judgement.verdict());
            }
        } finally {
            Durable.deleteTree(aside);
        }
    }

    private CheckpointEvent refuse(VersionWriter.Draft draft, GateVerdict verdict) throws IOException {
        Path aside = store.aside(draft.plan().versionId());
        try {
            return versions.publish(aside, draft, VersionState.REFUSED, verdict);
        } finally {
            Durable.deleteTree(aside);
        }
    }

    /** What was written must be what was trained. */
    private static Optional<String> flaw(
            Probe probe, LanguageModel trained, LanguageModel written, WeightType published) {
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

    private Judgement verdict(
            VersionWriter.Draft draft,
            Prepared prepared,
            LanguageModel champion,
            LanguageModel candidate,
            Tokenizer tokenizer)
            throws IOException {
        RoundPlan plan = draft.plan();
        int atOnce = draft.microBatch().gateTokens();
        RoundSettings.GateSettings gate = plan.settings().gate();
        LossSuite heldOut = new LossSuite(
                "held-out-loss", prepared.heldOut().windows(), gate.heldOutMargin(), gate.minimumWindows());
        LossSuite oldData = new LossSuite(
                "old-data-loss",
                OldData.windows(
                        store.manifest(plan.parentId()).base(),
                        gate.oldData(),
                        tokenizer,
                        windowLength(plan, champion.config().maxPositions()),
                        gate.maximumOldDataWindows()),
                gate.oldDataMargin(),
                gate.minimumWindows());
        PreferenceSuite preferences = new PreferenceSuite(
                "preference-accuracy", prepared.heldOutPairs(), gate.preferenceMargin(), gate.minimumPairs());

        List<Suite> suites =
                oldData.windows().isEmpty() ? List.of(heldOut, preferences) : List.of(heldOut, oldData, preferences);
        Runnable between = () -> {
            control.check();
            reporter.tick();
        };
        List<Gate.Measured> measured = new ArrayList<>();
        for (Suite suite : suites) {
            Scores before = scores.score(plan.parent(), suite, () -> scoring(champion, atOnce), between);
            Scores after = scores.score(plan.version(), suite, () -> scoring(candidate, atOnce), between);
            measured.add(Gate.Measured.withChampion(suite, before, after));
        }
        if (plan.pinnedId().isPresent()) {
            measured.addAll(sincePinned(draft, plan.pinnedId().get(), List.copyOf(measured), between));
        }
        GateVerdict verdict = new Gate(gate.statistics()).judge(measured, plan.seed());
        return new Judgement(verdict, figures(measured));
    }

    /** The same suites once more, against an ancestor: many small steps down, each within its margin, add up. */
    private List<Gate.Measured> sincePinned(
            VersionWriter.Draft draft, VersionId pinned, List<Gate.Measured> withChampion, Runnable between)
            throws IOException {
        RoundPlan plan = draft.plan();
        int atOnce = draft.microBatch().gateTokens();
        double factor = plan.settings().gate().pinnedMargins();
        List<Gate.Measured> measured = new ArrayList<>();
        try (Later ancestor = new Later(store.directory(pinned), plan.settings().compute())) {
            for (Gate.Measured one : withChampion) {
                Scores before =
                        scores.score(pinned.toString(), one.suite(), () -> scoring(ancestor.get(), atOnce), between);
                measured.add(
                        new Gate.Measured(one.suite(), pinned.toString(), factor * one.margin(), before, one.after()));
            }
        }
        return measured;
    }

    /** A model that is loaded when it is asked for, if it ever is. */
    private static final class Later implements Supplier<LanguageModel>, AutoCloseable {
        private final Path directory;
        private final ComputeType compute;
        private final boolean borrowed;
        private LanguageModel model;

        Later(Path directory, ComputeType compute) {
            this(directory, compute, null);
        }

        private Later(Path directory, ComputeType compute, LanguageModel borrowed) {
            this.directory = directory;
            this.compute = compute;
            this.borrowed = borrowed != null;
            this.model = borrowed;
        }

        /** One that somebody else closes. */
        static Later borrowed(LanguageModel model) {
            return new Later(null, model.computeType(), model);
        }

        @Override
        public LanguageModel get() {
            if (model == null) {
                model = LanguageModel.load(directory, compute);
            }
            return model;
        }

        @Override
        public void close() {
            if (model != null && !borrowed) {
                model.close();
            }
        }
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
