package io.tidemill.trainer.encoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.LabelWeights;
import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.ParameterGroups;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.engine.TrainableEncoder;
import io.tidemill.model.engine.TrainableEncoderAdapter;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.FixedStage;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.Stage;
import io.tidemill.trainer.stage.StageRunner;
import io.tidemill.trainer.stage.StageState;
import io.tidemill.trainer.stage.StepBatch;
import io.tidemill.trainer.stage.StepListener;
import io.tidemill.trainer.stage.StepReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Fine-tunes a BERT on real text without Kafka and prints what it learnt. Figures go to docs/experiments.md.
 *
 * <pre>
 *   EncoderTrial labels MODEL-DIR train.jsonl test.jsonl OUTPUT [epochs=3] [texts=16] [rows=16] [length=128]
 *       [learning-rate=2e-5] [weight-decay=0.01] [seed=1] [narrow=true] [rank=0] [layer-decay=1]
 *   EncoderTrial masked MODEL-DIR train.jsonl test.jsonl OUTPUT …    the same, on the texts alone; [words=false]
 * </pre>
 *
 * <p>Lines are {"id", "text", "label"}. OUTPUT gets the start as a Hugging Face directory ({@code start}), and the ids of
 * each step ({@code batches.txt}), so that {@code bench/peers/train_encoder.py} takes the same steps.
 */
final class EncoderTrial {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int RESAMPLES = 2000;

    private static final StageState UNSAVED = new StageState() {
        @Override
        public Saved resume(String stage, Learner learner) {
            return Saved.NONE;
        }

        @Override
        public void save(String stage, long step, Map<String, Double> memory, Learner learner) {}
    };

    private record Line(String id, String text, String label) {}

    private final Map<String, String> settings = new HashMap<>();
    private final Path directory;
    private final List<Line> train;
    private final List<Line> test;
    private final Path output;
    private final EncoderText texts;
    private final Tokenizer tokenizer;

    private EncoderTrial(String... arguments) throws IOException {
        directory = Path.of(arguments[1]);
        train = lines(Path.of(arguments[2]));
        test = lines(Path.of(arguments[3]));
        output = Path.of(arguments[4]);
        for (String argument : Arrays.asList(arguments).subList(5, arguments.length)) {
            settings.put(argument.split("=", 2)[0], argument.split("=", 2)[1]);
        }
        tokenizer = Tokenizer.load(directory);
        texts = new EncoderText(tokenizer, (int) number("length", 128));
        Files.createDirectories(output);
    }

    public static void main(String... arguments) throws IOException {
        Threads.intraOp(1);
        EncoderTrial trial = new EncoderTrial(arguments);
        if (arguments[0].equals("labels")) {
            trial.labels();
        } else {
            trial.masked();
        }
    }

