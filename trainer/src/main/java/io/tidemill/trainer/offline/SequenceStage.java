package io.tidemill.trainer.offline;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.data.PackedExamples;
import io.tidemill.trainer.data.Packer;
import io.tidemill.trainer.data.TrainingSequence;
import io.tidemill.trainer.offline.data.Example;
import io.tidemill.trainer.offline.data.Format;
import io.tidemill.trainer.offline.data.Mistake;
import io.tidemill.trainer.offline.recipe.Key;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.stage.StepBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Causal language modelling: documents, of which all is learned, or conversations, of which the answers are. */
final class SequenceStage implements OfflineStage {
    static final SequenceStage PRETRAIN = new SequenceStage(
            "pretrain",
            "Causal language modelling on documents, from weights that are there or from scratch.",
            List.of(Format.TEXT),
            5e-5,
            Packer.Policy.CUT);
    static final SequenceStage SFT = new SequenceStage(
            "sft",
            "Supervised fine-tuning on chats, prompts with completions, or instructions; the answers are learned.",
            List.of(Format.MESSAGES, Format.CONVERSATIONS, Format.PROMPT_COMPLETION, Format.INSTRUCTION, Format.TEXT),
            2e-5,
            Packer.Policy.WHOLE);

    private final String name;
    private final String summary;
    private final List<Format> formats;
    private final double learningRate;
    private final Packer.Policy policy;

