package io.tidemill.trainer.round;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.base.Corpus;
import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.base.DemoNovel;
import io.tidemill.model.base.GrammarCorrections;
import io.tidemill.model.base.GrammarCorrections.Correction;
import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.Ids;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.Answer;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.TokenSequence.Objective;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Durable;
import io.tidemill.trainer.checkpoint.Lineage;
import io.tidemill.trainer.data.Packer;
import io.tidemill.trainer.data.TrainingSequence;
import io.tidemill.trainer.gate.GatePolicy;
import io.tidemill.trainer.gate.ScoreCache;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.promotion.PromotionSettings;
import io.tidemill.trainer.slice.Slice;
import io.tidemill.trainer.slice.SliceReader;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.PreferenceSettings;
import io.tidemill.trainer.stage.RatingSettings;
import io.tidemill.trainer.stage.SequenceSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicPartition;

/**
 * Refreshes of one champion without broker and service: the rounds, the gate and the store are the product's, the log is in
 * memory. Each refresh starts from the same champion and leaves nothing behind.
 *
 * <pre>  base ─ first round: the champion, with all that is held out ─┬─ refresh
 *                                                                  ├─ refresh … </pre>
 */
final class RefreshRig implements AutoCloseable {
    private static final String MODEL = "refreshed";
    private static final VersionId BASE = new VersionId(MODEL, 0);
    private static final VersionId CHAMPION = new VersionId(MODEL, 1);
    private static final String QUESTION = "Write this sentence in correct English.";

    /**
     * How much there is of everything.
     *
     * @param layers          of the model; 0 takes the embedded base as it is
     * @param hidden          its width; a multiple of 32
     * @param pretrainTokens  that it reads before its lineage begins
     * @param windows         held out
     * @param pairs           held out
     * @param probes          of the operator's
     * @param refreshTexts    that a refresh reads
     * @param refreshPairs    that a refresh learns from
     * @param threads         of libtorch
     */
    record Size(
            int layers,
            int hidden,
            long pretrainTokens,
            int windows,
            int pairs,
            int probes,
            int refreshTexts,
            int refreshPairs,
            int threads) {
        /** The gate at its full size, on a model of half a million weights. */
        static final Size SMALL = new Size(2, 64, 1_200_000, 500, 200, 60, 48, 64, 1);

        /** The gate at its full size, on the model that the product brings. */
        static final Size EMBEDDED = new Size(0, 0, 0, 500, 200, 60, 48, 64, 1);

        /** Some seconds a refresh on a busy machine, for the build. */
        static final Size TEST = new Size(2, 64, 500_000, 80, 100, 20, 16, 32, 1);

        boolean embedded() {
            return layers == 0;
        }
    }

    /** Tokens that a window of text predicts. */
    private static final int WINDOW = 64;

    private final Size size;
    private final Path directory;
    private final CheckpointStore store;
    private final TopicCatalogue topics = new TopicCatalogue("refresh.");
    private final MemoryLog log = new MemoryLog();
    private final List<Correction> corrections = new ArrayList<>();
    private final List<CorpusDocument> texts = new ArrayList<>();
    private final Tokenizer tokenizer;
    private final RoundSettings settings;
    private final RoundSettings firstSettings; // of the round that makes the champion, which is given and not judged
    private final ScoreCache scores;
    private Lineage lineage;
    private Map<TopicPartition, Long> read;

    private RefreshRig(Size size, Path directory) throws IOException {
        this.size = size;
        this.directory = directory;
        Threads.intraOp(size.threads());
        Path base = directory.resolve("base");
        Files.createDirectories(directory);
        if (!Files.exists(base)) {
            Path aside = directory.resolve("base-aside");
            Durable.deleteTree(aside);
            writeBase(aside);
            Files.move(aside, base);
        }
        this.tokenizer = Tokenizer.load(base);
        this.store = CheckpointStore.open(directory.resolve("store"), MODEL);
        this.scores = new ScoreCache(directory.resolve("scores"));
        Path probes = writeProbes();
        this.settings = settings(probes, 1);
        this.firstSettings = settings(probes, 100);
        corrections.addAll(GrammarCorrections.all());
        Collections.shuffle(corrections, new Random(11));
        collectTexts();
        begin(base);
    }

    /** Makes champion and log, or takes up those of an earlier run in the same directory. */
    static RefreshRig in(Path directory, Size size) throws IOException {
        return new RefreshRig(size, directory);
    }

