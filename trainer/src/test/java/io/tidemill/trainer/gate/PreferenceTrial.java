package io.tidemill.trainer.gate;

import io.tidemill.model.base.Corpus;
import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.base.DemoNovel;
import io.tidemill.model.base.GrammarCorrections;
import io.tidemill.model.base.GrammarCorrections.Correction;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.data.LoggedAnswer;
import io.tidemill.trainer.data.Packer;
import io.tidemill.trainer.data.PairExample;
import io.tidemill.trainer.data.TrainingSequence;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.stage.FixedStage;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.PairStage;
import io.tidemill.trainer.stage.PairStage.Reference;
import io.tidemill.trainer.stage.PreferenceSettings;
import io.tidemill.trainer.stage.SequenceSettings;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.StageRunner;
import io.tidemill.trainer.stage.StageState;
import io.tidemill.trainer.stage.StepListener;
import io.tidemill.trainer.stage.StepReport;
import io.tidemill.trainer.stage.TokenizedPair;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Tries settings of the demo's rounds without Kafka, on a split of its own.
 *
 * <p>The demo's exam takes no part: what {@code exam} holds out is put aside first, and {@code development} splits the
 * rest anew. So the demo measures on pairs that chose nothing. Figures go to docs/experiments.md.
 *
 * <pre>  PreferenceTrial MODEL-DIR exam=SALT development=SALT rounds=2 [learning-rate=1.5e-4] [beta=0.3] …  </pre>
 */
final class PreferenceTrial {
    private static final double SHARE = 0.12;

    /** More than the demo holds out: settings differ by less than 900 pairs can tell. */
    private static final double DEVELOPMENT_SHARE = 0.3;

    private static final int PAIRS_A_ROUND = 1000;
    private static final int WINDOW = 256;
    private static final int RESAMPLES = 2000;

    private static final StageState UNSAVED = new StageState() {
        @Override
        public Saved resume(String stage, Learner learner) {
            return Saved.NONE;
        }

        @Override
        public void save(String stage, long step, Map<String, Double> memory, Learner learner) {}
    };

    private static final StepListener SILENT = new StepListener() {
        @Override
        public void before(Stage<?> stage, long step) {}

        @Override
        public void after(Stage<?> stage, StepReport report) {}
    };

    private PreferenceTrial() {}