    private SequenceStage(
            String name, String summary, List<Format> formats, double learningRate, Packer.Policy policy) {
        this.name = name;
        this.summary = summary;
        this.formats = formats;
        this.learningRate = learningRate;
        this.policy = policy;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String summary() {
        return summary;
    }

    @Override
    public List<Format> formats() {
        return formats;
    }

    @Override
    public Set<Key<?>> special() {
        return policy.cuts()
                ? Set.of(Keys.PACKING, Keys.NEFTUNE, Keys.FROM_SCRATCH, Keys.CONFIG_OVERRIDES)
                : Set.of(Keys.PACKING, Keys.NEFTUNE);
    }

    @Override
    public double learningRate() {
        return learningRate;
    }

    @Override
    public Prepared prepare(Material material) throws IOException {
        ModelConfig config = DecoderPupil.config(material.recipe(), material.model());
        int length = material.maxLength(config.maxPositions());
        try (Texts texts = new Texts(material.model())) {
            Material.Tokenize<TrainingSequence> tokenize = example -> tokenize(example, texts, material, length);
            List<TrainingSequence> training = material.training(tokenize);
            List<TrainingSequence> evaluation = material.evaluation(tokenize);
            return () -> open(material, training, evaluation, length);
        }
    }

    private TrainingSequence tokenize(Example example, Texts texts, Material material, int length) throws Mistake {
        TrainingSequence sequence;
        if (example instanceof Example.Text text) {
            sequence = texts.document(text);
        } else if (example instanceof Example.Chat chat) {
            sequence = texts.chat(chat);
        } else {
            sequence = texts.completion((Example.Completion) example);
        }
        if (sequence.ids().length > length && !policy.cuts()) { // documents go on in the next row
            material.tooLong(sequence.ids().length, length);
            sequence = truncated(sequence, length);
        }
        if (sequence.targets() == 0) {
            throw new Mistake(
                    "nothing-to-learn",
                    "no token of it would be learned within " + length
                            + " tokens; shorten what comes before the answer, or raise max_length");
        }
        return sequence;
    }

    private static TrainingSequence truncated(TrainingSequence sequence, int length) {
        boolean[] mask = sequence.lossMask();
        return new TrainingSequence(
                sequence.exampleId(),
                Arrays.copyOf(sequence.ids(), length),
                mask.length == 0 ? mask : Arrays.copyOf(mask, length),
                sequence.weight());
    }

    private Job<DecoderLearner> open(
            Material material, List<TrainingSequence> training, List<TrainingSequence> evaluation, int length)
            throws IOException {
        Recipe recipe = material.recipe();
        int rows = recipe.get(Keys.BATCH).intValue();
        int microBatches = recipe.get(Keys.ACCUMULATION).intValue();
        boolean packing = recipe.find(Keys.PACKING).orElse(policy.cuts());
        EpochStage<DecoderLearner, TrainingSequence> stage = new EpochStage<>(
                name,
                training,
                TrainingSequence::exampleId,
                recipe.get(Keys.SEED),
                recipe.get(Keys.EPOCHS),
                recipe.get(Keys.MAX_STEPS),
                (ordered, epoch) -> {
                    List<PackedExamples> batches = packing
                            ? new Packer(rows, length, policy).packWithOrigins(ordered)
                            : padded(windows(ordered, length), rows);
                    return StepBatch.groups(batches, microBatches).stream()
                            .<StepBatch<DecoderLearner>>map(SequenceStage::step)
                            .toList();
                },
                steps -> Optimizers.of(recipe, learningRate, steps));
        DecoderPupil pupil = DecoderPupil.open(material, stage.optimizer().adamW(), DecoderPupil.Head.SPEECH);
        pupil.learner().noiseEmbeddings(recipe.get(Keys.NEFTUNE), recipe.get(Keys.SEED));
        return new SequenceJob(stage, pupil, windows(evaluation, length));
    }

    private static StepBatch.Sequences step(List<PackedExamples> group) {
        return new StepBatch.Sequences(
                group,
                group.stream().mapToLong(each -> each.batch().lossTokens()).sum());
    }

    /** Each sequence cut into pieces of at most {@code length} positions, every target once, as {@link Packer} does. */
    private static List<TrainingSequence> windows(List<TrainingSequence> sequences, int length) {
        List<TrainingSequence> windows = new ArrayList<>();
        for (TrainingSequence sequence : sequences) {
            int positions = sequence.ids().length - 1;
            for (int from = 0; from < positions; from += length) {
                int end = Math.min(positions, from + length) + 1;
                boolean[] mask = sequence.lossMask();
                TrainingSequence window = new TrainingSequence(
                        sequence.exampleId(),
                        Arrays.copyOfRange(sequence.ids(), from, end),
                        mask.length == 0 ? mask : Arrays.copyOfRange(mask, from, end),
                        sequence.weight());
                if (window.targets() > 0) {
                    windows.add(window);
                }
            }
        }
        return windows;
    }

    /** One example a row, padded to the longest of its batch. */
    private static List<PackedExamples> padded(List<TrainingSequence> sequences, int rows) {
        return StepBatch.groups(sequences, rows).stream()
                .map(SequenceStage::padded)
                .toList();
    }

    private static PackedExamples padded(List<TrainingSequence> rows) {
        int length = rows.stream().mapToInt(row -> row.ids().length - 1).max().orElseThrow();
        int[][] ids = new int[rows.size()][length];
        int[][] targets = new int[rows.size()][length];
        int[][] segments = new int[rows.size()][length];
        for (int row = 0; row < rows.size(); row++) {
            TrainingSequence sequence = rows.get(row);
            Arrays.fill(targets[row], PackedBatch.IGNORED);
            for (int position = 0; position + 1 < sequence.ids().length; position++) {
                ids[row][position] = sequence.ids()[position];
                segments[row][position] = 1;
                if (learns(sequence, position + 1)) {
                    targets[row][position] = sequence.ids()[position + 1];
                }
            }
        }
        return new PackedExamples(
                new PackedBatch(ids, targets, segments),
                rows.stream().map(TrainingSequence::exampleId).distinct().toList());
    }

    private static boolean learns(TrainingSequence sequence, int index) {
        return sequence.lossMask().length == 0 || sequence.lossMask()[index];
    }

    /** Runs over sequences and is judged by its loss on others. */
    private static final class SequenceJob extends DecoderJob {
        private final List<TrainingSequence> evaluation;

        SequenceJob(EpochStage<DecoderLearner, ?> stage, DecoderPupil pupil, List<TrainingSequence> evaluation) {
            super(stage, pupil);
            this.evaluation = evaluation;
        }

        @Override
        public List<String> figures() {
            return evaluation.isEmpty() ? List.of() : List.of("loss", "perplexity", "tokens");
        }

        @Override
        public Evaluation evaluate() {
            List<PromptAnswers> texts = evaluation.stream()
                    .map(sequence -> new PromptAnswers(
                            new int[] {sequence.ids()[0]},
                            List.of(Arrays.copyOfRange(sequence.ids(), 1, sequence.ids().length))))
                    .toList();
            double[][][] logProbabilities = learner().logProbabilities(texts);
            double nats = 0;
            long tokens = 0;
            for (int i = 0; i < evaluation.size(); i++) {
                for (int t = 0; t < logProbabilities[i][0].length; t++) {
                    if (learns(evaluation.get(i), t + 1)) {
                        nats -= logProbabilities[i][0][t];
                        tokens++;
                    }
                }
            }
            Map<String, Double> figures = new LinkedHashMap<>();
            figures.put("loss", nats / tokens);
            figures.put("perplexity", Math.exp(nats / tokens));
            figures.put("tokens", (double) tokens);
            return new Evaluation(figures, "");
        }
    }
}