    /** Passages of a novel that the model has not read, and texts like those that it has, in turn. */
    private void collectTexts() throws IOException {
        List<CorpusDocument> novel;
        List<CorpusDocument> old;
        try (Stream<CorpusDocument> passages = DemoNovel.documents();
                Stream<CorpusDocument> documents = Corpus.training()) {
            novel = new ArrayList<>(passages.toList());
            old = new ArrayList<>(documents
                    .filter(document -> !readBefore(document))
                    .limit(novel.size())
                    .toList());
        }
        Collections.shuffle(novel, new Random(12));
        Collections.shuffle(old, new Random(13));
        for (int i = 0; i < old.size(); i++) {
            texts.add(novel.get(i));
            texts.add(old.get(i));
        }
    }

    /** One of four is kept back from a model that the rig makes itself. */
    private static boolean readBefore(CorpusDocument document) {
        return Math.floorMod(document.id().hashCode(), 4) != 0;
    }

    // ---- the model --------------------------------------------------------------------------------------------------

    private void writeBase(Path base) throws IOException {
        if (size.embedded()) {
            BaseModel.extractTo(base);
            return;
        }
        BaseModel.extractRecipeTo(base);
        try (Tokenizer words = Tokenizer.load(base)) {
            ModelConfig config = new ModelConfig(
                    words.vocabularySize(),
                    size.hidden(),
                    3 * size.hidden(),
                    size.layers(),
                    size.hidden() / 32,
                    size.hidden() / 32,
                    32,
                    512,
                    10_000,
                    1e-5,
                    true,
                    0.02,
                    words.endOfText(),
                    List.of(words.endOfText()));
            try (LanguageModel random = LanguageModel.random(config, 3, ComputeType.best());
                    TrainableModel learner = TrainableModel.from(random, new AdamWSettings(0.9, 0.95, 1e-8, 0.01))) {
                read(learner, words);
                try (LanguageModel trained = learner.snapshot(ComputeType.best())) {
                    trained.save(base, WeightType.FLOAT32);
                }
            }
        }
    }

    private void read(TrainableModel learner, Tokenizer words) throws IOException {
        List<TrainingSequence> sequences = new ArrayList<>();
        long tokens = 0;
        try (Stream<CorpusDocument> documents = Corpus.training()) {
            List<CorpusDocument> all =
                    new ArrayList<>(documents.filter(RefreshRig::readBefore).toList());
            Collections.shuffle(all, new Random(4));
            for (CorpusDocument document : all) {
                int[] ids = IntStream.concat(
                                IntStream.of(words.encode(document.text())), IntStream.of(words.endOfText()))
                        .toArray();
                sequences.add(new TrainingSequence(document.id(), ids, new boolean[0], 1));
                tokens += ids.length;
                if (tokens > size.pretrainTokens()) {
                    break;
                }
            }
        }
        Collections.shuffle(sequences, new Random(5));
        List<PackedBatch> batches = new Packer(8, 128, Packer.Policy.CUT)
                .packWithOrigins(sequences).stream()
                        .map(packed -> packed.batch())
                        .toList();
        for (int step = 0; step < batches.size(); step++) {
            learner.accumulate(batches.get(step), batches.get(step).lossTokens());
            learner.clip(1);
            double done = step / (double) batches.size();
            learner.update(3e-3 * Math.min(1, 20 * done + 0.02) * (1 - 0.95 * done));
        }
    }

    // ---- settings ---------------------------------------------------------------------------------------------------

    /** The trainer's own defaults, but for lengths, and the rate of pairs of a model that is far smaller than they are for. */
    private RoundSettings settings(Path probes, double accepted) {
        OptimizerSettings text = new OptimizerSettings(3e-4, 0.1, Decay.COSINE, 1, 0.9, 0.95, 1e-8, 0.01);
        OptimizerSettings pairs =
                new OptimizerSettings(size.embedded() ? 1.5e-4 : 3e-4, 0.1, Decay.LINEAR, 1, 0.9, 0.95, 1e-8, 0);
        return new RoundSettings(
                new SequenceSettings(text, 8, WINDOW, 1, 1),
                new SequenceSettings(text, 8, WINDOW, 1, 1),
                new PreferenceSettings(pairs, "dpo", Map.of("beta", "0.3", "supervised-weight", "1"), 16, 1),
                new RatingSettings(pairs, "kto", Map.of(), 16, 1),
                new RewardModelSettings(pairs, false, Map.of(), 16, 1),
                TrainerRig.rollout("none"),
                new RoundSettings.GateSettings(
                        accepted * 0.02,
                        accepted * 0.10,
                        accepted * 0.03,
                        0.03,
                        0.1,
                        "",
                        5,
                        20,
                        size.pairs(),
                        200,
                        size.windows(),
                        150,
                        1500,
                        "",
                        2000,
                        0.05,
                        new GatePolicy(
                                List.of(probes.toString()),
                                List.of(),
                                "",
                                Math.min(1, accepted * 0.1),
                                10,
                                48,
                                new GatePolicy.Drift("", 32, 48, 20, 0.35, 0.25, Math.min(1, accepted * 0.9)),
                                List.of(),
                                List.of(),
                                true)),
                size.threads(),
                ComputeType.best(),
                WeightType.FLOAT32,
                1_000_000,
                0,
                AdapterSettings.OFF,
                TrainerRig.encoder(text),
                null);
    }