    private static List<Line> lines(Path file) throws IOException {
        List<Line> lines = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            JsonNode json = JSON.readTree(line);
            lines.add(new Line(
                    json.get("id").asText(),
                    json.get("text").asText(),
                    json.path("label").asText("")));
        }
        return lines;
    }

    private double number(String name, double otherwise) {
        return Double.parseDouble(settings.getOrDefault(name, Double.toString(otherwise)));
    }

    private long seed() {
        return (long) number("seed", 1);
    }

    private ComputeType type() {
        return Boolean.parseBoolean(settings.getOrDefault("narrow", "true"))
                ? ComputeType.BFLOAT16
                : ComputeType.FLOAT32;
    }

    private EncoderSettings encoder(double learningRate) {
        return new EncoderSettings(
                new OptimizerSettings(
                        number("learning-rate", learningRate),
                        0,
                        Decay.LINEAR,
                        1,
                        0.9,
                        0.999,
                        1e-8,
                        number("weight-decay", 0.01),
                        0,
                        ParameterGroups.ofLayerDecay(number("layer-decay", 1))),
                (int) number("texts", 16),
                (int) number("rows", 16),
                (int) number("epochs", 3));
    }

    private EncoderLearner learner(EncoderModel start, AdamWSettings adamW) {
        int rank = (int) number("rank", 0);
        return rank == 0
                ? TrainableEncoder.from(start, adamW)
                : TrainableEncoderAdapter.from(
                        start, LoraConfig.of(rank, 2.0 * rank).on(List.of("query", "value")), seed(), adamW);
    }

    // ---- labels -----------------------------------------------------------------------------------------------------

    private void labels() throws IOException {
        List<String> names = Stream.concat(train.stream(), test.stream())
                .map(Line::label)
                .distinct()
                .sorted()
                .toList();
        try (EncoderModel pretrained = EncoderModel.load(directory, type());
                EncoderModel start = pretrained.withLabels(names, seed())) {
            start.save(output.resolve("start"), WeightType.FLOAT32);
            FixedStage<EncoderLearner> stage = LabelStage.of(
                    "labels", examples(train, names), start.config(), LabelWeights.EQUAL, encoder(2e-5), seed());
            batches(stage);
            List<EncoderExample> judged = examples(test, names);
            try (EncoderLearner learner = learner(start, stage.optimizer().adamW())) {
                long epoch = (train.size() + (int) number("texts", 16) - 1) / (int) number("texts", 16);
                run(stage, learner, epoch, () -> {
                    EncoderEvaluation found = EncoderEvaluation.ofLabels(start.config(), judged, learner::labelLogits);
                    say("%s%s", found.table(), interval(found.figures().get("accuracy"), judged.size()));
                });
                if (learner instanceof TrainableEncoder whole) {
                    try (EncoderModel end = whole.snapshot(ComputeType.FLOAT32)) {
                        end.save(output.resolve("end"), WeightType.FLOAT32);
                    }
                }
            }
        }
    }

    private List<EncoderExample> examples(List<Line> lines, List<String> names) {
        return lines.stream()
                .map(line -> EncoderExample.of(
                        line.id(), texts.input(line.text()), java.util.Set.of(names.indexOf(line.label()))))
                .toList();
    }

    /** Wilson (1927), 95 %. */
    private static String interval(double share, int n) {
        double z = 1.96;
        double middle = (share + z * z / (2 * n)) / (1 + z * z / n);
        double half = z / (1 + z * z / n) * Math.sqrt(share * (1 - share) / n + z * z / (4.0 * n * n));
        return String.format(Locale.ROOT, "accuracy, 95 %%: %.4f to %.4f%n", middle - half, middle + half);
    }

    // ---- masks ------------------------------------------------------------------------------------------------------

    private void masked() throws IOException {
        Masking masking = Boolean.parseBoolean(settings.getOrDefault("words", "false"))
                ? Masking.ofWords(tokenizer)
                : Masking.ofTokens(tokenizer);
        List<MaskableText> learnt = maskable(train);
        List<MaskableText> judged = maskable(test);
        FixedStage<EncoderLearner> stage = MaskedStage.of("masked", learnt, masking, encoder(5e-5), seed());
        batches(stage);
        try (EncoderModel start = EncoderModel.load(directory, type());
                EncoderLearner learner = learner(start, stage.optimizer().adamW())) {
            EncoderEvaluation before = EncoderEvaluation.ofMasked(judged, masking, 0, learner::maskedLosses);
            say("before%n%s", before.table());
            run(stage, learner, stage.steps(), () -> {
                EncoderEvaluation after = EncoderEvaluation.ofMasked(judged, masking, 0, learner::maskedLosses);
                say("after%n%s%s", after.table(), difference(before, after));
            });
        }
    }

    private List<MaskableText> maskable(List<Line> lines) {
        return lines.stream()
                .map(line -> texts.maskable(line.id(), line.text()))
                .toList();
    }

    /** Paired bootstrap over texts, 95 %. */
    private static String difference(EncoderEvaluation before, EncoderEvaluation after) {
        double tokens = after.figures().get("masked_tokens");
        Random random = new Random(1);
        int n = before.losses().size();
        double[] differences = new double[RESAMPLES];
        for (int r = 0; r < RESAMPLES; r++) {
            for (int i = 0; i < n; i++) {
                int chosen = random.nextInt(n);
                differences[r] += (after.losses().get(chosen) - before.losses().get(chosen)) / tokens;
            }
        }
        Arrays.sort(differences);
        return String.format(
                Locale.ROOT,
                "difference %.4f nats per masked token, 95 %%: %.4f to %.4f%n",
                after.loss() - before.loss(),
                differences[(int) (0.025 * RESAMPLES)],
                differences[(int) (0.975 * RESAMPLES)]);
    }

    // ---- both -------------------------------------------------------------------------------------------------------

    private void batches(FixedStage<EncoderLearner> stage) throws IOException {
        Files.write(
                output.resolve("batches.txt"),
                stage.batches().stream()
                        .map(StepBatch::exampleIds)
                        .map(ids -> String.join(" ", ids))
                        .toList());
    }

    private void run(FixedStage<EncoderLearner> stage, EncoderLearner learner, long every, Runnable judge) {
        long start = System.nanoTime();
        say(
                "%d texts to learn, %d to judge by, %d steps, %s, %s",
                train.size(), test.size(), stage.steps(), type(), settings);
        new StageRunner(
                        UNSAVED,
                        new StepListener() {
                            @Override
                            public void before(Stage<?> running, long step) {}

                            @Override
                            public void after(Stage<?> running, StepReport report) {
                                say(
                                        "step=%d loss=%.5f grad_norm=%.4f lr=%.3e %s elapsed_s=%.0f",
                                        report.step(),
                                        report.loss(),
                                        report.gradientNorm(),
                                        report.learningRate(),
                                        report.figures(),
                                        (System.nanoTime() - start) * 1e-9);
                                if (report.step() % every == 0 || report.step() == stage.steps()) {
                                    judge.run();
                                }
                            }
                        },
                        Integer.MAX_VALUE,
                        System::nanoTime)
                .run(stage, learner, CallSize.UNLIMITED);
    }

    private static void say(String format, Object... values) {
        System.out.printf(Locale.ROOT, format + "%n", values);
    }
}
