package io.tidemill.trainer.offline;

import io.tidemill.trainer.offline.data.Format;
import io.tidemill.trainer.offline.recipe.Key;
import io.tidemill.trainer.offline.recipe.Keys;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/** A stage as recipes name it: which data it takes, and how it becomes a job. */
interface OfflineStage {
    /** Keys that only some stages follow. */
    Set<Key<?>> SPECIAL = Set.of(
            Keys.FROM_SCRATCH,
            Keys.CONFIG_OVERRIDES,
            Keys.LABELS,
            Keys.PROBLEM_TYPE,
            Keys.CLASS_WEIGHTS,
            Keys.PACKING,
            Keys.MASK_PROBABILITY,
            Keys.WHOLE_WORDS,
            Keys.NEFTUNE,
            Keys.OBJECTIVE_PARAMETERS,
            Keys.REWARDS,
            Keys.HELD_OUT_REWARDS,
            Keys.ROLLOUT);

    String name();

    /** One sentence for help. */
    String summary();

    /** Formats in the order in which they are tried. */
    List<Format> formats();

    /** Of the keys that only some stages follow those that this one does. */
    Set<Key<?>> special();

    /** Usual peak of the learning rate; TRL's or transformers' for this kind of training. */
    double learningRate();

    /**
     * Tokenizes the examples. What is wrong with one goes to the material's mistakes; no weights are read yet.
     *
     * @throws io.tidemill.trainer.offline.data.DataException if none is left
     */
    Prepared prepare(Material material) throws IOException;

    /** Examples as tokens, ready to be learned. */
    @FunctionalInterface
    interface Prepared {
        /** Reads the weights. */
        Job<?> open() throws IOException;
    }
}
