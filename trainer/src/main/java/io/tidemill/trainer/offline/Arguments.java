package io.tidemill.trainer.offline;

import io.tidemill.trainer.offline.recipe.RecipeException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Values of a key that holds names with values, taken one by one; what is left over is not known to anybody. */
final class Arguments {
    private final String key;
    private final String taker;
    private final Map<String, String> left;

    /**
     * @param key   of the recipe
     * @param taker what takes them, for errors
     */
    Arguments(String key, String taker, Map<String, String> given) {
        this.key = key;
        this.taker = taker;
        this.left = new TreeMap<>();
        given.forEach((name, value) -> left.put(name.replace('-', '_'), value));
    }

    Optional<String> text(String name) {
        return Optional.ofNullable(left.remove(name));
    }

    Optional<Double> number(String name) {
        return text(name).map(text -> {
            try {
                return Double.parseDouble(text);
            } catch (NumberFormatException e) {
                throw new RecipeException(key + ": " + name + " must be a number, but was '" + text + "'.");
            }
        });
    }

    int whole(String name, int usual) {
        return text(name)
                .map(text -> {
                    try {
                        return Integer.parseInt(text);
                    } catch (NumberFormatException e) {
                        throw new RecipeException(
                                key + ": " + name + " must be a whole number, but was '" + text + "'.");
                    }
                })
                .orElse(usual);
    }

    /** What nobody took yet. */
    Map<String, String> rest() {
        Map<String, String> rest = Map.copyOf(left);
        left.clear();
        return rest;
    }

    void checkAllUsed() {
        if (!left.isEmpty()) {
            throw new RecipeException(
                    key + " has " + String.join(", ", left.keySet()) + ", which " + taker + " does not take.");
        }
    }
}
