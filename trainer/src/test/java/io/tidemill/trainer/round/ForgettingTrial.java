package io.tidemill.trainer.round;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.base.Corpus;
import io.tidemill.model.base.CorpusDocument;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.data.Packer;
import io.tidemill.trainer.data.TrainingSequence;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.FixedStage;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.SequenceSettings;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.StageRunner;
import io.tidemill.trainer.stage.StageState;
import io.tidemill.trainer.stage.StepListener;
import io.tidemill.trainer.stage.StepReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * How much of its old text the embedded base forgets when three rounds teach it something narrow, with replay and with an
 * anchor to each round's champion; without Kafka, by the same stage and the same choice by ids. Figures go to
 * docs/experiments.md.
 *
 * <pre>  ForgettingTrial share:l2:kl …  </pre>
 */
final class ForgettingTrial {
    private static final int TOKENS = 100;
    private static final int DOCUMENTS = 40;
    private static final int ROUNDS = 3;
    private static final int WINDOWS = 60;

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

    private ForgettingTrial() {}

    public static void main(String[] arguments) throws IOException {
        Threads.intraOp(1);
        Path directory = Files.createTempDirectory("forgetting-").resolve("base");
        BaseModel.extractTo(directory);
        try (Tokenizer tokenizer = Tokenizer.load(directory);
                Stream<CorpusDocument> training = Corpus.training();
                Stream<CorpusDocument> heldOut = Corpus.heldOut()) {
            List<TrainingSequence> old =
                    sequences("old", training.limit(DOCUMENTS).map(CorpusDocument::text), tokenizer);
            List<int[]> oldTest =
                    sequences("test", heldOut.limit(WINDOWS).map(CorpusDocument::text), tokenizer).stream()
                            .map(TrainingSequence::ids)
                            .toList();
            List<int[]> newTest =
                    narrow(99, tokenizer).stream().map(TrainingSequence::ids).toList();
            System.out.println("share l2 kl | old and new text before | after each round; nats per token");
            for (String arm : arguments) {
                String[] parts = arm.split(":");
                run(
                        directory,
                        tokenizer,
                        old,
                        oldTest,
                        newTest,
                        Double.parseDouble(parts[0]),
                        new MixtureSettings.Anchor(Double.parseDouble(parts[1]), Double.parseDouble(parts[2])));
            }
        }
    }

    private static void run(
            Path directory,
            Tokenizer tokenizer,
            List<TrainingSequence> old,
            List<int[]> oldTest,
            List<int[]> newTest,
            double share,
            MixtureSettings.Anchor anchor) {
        LanguageModel champion = LanguageModel.load(directory, ComputeType.FLOAT32);
        StringBuilder line = new StringBuilder(String.format(
                Locale.ROOT,
                "%.1f %5.0f %.1f | %s",
                share,
                anchor.l2(),
                anchor.kl(),
                losses(champion, oldTest, newTest)));
        List<TrainingSequence> learned = new ArrayList<>();
        for (int round = 0; round <= ROUNDS; round++) {
            List<TrainingSequence> fresh = round == 0 ? old : narrow(round, tokenizer);
            int again = Math.toIntExact(Math.round(fresh.size() * share / (1 - share)));
            List<TrainingSequence> all = new ArrayList<>(fresh);
            all.addAll(new ExampleOrder(17 + round).first(again, learned, TrainingSequence::exampleId));
            OptimizerSettings optimizer = new OptimizerSettings(3e-4, 0.1, Decay.COSINE, 1, 0.9, 0.95, 1e-8, 0.01);
            var stage = FixedStage.ofSequences(
                    "pretrain",
                    all,
                    new SequenceSettings(optimizer, 4, 128, 1, 1),
                    Packer.Policy.CUT,
                    champion.maxPositions(),
                    round);
            LanguageModel before = champion;
            try (Trainee<LanguageModel, ?> trainee = learn(before, stage, anchor)) {
                champion = trainee.end();
            }
            before.close();
            learned.addAll(fresh);
            line.append(" | ").append(losses(champion, oldTest, newTest));
        }
        champion.close();
        System.out.println(line);
    }

    private static Trainee<LanguageModel, ?> learn(
            LanguageModel champion, Stage<DecoderLearner> stage, MixtureSettings.Anchor anchor) {
        var trainee = Trainee.whole(champion, ComputeType.FLOAT32, anchor);
        trainee.learn(
                stage.optimizer().adamW(), false, learner -> new StageRunner(UNSAVED, SILENT, 1000, System::nanoTime)
                        .run(stage, learner, CallSize.UNLIMITED));
        return trainee;
    }

    private static String losses(LanguageModel model, List<int[]> old, List<int[]> narrow) {
        return String.format(Locale.ROOT, "%.3f %.3f", loss(model, old), loss(model, narrow));
    }

    private static double loss(LanguageModel model, List<int[]> sequences) {
        double sum = 0;
        long tokens = 0;
        for (float[] one : model.logProbabilities(sequences, 2048)) {
            for (float logP : one) {
                sum -= logP;
                tokens++;
            }
        }
        return sum / tokens;
    }

    /** A bookkeeper's lines, of which the base knows nothing. */
    private static List<TrainingSequence> narrow(int seed, Tokenizer tokenizer) {
        Random random = new Random(seed);
        return sequences(
                "ledger-" + seed,
                Stream.generate(() -> {
                            StringBuilder text = new StringBuilder();
                            int balance = random.nextInt(500);
                            for (int i = 0; i < 12; i++) {
                                int amount = 1 + random.nextInt(90);
                                balance += amount;
                                text.append("Item ")
                                        .append(i)
                                        .append(": received ")
                                        .append(amount)
                                        .append(", balance ")
                                        .append(balance)
                                        .append(".\n");
                            }
                            return text.toString();
                        })
                        .limit(DOCUMENTS),
                tokenizer);
    }

    private static List<TrainingSequence> sequences(String name, Stream<String> texts, Tokenizer tokenizer) {
        List<TrainingSequence> sequences = new ArrayList<>();
        texts.forEach(text -> {
            int[] ids = tokenizer.encode(text);
            sequences.add(TrainingSequence.of(
                    name + "-" + sequences.size(), Arrays.copyOf(ids, Math.min(TOKENS, ids.length))));
        });
        return sequences;
    }
}
