package io.tidemill.trainer.offline;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.LabelWeights;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.encoder.ClassWeights;
import io.tidemill.trainer.encoder.EncoderEvaluation;
import io.tidemill.trainer.encoder.EncoderExample;
import io.tidemill.trainer.encoder.EncoderSettings;
import io.tidemill.trainer.encoder.EncoderText;
import io.tidemill.trainer.encoder.LabelStage;
import io.tidemill.trainer.offline.data.Example;
import io.tidemill.trainer.offline.data.Format;
import io.tidemill.trainer.offline.data.Mistake;
import io.tidemill.trainer.offline.recipe.Key;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.offline.recipe.RecipeException;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.StepBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** Labels of texts, one or several each, or a score, by an encoder of BERT's kind. */
final class ClassificationStage implements OfflineStage {

    @Override
    public String name() {
        return "classification";
    }

    @Override
    public String summary() {
        return "Sequence classification by an encoder: one label a text, several, or a score.";
    }

    @Override
    public List<Format> formats() {
        return List.of(Format.TEXT_LABELS, Format.TEXT_LABEL);
    }

    @Override
    public Set<Key<?>> special() {
        return Set.of(Keys.LABELS, Keys.PROBLEM_TYPE, Keys.CLASS_WEIGHTS);
    }

    @Override
    public double learningRate() {
        return 2e-5;
    }

    @Override
    public Prepared prepare(Material material) throws IOException {
        Recipe recipe = material.recipe();
        EncoderConfig start = EncoderConfig.read(material.model().resolve("config.json"));
        int length = material.maxLength(start.maxPositions());
        Problem problem = problem(material);
        List<String> labels = labels(material, problem);
        try (Tokenizer tokenizer = Tokenizer.load(material.model())) {
            EncoderText texts = new EncoderText(tokenizer, length);
            Material.Tokenize<EncoderExample> tokenize =
                    example -> tokenize((Example.Labelled) example, texts, material, length, problem, labels);
            List<EncoderExample> training = material.training(tokenize);
            List<EncoderExample> evaluation = material.evaluation(tokenize);
            LabelWeights weights = weights(recipe, training, labels, problem);
            return () -> open(material, training, evaluation, problem, labels, weights);
        }
    }

    private static Problem problem(Material material) {
        return Problem.of(material.recipe().get(Keys.PROBLEM_TYPE))
                .orElseGet(() -> material.data().training().stream()
                                .map(example -> (Example.Labelled) example)
                                .anyMatch(Example.Labelled::several)
                        ? Problem.MULTIPLE
                        : Problem.SINGLE);
    }

    /** Those of the recipe, or those that occur, numbers by their size. */
    private static List<String> labels(Material material, Problem problem) {
        if (problem == Problem.SCORE) {
            return List.of("score");
        }
        Optional<List<String>> said = material.recipe().find(Keys.LABELS);
        if (said.isPresent()) {
            if (new HashSet<>(said.get()).size() != said.get().size()) {
                throw new RecipeException("labels names one twice: " + said.get() + ".");
            }
            return said.get();
        }
        Set<String> found =
                new TreeSet<>(Comparator.<String>comparingInt(String::length).thenComparing(Comparator.naturalOrder()));
        boolean numbers = true;
        for (Example example : material.data().training()) {
            for (String label : ((Example.Labelled) example).labels()) {
                found.add(label);
                numbers &= label.matches("\\d{1,9}");
            }
        }
        return numbers ? List.copyOf(found) : List.copyOf(new TreeSet<>(found));
    }

    private static EncoderExample tokenize(
            Example.Labelled example,
            EncoderText texts,
            Material material,
            int length,
            Problem problem,
            List<String> labels)
            throws Mistake {
        EncoderInput input;
        try {
            int tokens = texts.length(example.text())
                    + example.second().map(second -> texts.length(second) - 1).orElse(0);
            if (tokens > length) {
                material.tooLong(tokens, length);
            }
            input = example.second()
                    .map(second -> texts.input(example.text(), second))
                    .orElseGet(() -> texts.input(example.text()));
        } catch (IllegalArgumentException e) {
            throw new Mistake("not-tokenized", e.getMessage());
        }
        String id = example.origin().id();
        if (problem == Problem.SCORE) {
            return EncoderExample.scored(id, input, score(example));
        }
        Set<Integer> right = new HashSet<>();
        for (String label : example.labels()) {
            right.add(index(label, labels));
        }
        if (problem == Problem.SINGLE && right.size() != 1) {
            throw new Mistake(
                    "wrong-label",
                    "it has " + right.size() + " labels " + example.labels()
                            + ", but problem_type is single_label_classification; give one");
        }
        return EncoderExample.of(id, input, right);
    }

