package io.tidemill.trainer.offline;

import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.offline.recipe.RecipeException;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.stage.OptimizerSettings;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** How a recipe wants the weights moved. */
final class Optimizers {
    private Optimizers() {}

    /** @param usualRate learning rate where the recipe names none */
    static OptimizerSettings of(Recipe recipe, double usualRate, long steps) {
        long warmup = recipe.get(Keys.WARMUP_STEPS);
        double share = warmup > 0 ? Math.min(1, (double) warmup / steps) : recipe.get(Keys.WARMUP_RATIO);
        return new OptimizerSettings(
                recipe.find(Keys.LEARNING_RATE).orElse(usualRate),
                share,
                decay(recipe),
                recipe.get(Keys.MAX_GRAD_NORM),
                recipe.get(Keys.BETA1),
                recipe.get(Keys.BETA2),
                recipe.get(Keys.EPSILON),
                recipe.get(Keys.WEIGHT_DECAY));
    }

    static Decay decay(Recipe recipe) {
        String said = recipe.get(Keys.SCHEDULER).toLowerCase(Locale.ROOT);
        String name = said.equals("constant_with_warmup") ? "constant" : said;
        List<String> names = Arrays.stream(Decay.values())
                .map(decay -> decay.name().toLowerCase(Locale.ROOT))
                .toList();
        if (!names.contains(name)) {
            throw new RecipeException(
                    "lr_scheduler_type must be one of " + String.join(", ", names) + ", but was '" + said + "'.");
        }
        return Decay.valueOf(name.toUpperCase(Locale.ROOT));
    }
}
