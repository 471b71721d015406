package io.tidemill.trainer.round;

import io.tidemill.model.engine.Model;
import io.tidemill.trainer.data.RoundExamples;
import io.tidemill.trainer.gate.HeldOut;
import io.tidemill.trainer.gate.Suite;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What of a round depends on the kind of its model: how examples become steps, and what is asked of champion and
 * candidate. Open while the round runs.
 *
 * @param <M> the kind
 * @param <S> what the gate asks of it
 */
interface ModelRound<M extends Model<M>, S> extends AutoCloseable {
    M champion();

    /** The slice's, after those that no stage can take were put aside. */
    RoundExamples examples();

    /** Runs the stages, or those that are left of them; the caller closes what they made. */
    M train() throws IOException;

    /** Reads a version as the gate asks it. */
    M load(Path version);

    /** What the gate judges by, new and old. */
    List<Suite<S>> suites() throws IOException;

    S scoring(M model);

    /** More of the candidate than the suites tell, by name. */
    Map<String, Double> figures();

    /** The lineage's held-out examples, those of this slice among them. */
    HeldOut heldOut();

    /** Writes what stands beside the weights of the version, into its directory. */
    void saveBeside(Path version) throws IOException;

    /** Frees what the round has made; the champion is somebody else's. */
    @Override
    void close();
}