    private static double score(Example.Labelled example) throws Mistake {
        try {
            double score = Double.parseDouble(example.labels().get(0));
            if (Double.isFinite(score) && example.labels().size() == 1) {
                return score;
            }
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            // said below
        }
        throw new Mistake(
                "wrong-label", "its label must be a number for regression, but is " + example.labels() + "; give one");
    }

    private static int index(String label, List<String> labels) throws Mistake {
        return EncoderExample.index(labels, label)
                .orElseThrow(() -> new Mistake(
                        "wrong-label",
                        "label '" + label + "' is none of " + labels + "; mend it, or name all labels by 'labels'"));
    }

    private static LabelWeights weights(
            Recipe recipe, List<EncoderExample> training, List<String> labels, Problem problem) {
        try {
            return ClassWeights.of(recipe.get(Keys.CLASS_WEIGHTS), labels, problem, training);
        } catch (IllegalArgumentException e) {
            throw new RecipeException("class_weights " + e.getMessage() + ".");
        }
    }

    private Job<EncoderLearner> open(
            Material material,
            List<EncoderExample> training,
            List<EncoderExample> evaluation,
            Problem problem,
            List<String> labels,
            LabelWeights weights)
            throws IOException {
        Recipe recipe = material.recipe();
        EncoderModel start = labelled(material, problem, labels);
        EncoderConfig config = start.config();
        int rows = recipe.get(Keys.BATCH).intValue();
        int ofStep = ObjectiveStage.ofStep(recipe);
        EpochStage<EncoderLearner, EncoderExample> stage = new EpochStage<>(
                name(),
                training,
                EncoderExample::exampleId,
                recipe.get(Keys.SEED),
                recipe.get(Keys.EPOCHS),
                recipe.get(Keys.MAX_STEPS),
                (ordered, epoch) -> {
                    OptimizerSettings unused = Optimizers.of(recipe, learningRate(), 1);
                    List<StepBatch<EncoderLearner>> steps = LabelStage.of(
                                    name(),
                                    ordered,
                                    config,
                                    weights,
                                    new EncoderSettings(unused, ofStep, rows, 1),
                                    recipe.get(Keys.SEED) + epoch)
                            .batches();
                    return steps;
                },
                steps -> Optimizers.of(recipe, learningRate(), steps));
        EncoderPupil pupil = EncoderPupil.of(start, material, stage.optimizer().adamW());
        Optional<Function<EncoderLearner, EncoderEvaluation>> judge = evaluation.isEmpty()
                ? Optional.empty()
                : Optional.of(learner -> EncoderEvaluation.ofLabels(config, evaluation, learner::labelLogits));
        List<String> figures = new ArrayList<>(List.of("loss"));
        figures.addAll(
                problem == Problem.SCORE
                        ? List.of("mse", "mae", "pearson")
                        : List.of("accuracy", "f1_macro", "f1_micro", "f1_weighted"));
        if (problem == Problem.SINGLE && labels.size() == 2) {
            figures.addAll(List.of("f1", "precision", "recall"));
        }
        return new EncoderJob(stage, pupil, figures, judge);
    }

    /** With its own head where that is for the same labels, else with a new one. */
    private static EncoderModel labelled(Material material, Problem problem, List<String> labels) {
        EncoderModel model = EncoderModel.load(material.model(), material.compute());
        EncoderConfig config = model.config();
        boolean same = config.head() == EncoderConfig.Head.LABELS
                && config.labels().equals(labels)
                && config.problem() == problem;
        if (same) {
            return model;
        }
        try (model) {
            return model.withLabels(labels, problem, material.recipe().get(Keys.SEED));
        }
    }
}
