package io.tidemill.trainer.offline.recipe;

import java.util.List;

/** A recipe that cannot be followed; every problem is listed. Nothing was started. */
public final class RecipeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RecipeException(String source, List<String> problems) {
        super(
                problems.size() == 1
                        ? source + ": " + problems.get(0)
                        : source + " has " + problems.size() + " problems:\n  " + String.join("\n  ", problems));
    }

    public RecipeException(String message) {
        super(message);
    }
}
