package io.tidemill.trainer.offline;

import io.tidemill.trainer.offline.data.Format;
import java.io.IOException;
import java.util.List;

/** A stage as recipes name it: which data it takes, and how it becomes a job. */
interface OfflineStage {
    String name();

    /** One sentence for help. */
    String summary();

    /** Formats in the order in which they are tried. */
    List<Format> formats();

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
