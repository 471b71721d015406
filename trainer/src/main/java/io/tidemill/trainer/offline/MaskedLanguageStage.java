package io.tidemill.trainer.offline;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.encoder.EncoderEvaluation;
import io.tidemill.trainer.encoder.EncoderSettings;
import io.tidemill.trainer.encoder.EncoderText;
import io.tidemill.trainer.encoder.MaskableText;
import io.tidemill.trainer.encoder.MaskedStage;
import io.tidemill.trainer.encoder.Masking;
import io.tidemill.trainer.offline.data.Example;
import io.tidemill.trainer.offline.data.Format;
import io.tidemill.trainer.offline.data.Mistake;
import io.tidemill.trainer.offline.recipe.Key;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.StepBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Masked language modelling by an encoder of BERT's kind. A long document is cut between words into several texts. */
final class MaskedLanguageStage implements OfflineStage {
    @Override
    public String name() {
        return "masked-lm";
    }

    @Override
    public String summary() {
        return "Masked language modelling by an encoder on documents, by tokens or whole words.";
    }

    @Override
    public List<Format> formats() {
        return List.of(Format.TEXT);
    }

    @Override
    public Set<Key<?>> special() {
        return Set.of(Keys.FROM_SCRATCH, Keys.MASK_PROBABILITY, Keys.WHOLE_WORDS);
    }

    @Override
    public double learningRate() {
        return 5e-5;
    }

    @Override
    public Prepared prepare(Material material) throws IOException {
        EncoderConfig config = EncoderConfig.read(material.model().resolve("config.json"));
        int length = material.maxLength(config.maxPositions());
        try (Tokenizer tokenizer = Tokenizer.load(material.model())) {
            EncoderText texts = new EncoderText(tokenizer, length);
            Recipe recipe = material.recipe();
            Masking masking = (recipe.get(Keys.WHOLE_WORDS) ? Masking.ofWords(tokenizer) : Masking.ofTokens(tokenizer))
                    .with(recipe.get(Keys.MASK_PROBABILITY));
            Material.Tokenize<List<MaskableText>> tokenize =
                    example -> pieces((Example.Text) example, tokenizer, texts, length);
            List<MaskableText> training =
                    material.training(tokenize).stream().flatMap(List::stream).toList();
            List<MaskableText> evaluation =
                    material.evaluation(tokenize).stream().flatMap(List::stream).toList();
            return () -> open(material, training, evaluation, masking);
        }
    }

    private static List<MaskableText> pieces(Example.Text example, Tokenizer tokenizer, EncoderText texts, int length)
            throws Mistake {
        try {
            List<MaskableText> pieces = new ArrayList<>();
            StringBuilder piece = new StringBuilder();
            int tokens = 0;
            for (String word : example.text().strip().split("\\s+")) {
                int more = tokenizer.encode(word).length;
                if (tokens > 0 && tokens + more > length - 2) {
                    pieces.add(texts.maskable(example.origin().id() + "/" + pieces.size(), piece.toString()));
                    piece.setLength(0);
                    tokens = 0;
                }
                piece.append(piece.isEmpty() ? "" : " ").append(word);
                tokens += more;
            }
            pieces.add(texts.maskable(example.origin().id() + "/" + pieces.size(), piece.toString()));
            return pieces;
        } catch (IllegalArgumentException e) {
            throw new Mistake("not-tokenized", e.getMessage());
        }
    }

    private Job<EncoderLearner> open(
            Material material, List<MaskableText> training, List<MaskableText> evaluation, Masking masking)
            throws IOException {
        Recipe recipe = material.recipe();
        long seed = recipe.get(Keys.SEED);
        int rows = recipe.get(Keys.BATCH).intValue();
        EpochStage<EncoderLearner, MaskableText> stage = new EpochStage<>(
                name(),
                training,
                MaskableText::exampleId,
                seed,
                recipe.get(Keys.EPOCHS),
                recipe.get(Keys.MAX_STEPS),
                (ordered, epoch) -> {
                    OptimizerSettings unused = Optimizers.of(recipe, learningRate(), 1);
                    EncoderSettings settings = new EncoderSettings(unused, ObjectiveStage.ofStep(recipe), rows, 1);
                    List<StepBatch<EncoderLearner>> steps = MaskedStage.of(
                                    name(), ordered, masking, settings, seed + epoch)
                            .batches();
                    return steps;
                },
                steps -> Optimizers.of(recipe, learningRate(), steps));
        EncoderModel start = recipe.get(Keys.FROM_SCRATCH)
                ? EncoderModel.random(
                        EncoderConfig.read(material.model().resolve("config.json")), seed, material.compute())
                : EncoderModel.load(material.model(), material.compute());
        EncoderPupil pupil = EncoderPupil.of(start, material, stage.optimizer().adamW());
        Optional<Function<EncoderLearner, EncoderEvaluation>> judge = evaluation.isEmpty()
                ? Optional.empty()
                : Optional.of(learner -> EncoderEvaluation.ofMasked(evaluation, masking, seed, learner::maskedLosses));
        return new EncoderJob(stage, pupil, List.of("loss", "perplexity", "masked_tokens"), judge);
    }
}
