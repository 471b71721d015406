package io.tidemill.trainer.offline;

import io.tidemill.model.engine.Learner;
import io.tidemill.trainer.stage.Stage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A stage over files, ready to run: what learns, by which steps, how it is judged, and how it is written. */
interface Job<L extends Learner> extends AutoCloseable {
    Stage<L> stage();

    L learner();

    /** Passes over the data after so many steps. */
    double epochs(long step);

    /** Whether a pass over the data ends with this step. */
    boolean endsEpoch(long step);

    /** Names of the figures that {@link #evaluate} gives; empty where there is nothing to evaluate on. */
    List<String> figures();

    /** How well it does on the evaluation data as it is now. */
    Evaluation evaluate();

    /**
     * Writes the weights as they are, with their configuration.
     *
     * @param directory does not exist yet
     * @param finish    whether this is the end: an adapter may be merged then
     */
    void save(Path directory, boolean finish) throws IOException;

    @Override
    void close();

    /**
     * What an evaluation gave.
     *
     * @param figures by name, without {@code eval_}
     * @param table   more for people, such as a confusion matrix; may be empty
     */
    record Evaluation(Map<String, Double> figures, String table) {
        static final Evaluation NONE = new Evaluation(Map.of(), "");
    }
}