    /** Which of two continuations is the book's: what an operator would ask of a model that has read it. */
    private Path writeProbes() throws IOException {
        Path file = directory.resolve("probes.jsonl");
        List<String> beginnings = new ArrayList<>();
        List<String> ends = new ArrayList<>();
        try (Stream<CorpusDocument> documents = Corpus.training()) {
            documents
                    .map(document -> document.text().split(" ", -1))
                    .filter(words -> words.length > 40)
                    .limit(size.probes())
                    .forEach(words -> {
                        beginnings.add(String.join(" ", List.of(words).subList(0, 30)));
                        ends.add(" " + String.join(" ", List.of(words).subList(30, 36)));
                    });
        }
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < beginnings.size(); i++) {
            String other = ends.get((i + 7) % ends.size());
            lines.append(WorkDirectory.JSON.writeValueAsString(Map.of(
                            "prompt",
                            beginnings.get(i),
                            "choices",
                            other.equals(ends.get(i)) ? List.of(ends.get(i), " .") : List.of(ends.get(i), other),
                            "answer",
                            0)))
                    .append('\n');
        }
        Files.writeString(file, lines, StandardCharsets.UTF_8);
        return file;
    }

    // ---- the log ----------------------------------------------------------------------------------------------------

    private void begin(Path base) throws IOException {
        int trainedTexts = 2 * size.refreshTexts();
        int trainedPairs = 4 * size.refreshPairs();
        int text = 0;
        for (int windows = 0; windows < size.windows(); ) {
            windows += sendText(text++, Split.HELD_OUT) / WINDOW;
        }
        for (int i = 0; i < trainedTexts; i++) {
            sendText(text++, Split.TRAIN);
        }
        int pair = 0;
        for (; pair < size.pairs(); pair++) {
            sendPair(pair, Split.HELD_OUT, false);
        }
        for (; pair < size.pairs() + trainedPairs; pair++) {
            sendPair(pair, Split.TRAIN, false);
        }
        read = log.ends();
        if (!store.has(BASE)) {
            versions().importBase(base, BASE, "embedded"); // whose held-out text is the old data
        }
        lineage = Lineage.of(List.of(event(BASE)));
        if (!store.has(CHAMPION)) {
            CheckpointEvent champion = run(CHAMPION, BASE, log.since(Map.of()), 1, Arithmetic.OF_ENGINE, BASE);
            if (champion.getState() != VersionState.PROMOTED) {
                throw new IllegalStateException("The first round was refused: " + champion.getReason());
            }
        }
        lineage.add(event(CHAMPION));
        firstText = text;
        firstPair = pair;
    }

    private int firstText;
    private int firstPair;

    /** @return its tokens */
    private int sendText(int number, Split split) {
        int[] ids = IntStream.concat(
                        IntStream.of(tokenizer.encode(
                                texts.get(number % texts.size()).text())),
                        IntStream.of(tokenizer.endOfText()))
                .toArray();
        String id = Ids.exampleId(List.of("text-" + number), "causal-lm", 0);
        log.send(
                topics.tokenSequences(tokenizer.fingerprint()).name(),
                id,
                TokenSequence.newBuilder()
                        .setExampleId(id)
                        .addAllIds(IntStream.of(ids).boxed().toList())
                        .setSplit(split)
                        .setObjective(Objective.CAUSAL_LM)
                        .setWeight(1)
                        .setTextBytes(texts.get(number % texts.size()).text().length())
                        .build());
        return ids.length;
    }

    private void sendPair(int number, Split split, boolean flipped) {
        Correction correction = corrections.get(number % corrections.size());
        String id = Ids.exampleId(List.of("pair-" + number), "dpo", 0);
        // A model of half a million weights cannot learn grammar, but whether the tide comes.
        boolean easy = !size.embedded() && number % 4 != 0;
        String right = easy ? "The tide comes in " + number + " times." : correction.corrected();
        String wrong = easy ? "Nothing ever does, " + number + " of them." : correction.original();
        String better = flipped ? wrong : right;
        String worse = flipped ? right : wrong;
        log.send(
                topics.preferences().name(),
                id,
                Preference.newBuilder()
                        .setExampleId(id)
                        .addMessages(ChatMessage.newBuilder().setRole("user").setContent(QUESTION))
                        .setPair(Pair.newBuilder()
                                .setChosen(Answer.newBuilder().setText(better))
                                .setRejected(Answer.newBuilder().setText(worse)))
                        .setWeight(1)
                        .setSplit(split)
                        .build());
    }

    /** The same examples whatever the seed; which pairs are flipped follows from it. */
    private Slice slice(Sabotage sabotage, int round, long seed) {
        Map<TopicPartition, Long> from = log.ends();
        Random random = new Random(seed);
        for (int i = 0; i < size.refreshTexts(); i++) {
            sendText(firstText + round * size.refreshTexts() + i, Split.TRAIN);
        }
        for (int i = 0; i < size.refreshPairs(); i++) {
            boolean flipped = random.nextDouble() < sabotage.flippedPairs();
            sendPair(firstPair + round * size.refreshPairs() + i, Split.TRAIN, flipped);
        }
        return log.since(from);
    }

    // ---- rounds -----------------------------------------------------------------------------------------------------

    /**
     * Refreshes the champion, as often in a row as the sabotage takes, or until a round is refused.
     *
     * @return the event of each round; their versions are gone again
     */
    List<CheckpointEvent> refresh(Sabotage sabotage, long seed) throws IOException {
        List<CheckpointEvent> events = new ArrayList<>();
        VersionId parent = CHAMPION;
        Lineage before = Lineage.of(lineage.events());
        try {
            for (int round = 0; round < sabotage.rounds(); round++) {
                VersionId version = new VersionId(MODEL, 2 + round);
                long roundSeed = seed + round * 1_000_003L;
                Slice slice = slice(sabotage, round, roundSeed);
                VersionId pinned = sabotage.rounds() > 1 ? CHAMPION : BASE;
                CheckpointEvent event = run(version, parent, slice, roundSeed, sabotage.arithmetic(roundSeed), pinned);
                events.add(event);
                if (event.getState() != VersionState.PROMOTED) {
                    break;
                }
                lineage.add(event);
                parent = version;
            }
        } finally {
            for (int round = 0; round < events.size(); round++) {
                Durable.deleteTree(store.directory(new VersionId(MODEL, 2 + round)));
                scores.forget(new VersionId(MODEL, 2 + round).toString());
            }
            lineage = before;
        }
        return events;
    }

    private CheckpointEvent run(
            VersionId version, VersionId parent, Slice slice, long seed, Arithmetic arithmetic, VersionId pinned)
            throws IOException {
        RoundPlan plan = new RoundPlan(
                version.toString(),
                parent.toString(),
                pinned.equals(parent) ? "" : pinned.toString(),
                seed,
                slice,
                Slice.EMPTY,
                parent.equals(BASE) ? firstSettings : settings,
                "a refresh",
                Clock.systemUTC().millis(),
                ErasurePlan.NONE);
        Path rounds = directory.resolve("rounds");
        Durable.deleteTree(rounds);
        Files.createDirectories(rounds);
        WorkDirectory work = WorkDirectory.begin(rounds, plan);
        SliceReader slices = new SliceReader(log::consumer, System::nanoTime, Duration.ofSeconds(10));
        return new RoundRunner(
                        store,
                        new SliceExamples(
                                store,
                                slices,
                                ModelShape.read(store.directory(parent)).reader(topics, settings, parent)),
                        scores,
                        versions(),
                        new RoundReporter(MODEL, event -> {}, event -> {}, Clock.systemUTC(), System::nanoTime),
                        () -> {},
                        arithmetic,
                        System::nanoTime)
                .run(plan, work, lineage);
    }

    private VersionWriter versions() {
        return new VersionWriter(
                store,
                version -> "http://127.0.0.1/" + version,
                Optional.empty(),
                true,
                PromotionSettings.AT_ONCE,
                Clock.systemUTC());
    }

    private CheckpointEvent event(VersionId version) throws IOException {
        return store.manifest(version).announcement(store.directory(version));
    }

    @Override
    public void close() throws IOException {
        store.close();
        tokenizer.close();
    }
}
