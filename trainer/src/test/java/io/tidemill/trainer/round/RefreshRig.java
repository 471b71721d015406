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
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatTemplate;
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
import io.tidemill.trainer.data.PairExample;
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
import io.tidemill.trainer.stage.TokenizedPair;
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
import java.util.function.Consumer;
import java.util.stream.DoubleStream;
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
     * @param agreementMargin as the setting; with 1, the default, agreement decides nothing
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
            int threads,
            double agreementMargin) {
        /** The gate at its full size, on a model of half a million weights. */
        static final Size SMALL = new Size(2, 64, 1_200_000, 500, 200, 60, 48, 64, 1, 1);

        /** The gate at its full size, on the model that the product brings. */
        static final Size EMBEDDED = new Size(0, 0, 0, 500, 200, 60, 48, 64, 1, 1);

        /** Some seconds a refresh on a busy machine, for the build. */
        static final Size TEST = new Size(2, 64, 500_000, 80, 100, 20, 16, 32, 1, 0.9);

        boolean embedded() {
            return layers == 0;
        }
    }

    /**
     * How champion and candidate rank pairs that neither gate nor round has seen: the harm that was really done.
     *
     * @param pairs        so many
     * @param before       share that the champion ranks as given
     * @param after        share that the candidate does
     * @param marginBefore mean log-probability a token of the better answer less that of the worse, of the champion; nats
     * @param marginAfter  of the candidate
     * @param marginSpread standard deviation over pairs of the difference of the two
     */
    record Harm(int pairs, double before, double after, double marginBefore, double marginAfter, double marginSpread) {}

    /** @param harm of the last round; empty where it was not asked for, or nothing came to be compared */
    record Outcome(List<CheckpointEvent> events, Optional<Harm> harm) {}

    /** Tokens that a window of text predicts. */
    private static final int WINDOW = 64;

    /** Of pairs for {@link Harm}. */
    private static final int UNSEEN = 2000;

    private final Size size;
    private final Path directory;
    private final CheckpointStore store;
    private final TopicCatalogue topics = new TopicCatalogue("refresh.");
    private final MemoryLog log = new MemoryLog();
    private final List<Correction> corrections = new ArrayList<>();
    private final List<CorpusDocument> texts = new ArrayList<>();
    private final Tokenizer tokenizer;
    private final ChatEncoder encoder;
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
        this.encoder = new ChatEncoder(tokenizer, ChatTemplate.load(base));
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
                                new GatePolicy.Drift("", 32, 48, 20, 0.35, 0.25, size.agreementMargin()),
                                List.of(),
                                List.of(),
                                true),
                        0,
                        0),
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
        send(pair(number, flipped).toBuilder().setSplit(split).build());
    }

    private void send(Preference pair) {
        log.send(topics.preferences().name(), pair.getExampleId(), pair);
    }

    private Preference pair(int number, boolean flipped) {
        Correction correction = corrections.get(number % corrections.size());
        // A model of half a million weights cannot learn grammar, but whether the tide comes.
        boolean easy = !size.embedded() && number % 4 != 0;
        String right = easy ? "The tide comes in " + number + " times." : correction.corrected();
        String wrong = easy ? "Nothing ever does, " + number + " of them." : correction.original();
        return flipped ? pair(number, wrong, right) : pair(number, right, wrong);
    }

    private static Preference pair(int number, String better, String worse) {
        return Preference.newBuilder()
                .setExampleId(Ids.exampleId(List.of("pair-" + number), "dpo", 0))
                .addMessages(ChatMessage.newBuilder().setRole("user").setContent(QUESTION))
                .setPair(Pair.newBuilder()
                        .setChosen(Answer.newBuilder().setText(better))
                        .setRejected(Answer.newBuilder().setText(worse)))
                .setWeight(1)
                .build();
    }

    /** The same examples whatever the seed; which pairs are flipped follows from it. */
    private Slice slice(Sabotage sabotage, int round, int pairs, long seed) {
        Map<TopicPartition, Long> from = log.ends();
        Random random = new Random(seed);
        for (int i = 0; i < size.refreshTexts(); i++) {
            sendText(firstText + round * size.refreshTexts() + i, Split.TRAIN);
        }
        for (int i = 0; i < pairs; i++) {
            int number = firstPair + round * pairs + i;
            if (sabotage == Sabotage.ONLY_MISTAKES) {
                send(mistakes().get(i % mistakes().size()).toBuilder()
                        .setSplit(Split.TRAIN)
                        .build());
            } else {
                sendPair(number, Split.TRAIN, random.nextDouble() < sabotage.flippedPairs());
            }
        }
        return log.since(from);
    }

    // ---- what was really done ---------------------------------------------------------------------------------------

    private List<Preference> mistakes = List.of();
    private double[] championMargins = {};

    /** Corrections, given honestly, of which the champion likes the wrong sentence better. */
    private List<Preference> mistakes() {
        if (mistakes.isEmpty()) {
            List<Preference> asked = IntStream.range(0, UNSEEN)
                    .map(i -> corrections.size() / 2 + i)
                    .mapToObj(number -> pair(
                            number,
                            corrections.get(number).corrected(),
                            corrections.get(number).original()))
                    .toList();
            try (LanguageModel champion = LanguageModel.load(store.directory(CHAMPION), settings.compute())) {
                double[] margins = margins(champion, asked);
                mistakes = IntStream.range(0, asked.size())
                        .filter(i -> margins[i] < 0)
                        .mapToObj(asked::get)
                        .toList();
            }
        }
        return mistakes;
    }

    /** Of the same kinds as those held out. */
    private List<Preference> unseen() {
        return IntStream.range(0, UNSEEN)
                .map(i -> 3 * corrections.size() / 4 + i)
                .mapToObj(number -> pair(number, false))
                .toList();
    }

    private Harm harm(LanguageModel candidate) {
        if (championMargins.length == 0) {
            try (LanguageModel champion = LanguageModel.load(store.directory(CHAMPION), settings.compute())) {
                championMargins = margins(champion, unseen());
            }
        }
        double[] after = margins(candidate, unseen());
        double[] differences = IntStream.range(0, after.length)
                .mapToDouble(i -> after[i] - championMargins[i])
                .toArray();
        double mean = DoubleStream.of(differences).average().orElseThrow();
        double squares =
                DoubleStream.of(differences).map(x -> (x - mean) * (x - mean)).sum();
        return new Harm(
                after.length,
                accuracy(championMargins),
                accuracy(after),
                DoubleStream.of(championMargins).average().orElseThrow(),
                DoubleStream.of(after).average().orElseThrow(),
                Math.sqrt(squares / (after.length - 1)));
    }

    private static double accuracy(double[] margins) {
        return DoubleStream.of(margins)
                .map(margin -> margin > 0 ? 1 : margin == 0 ? 0.5 : 0)
                .average()
                .orElseThrow();
    }

    /** Of each pair, log-probability a token of the better answer less that of the worse; nats. */
    private double[] margins(LanguageModel model, List<Preference> asked) {
        List<TokenizedPair> pairs = asked.stream()
                .map(pair -> TokenizedPair.of(PairExample.of(pair), encoder))
                .filter(pair -> pair.length() <= model.maxPositions())
                .toList();
        List<float[]> texts = model.logProbabilities(TokenizedPair.texts(pairs), 4096);
        return IntStream.range(0, pairs.size())
                .mapToDouble(i -> {
                    TokenizedPair pair = pairs.get(i);
                    return pair.answerLogProbability(texts.get(2 * i)) / pair.chosen().length
                            - pair.answerLogProbability(texts.get(2 * i + 1)) / pair.rejected().length;
                })
                .toArray();
    }

    /** Keeps what the gate compares with the champion, as a model that is asked last. */
    private Arithmetic watched(Arithmetic arithmetic, Consumer<LanguageModel> candidate) {
        LanguageModel[] last = {null};
        return new Arithmetic(
                arithmetic.learner(),
                (model, sequences, atOnce) -> {
                    if (model != last[0]) {
                        last[0] = model;
                        candidate.accept(model);
                    }
                    return arithmetic.scorer().logProbabilities(model, sequences, atOnce);
                },
                arithmetic.answers(),
                arithmetic.encoderLearner(),
                arithmetic.encoderScoring());
    }

    // ---- rounds -----------------------------------------------------------------------------------------------------

    /**
     * Refreshes the champion, as often in a row as the sabotage takes, or until a round is refused.
     *
     * @return the event of each round; their versions are gone again
     */
    List<CheckpointEvent> refresh(Sabotage sabotage, long seed) throws IOException {
        return refresh(sabotage, seed, size.refreshPairs(), false).events();
    }

    /**
     * The same, learning from so many pairs.
     *
     * @param ask whether what was really done is asked of pairs that nobody has seen
     */
    Outcome refresh(Sabotage sabotage, long seed, int pairs, boolean ask) throws IOException {
        List<CheckpointEvent> events = new ArrayList<>();
        Harm[] harm = {null};
        VersionId parent = CHAMPION;
        Lineage before = Lineage.of(lineage.events());
        try {
            for (int round = 0; round < sabotage.rounds(); round++) {
                VersionId version = new VersionId(MODEL, 2 + round);
                long roundSeed = seed + round * 1_000_003L;
                Slice slice = slice(sabotage, round, pairs, roundSeed);
                VersionId pinned = sabotage.rounds() > 1 ? CHAMPION : BASE;
                Arithmetic arithmetic = sabotage.arithmetic(roundSeed);
                CheckpointEvent event = run(
                        version,
                        parent,
                        slice,
                        roundSeed,
                        ask ? watched(arithmetic, candidate -> harm[0] = harm(candidate)) : arithmetic,
                        pinned);
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
        return new Outcome(events, Optional.ofNullable(harm[0]));
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
                List.of(),
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
