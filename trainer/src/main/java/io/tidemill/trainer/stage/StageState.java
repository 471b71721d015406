package io.tidemill.trainer.stage;

import io.tidemill.model.engine.Learner;

/** Where the state of a running stage is kept, so that it survives the process. */
public interface StageState {
    /**
     * Loads the newest state of this stage into the learner.
     *
     * @return steps done; 0 and an untouched learner where none was saved
     */
    long resume(String stage, Learner learner);

    /** Keeps the state after a step; all of it or, if cut short, the one before. */
    void save(String stage, long step, Learner learner);
}
