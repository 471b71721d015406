package io.tidemill.trainer.offline;

import io.tidemill.model.engine.ParameterGroups;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Nearest;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.offline.recipe.RecipeException;
import io.tidemill.trainer.optimizer.Curve;
import io.tidemill.trainer.optimizer.Curve.StableThenDecay.Shape;
import io.tidemill.trainer.stage.OptimizerSettings;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** How a recipe wants the weights moved. */
final class Optimizers {
    private Optimizers() {}

    /** A curve with what the rate falls to, as a share of the peak. */
    private record Fall(Curve curve, double floorShare) {}

    /**
     * @param usualRate learning rate where the recipe names none
     * @throws RecipeException for a schedule, or a parameter of one, that there is not
     */
    static OptimizerSettings of(Recipe recipe, double usualRate, long steps) {
        String name = recipe.get(Keys.SCHEDULER).toLowerCase(Locale.ROOT).replace('-', '_');
        if (!Curve.NAMES.contains(name)) {
            throw new RecipeException(
                    "lr_scheduler_type must be one of " + String.join(", ", Curve.NAMES) + ", but was '"
                            + recipe.get(Keys.SCHEDULER) + "'"
                            + Nearest.to(name, Curve.NAMES)
                                    .map(nearest -> "; did you mean " + nearest + "?")
                                    .orElse("."));
        }
        double rate = recipe.find(Keys.LEARNING_RATE).orElse(usualRate);
        Fall fall = fall(name, recipe.get(Keys.SCHEDULER_ARGUMENTS), rate, steps);
        long warmup = recipe.get(Keys.WARMUP_STEPS);
        double share = warmup > 0 ? Math.min(1, (double) warmup / steps) : recipe.get(Keys.WARMUP_RATIO);
        try {
            return new OptimizerSettings(
                    rate,
                    name.equals("constant") ? 0 : share, // as transformers, whose constant has no warm-up
                    fall.curve,
                    recipe.get(Keys.MAX_GRAD_NORM),
                    recipe.get(Keys.BETA1),
                    recipe.get(Keys.BETA2),
                    recipe.get(Keys.EPSILON),
                    recipe.get(Keys.WEIGHT_DECAY),
                    fall.floorShare,
                    groups(recipe));
        } catch (IllegalArgumentException e) {
            throw new RecipeException("The recipe: " + e.getMessage());
        }
    }

    private static ParameterGroups groups(Recipe recipe) {
        return new ParameterGroups(
                recipe.get(Keys.LAYER_DECAY),
                recipe.get(Keys.HEAD_FACTOR),
                recipe.get(Keys.FREEZE_EMBEDDINGS),
                recipe.get(Keys.FREEZE_LAYERS).intValue(),
                recipe.get(Keys.FREEZE),
                recipe.get(Keys.NO_DECAY));
    }

    /** Parameters are those of transformers' schedules, by its names. */
    private static Fall fall(String name, Map<String, String> given, double rate, long steps) {
        Arguments arguments = new Arguments("lr_scheduler_kwargs", name, given);
        Curve usual = Curve.named(name, steps);
        Fall fall;
        try {
            fall = switch (name) {
                case "cosine_with_min_lr" -> {
                    Optional<Double> least = arguments.number("min_lr");
                    Optional<Double> share = arguments.number("min_lr_rate");
                    if (least.isPresent() == share.isPresent()) {
                        throw new RecipeException(
                                "lr_scheduler_kwargs of " + name + " must have min_lr or min_lr_rate.");
                    }
                    yield new Fall(usual, share.orElseGet(() -> least.get() / rate));
                }
                case "cosine_with_restarts" ->
                    new Fall(
                            new Curve.CosineWithRestarts(
                                    arguments.number("num_cycles").orElse(1.0).intValue()),
                            0);
                case "polynomial" ->
                    new Fall(
                            new Curve.Polynomial(arguments.number("power").orElse(1.0)),
                            arguments.number("lr_end").orElse(1e-7) / rate);
                case "inverse_sqrt" ->
                    new Fall(
                            new Curve.InverseSquareRoot(
                                    arguments.number("timescale").orElse(0.0).longValue()),
                            0);
                case "warmup_stable_decay" ->
                    new Fall(
                            new Curve.StableThenDecay(
                                    arguments
                                            .number("num_decay_steps")
                                            .orElse(Math.max(1, Math.rint(0.1 * steps)))
                                            .longValue(),
                                    shape(arguments)),
                            arguments.number("min_lr_ratio").orElse(0.0));
                default -> new Fall(usual, 0);
            };
        } catch (IllegalArgumentException e) {
            throw new RecipeException("lr_scheduler_kwargs of " + name + ": " + e.getMessage() + ".");
        }
        arguments.checkAllUsed();
        return fall;
    }

    private static Shape shape(Arguments arguments) {
        String said = arguments.text("decay_type").orElse("cosine");
        return switch (said) {
            case "linear" -> Shape.LINEAR;
            case "cosine" -> Shape.COSINE;
            case "1-sqrt" -> Shape.ONE_MINUS_SQRT;
            default ->
                throw new IllegalArgumentException("decay_type must be linear, cosine or 1-sqrt, but was " + said);
        };
    }
}