    public static void main(String[] arguments) throws IOException {
        Map<String, String> given = new HashMap<>();
        for (String argument : List.of(arguments).subList(1, arguments.length)) {
            given.put(argument.substring(0, argument.indexOf('=')), argument.substring(argument.indexOf('=') + 1));
        }
        Path directory = Path.of(arguments[0]);
        Threads.intraOp(1);
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            run(directory, tokenizer, new Settings(given));
        }
    }

    /** What was given on the command line, with the trainer's defaults for the rest. */
    private record Settings(Map<String, String> given) {
        String text(String key, String otherwise) {
            return given.getOrDefault(key, otherwise);
        }

        double number(String key, double otherwise) {
            return given.containsKey(key) ? Double.parseDouble(given.get(key)) : otherwise;
        }

        PreferenceSettings preference() {
            return new PreferenceSettings(
                    optimizer(number("learning-rate", 1.5e-4), Decay.LINEAR, 0),
                    text("objective", "dpo"),
                    parameters(),
                    (int) number("pairs", 16),
                    (int) number("epochs", 1));
        }

        /** Those of dpo by default; what begins with "objective." of another. */
        private Map<String, String> parameters() {
            Map<String, String> parameters = new HashMap<>();
            given.forEach((key, value) -> {
                if (key.startsWith("objective.")) {
                    parameters.put(key.substring("objective.".length()), value);
                }
            });
            return parameters.isEmpty() && text("objective", "dpo").equals("dpo")
                    ? Map.of("beta", "0.3", "supervised-weight", "1")
                    : parameters;
        }

        SequenceSettings pretrain() {
            return new SequenceSettings(
                    optimizer(number("pretrain-learning-rate", 3e-4), Decay.COSINE, 0.01), 8, WINDOW, 1, (int)
                            number("pretrain-epochs", 1));
        }

        private static OptimizerSettings optimizer(double peak, Decay decay, double weightDecay) {
            return new OptimizerSettings(peak, 0.1, decay, 1.0, 0.9, 0.95, 1e-8, weightDecay);
        }
    }

    private static void run(Path directory, Tokenizer tokenizer, Settings settings) throws IOException {
        ChatEncoder chats = new ChatEncoder(tokenizer, ChatTemplate.load(directory));
        SplitFunction exam = new SplitFunction(settings.text("exam", "demo-2"), SHARE);
        SplitFunction development = new SplitFunction(settings.text("development", "development"), DEVELOPMENT_SHARE);
        List<TokenizedPair> learned = new ArrayList<>();
        List<TokenizedPair> heldOut = new ArrayList<>();
        for (Correction correction : GrammarCorrections.all()) {
            if (exam.of(correction.ruleId()) == Split.TRAIN) {
                boolean held = development.of(correction.ruleId()) == Split.HELD_OUT;
                (held ? heldOut : learned).add(tokenized(correction, chats));
            }
        }
        Collections.shuffle(learned, new Random(1));

        List<TrainingSequence> novel = new ArrayList<>();
        List<Window> novelHeldOut = new ArrayList<>();
        for (CorpusDocument passage : DemoNovel.documents().toList()) {
            if (exam.of(passage.id()) == Split.TRAIN && development.of(passage.id()) == Split.TRAIN) {
                novel.add(new TrainingSequence(passage.id(), withEnd(passage, tokenizer), new boolean[0], 1));
            } else if (exam.of(passage.id()) == Split.TRAIN) {
                novelHeldOut.addAll(windows(passage, tokenizer));
            }
        }
        List<Window> old;
        try (Stream<CorpusDocument> documents = Corpus.heldOut()) {
            old = new ExampleOrder(0x6f6c_6464L)
                    .first(
                            150,
                            documents
                                    .flatMap(document -> windows(document, tokenizer).stream())
                                    .toList(),
                            Window::id);
        }
        PreferenceSuite accuracy = new PreferenceSuite("preference-accuracy", heldOut, 0.02, 1);
        LossSuite novelLoss = new LossSuite("held-out-loss", novelHeldOut, 0.02, 1);
        LossSuite oldLoss = new LossSuite("old-data-loss", old, 0.1, 1);

        ComputeType compute = ComputeType.best();
        StageRunner stages = new StageRunner(UNSAVED, SILENT, Integer.MAX_VALUE, System::nanoTime);
        LanguageModel current = LanguageModel.load(directory, compute);
        Scores first = score(accuracy, current);
        double oldBefore = score(oldLoss, current).mean();
        double novelBefore = score(novelLoss, current).mean();
        System.out.printf(
                Locale.ROOT,
                "%s pairs=%d start accuracy=%.1f old=%.3f novel=%.3f%n",
                new TreeMap<>(settings.given()),
                heldOut.size(),
                100 * first.mean(),
                oldBefore,
                novelBefore);
        int rounds = (int) settings.number("rounds", 1);
        for (int round = 0; round < rounds; round++) {
            long start = System.nanoTime();
            LanguageModel champion = current;
            List<TokenizedPair> pairs = learned.subList(round * PAIRS_A_ROUND, (round + 1) * PAIRS_A_ROUND);
            List<TrainingSequence> passages = novel.subList(novel.size() * round / 4, novel.size() * (round + 1) / 4);
            Stage<DecoderLearner> pretrain =
                    FixedStage.ofSequences("pretrain", passages, settings.pretrain(), Packer.Policy.CUT, 1024, 1);
            LanguageModel read = stages.run(pretrain, champion, compute);
            double oldBetween = score(oldLoss, read).mean();
            PreferenceSettings preference = settings.preference();
            Stage<DecoderLearner> learnPairs = PairStage.of(
                    "preference",
                    pairs,
                    references(pairs, champion),
                    preference.newObjective(),
                    preference.optimizer(),
                    preference.pairs(),
                    preference.epochs(),
                    1);
            LanguageModel trained = stages.run(learnPairs, read, compute);
            read.close();
            champion.close();
            current = trained;

            Scores after = score(accuracy, current);
            PairedBootstrap bootstrap = PairedBootstrap.of(first, after, RESAMPLES, 1);
            Interval interval = Interval.ofPercentiles(bootstrap.differences());
            System.out.printf(
                    Locale.ROOT,
                    "  round %d accuracy=%.1f since start %+.1f [%+.1f, %+.1f] old %+.3f then %+.3f novel %+.3f"
                            + " seconds=%.0f%n",
                    round + 1,
                    100 * after.mean(),
                    100 * (after.mean() - first.mean()),
                    100 * interval.low(),
                    100 * interval.high(),
                    oldBetween - oldBefore,
                    score(oldLoss, current).mean() - oldBefore,
                    score(novelLoss, current).mean() - novelBefore,
                    (System.nanoTime() - start) * 1e-9);
        }
        current.close();
    }

    private static TokenizedPair tokenized(Correction correction, ChatEncoder chats) {
        PairExample pair = new PairExample(
                correction.id(),
                List.of(ChatMessage.user("Write this sentence in correct English.")),
                correction.corrected(),
                correction.original(),
                1,
                LoggedAnswer.NONE,
                LoggedAnswer.NONE);
        return TokenizedPair.of(pair, chats);
    }

    private static int[] withEnd(CorpusDocument document, Tokenizer tokenizer) {
        return IntStream.concat(IntStream.of(tokenizer.encode(document.text())), IntStream.of(tokenizer.endOfText()))
                .toArray();
    }

    private static List<Window> windows(CorpusDocument document, Tokenizer tokenizer) {
        TokenSequence sequence = TokenSequence.newBuilder()
                .setExampleId(document.id())
                .addAllIds(IntStream.of(withEnd(document, tokenizer)).boxed().toList())
                .setTextBytes(document.text().length())
                .build();
        return Window.cut(sequence, WINDOW);
    }

    private static Scores score(Suite<Scoring> suite, LanguageModel model) {
        int n = suite.weights().length;
        double[] values = new double[n];
        for (int from = 0; from < n; from += 128) {
            int[] part = IntStream.range(from, Math.min(n, from + 128)).toArray();
            System.arraycopy(
                    DoubleStream.of(suite.score(model::logProbabilities, part))
                            .map(suite::value)
                            .toArray(),
                    0,
                    values,
                    from,
                    part.length);
        }
        return new Scores(values, suite.weights());
    }

    private static List<Reference> references(List<TokenizedPair> pairs, LanguageModel champion) {
        List<Reference> references = new ArrayList<>();
        for (int from = 0; from < pairs.size(); from += 64) {
            List<TokenizedPair> some = pairs.subList(from, Math.min(pairs.size(), from + 64));
            List<float[]> logProbabilities = champion.logProbabilities(TokenizedPair.texts(some));
            for (int i = 0; i < some.size(); i++) {
                references.add(new Reference(
                        some.get(i).answerLogProbability(logProbabilities.get(2 * i)),
                        some.get(i).answerLogProbability(logProbabilities.get(2 * i + 1))));
            }
        }
        return references;
    }
}
