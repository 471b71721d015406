package io.tidemill.trainer.offline;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.objective.ObjectiveDescription;
import io.tidemill.trainer.offline.data.Mistake;
import io.tidemill.trainer.offline.recipe.Key;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.offline.recipe.RecipeException;
import io.tidemill.trainer.stage.OptimizerSettings;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.DoubleStream;

/** What stages over judged answers have in common. */
abstract class ObjectiveStage implements OfflineStage {
    private final ObjectiveDescription objective;

    ObjectiveStage(ObjectiveDescription objective) {
        this.objective = objective;
    }

    @Override
    public String name() {
        return objective.name();
    }

    @Override
    public String summary() {
        return objective.summary() + ".";
    }

    @Override
    public Set<Key<?>> special() {
        return Set.of(Keys.OBJECTIVE_PARAMETERS);
    }

    @Override
    public double learningRate() {
        return objective.name().equals("reward") ? 1e-4 : 1e-6;
    }

    /** The objective with the recipe's parameters; their names may have underscores. */
    <T> T make(Recipe recipe, BiFunction<String, Map<String, String>, T> factory) {
        Map<String, String> parameters = new LinkedHashMap<>();
        recipe.get(Keys.OBJECTIVE_PARAMETERS).forEach((name, value) -> parameters.put(name.replace('_', '-'), value));
        try {
            return factory.apply(objective.name(), parameters);
        } catch (IllegalArgumentException e) {
            throw new RecipeException("objective: " + e.getMessage());
        }
    }

    OptimizerSettings optimizer(Recipe recipe, long steps) {
        return Optimizers.of(recipe, learningRate(), steps);
    }

    /** Examples of an optimizer step. */
    static int ofStep(Recipe recipe) {
        return (int) (recipe.get(Keys.BATCH) * recipe.get(Keys.ACCUMULATION));
    }

    /** An answer that may stand behind that prompt; its end is cut where it is too long and may be truncated. */
    static int[] fitting(int[] prompt, int[] answer, int length, Material material) throws Mistake {
        if (prompt.length + answer.length <= length) {
            return answer;
        }
        if (material.truncates() && prompt.length >= length) {
            throw new Mistake(
                    "too-long",
                    "its prompt alone has " + prompt.length + " tokens, and max_length is " + length
                            + ", so no answer has room; shorten it, or raise max_length");
        }
        material.tooLong(prompt.length + answer.length, length);
        return Arrays.copyOf(answer, length - prompt.length);
    }

    /** For each text the log-probability of each answer as the learner is now; nats. */
    static double[][] sums(DecoderLearner learner, List<PromptAnswers> texts) {
        return Arrays.stream(learner.logProbabilities(texts))
                .map(answers -> Arrays.stream(answers)
                        .mapToDouble(tokens -> DoubleStream.of(tokens).sum())
                        .toArray())
                .toArray(double[][]::new);
    }

    /** Arrays without a number for each answer, for what a model does not say. */
    static double[][][] nothing(double[][][] like) {
        return Arrays.stream(like).map(answers -> new double[answers.length][0]).toArray(double[][][]::new);
    }
}
