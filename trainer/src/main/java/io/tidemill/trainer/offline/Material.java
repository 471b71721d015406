package io.tidemill.trainer.offline;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.WeightType;
import io.tidemill.trainer.offline.data.DataException;
import io.tidemill.trainer.offline.data.DataReader.Data;
import io.tidemill.trainer.offline.data.Example;
import io.tidemill.trainer.offline.data.Mistake;
import io.tidemill.trainer.offline.data.Mistakes;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a stage is made of.
 *
 * @param model directory that the run starts from
 * @param work  directory of the run, for what a stage keeps itself
 */
record Material(Recipe recipe, Path model, Path work, Data data, Mistakes mistakes, Counts counts) {
    /** Makes tokens of one example. */
    @FunctionalInterface
    interface Tokenize<T> {
        T of(Example example) throws Mistake;
    }

    <T> List<T> training(Tokenize<T> tokenize) {
        List<T> tokenized = tokenized(data.training(), tokenize);
        if (tokenized.isEmpty() && mistakes.count() == 0) {
            throw new DataException("train_data holds no example; nothing was started.");
        }
        if (tokenized.isEmpty()) {
            throw new DataException(
                    "No example is left to train on; nothing was started.\n  " + String.join("\n  ", mistakes.first()));
        }
        counts.add("train_examples", tokenized.size());
        return tokenized;
    }

    <T> List<T> evaluation(Tokenize<T> tokenize) {
        List<T> tokenized = tokenized(data.evaluation(), tokenize);
        if (!tokenized.isEmpty()) {
            counts.add("eval_examples", tokenized.size());
        }
        return tokenized;
    }

    private <T> List<T> tokenized(List<Example> examples, Tokenize<T> tokenize) {
        List<T> tokenized = new ArrayList<>();
        for (Example example : examples) {
            try {
                tokenized.add(tokenize.of(example));
            } catch (Mistake mistake) {
                mistakes.add(example.origin().place(), mistake);
            }
        }
        return tokenized;
    }

    /**
     * Tokens that an example may have.
     *
     * @param context tokens that the model can read
     */
    int maxLength(int context) {
        return recipe.find(Keys.MAX_LENGTH)
                .map(length -> (int) Math.min(length, context))
                .orElse(context);
    }

    boolean truncates() {
        return recipe.get(Keys.TRUNCATION).equals("truncate");
    }

    /** The length of an example that is too long is a mistake, or counted where it is truncated. */
    void tooLong(int length, int most) throws Mistake {
        if (!truncates()) {
            throw new Mistake(
                    "too-long",
                    "it has " + length + " tokens, more than the " + most
                            + " of max_length; shorten it, raise max_length up to the model's context, or set truncation:"
                            + " truncate");
        }
        counts.add("truncated", 1);
    }

    /** The adapter that the recipe asks for. */
    LoraConfig lora() {
        int rank = recipe.get(Keys.LORA_RANK).intValue();
        LoraConfig config = LoraConfig.of(rank, recipe.find(Keys.LORA_ALPHA).orElse(2.0 * rank))
                .on(recipe.get(Keys.LORA_TARGETS))
                .withBaseModel(recipe.get(Keys.MODEL_PATH));
        return recipe.get(Keys.LORA_STABILISED) ? config.withRankStabilised() : config;
    }

    ComputeType compute() {
        String said = recipe.get(Keys.COMPUTE_TYPE);
        return said.equals("auto") ? ComputeType.best() : ComputeType.valueOf(said.toUpperCase(Locale.ROOT));
    }

    WeightType weightType() {
        return WeightType.valueOf(recipe.get(Keys.SAVE_TYPE).toUpperCase(Locale.ROOT));
    }
}
