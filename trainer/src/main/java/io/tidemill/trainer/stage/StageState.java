package io.tidemill.trainer.stage;

import io.tidemill.model.engine.Learner;
import java.util.Map;

/** Where the state of a running stage is kept, so that it survives the process. */
public interface StageState {
    /**
     * A saved state.
     *
     * @param step   steps done; 0 where none was saved
     * @param memory what {@link Stage#memory} gave then
     */
    record Saved(long step, Map<String, Double> memory) {
        public static final Saved NONE = new Saved(0, Map.of());
    }

    /** Loads the newest state of this stage into the learner, which stays untouched where there is none. */
    Saved resume(String stage, Learner learner);

    /**
     * Keeps the state after a step; all of it or, if cut short, the one before. It may return when that is still being done:
     * {@link #settle} before another one, and before anything relies on it.
     */
    void save(String stage, long step, Map<String, Double> memory, Learner learner);

    /** Waits until what is being saved is kept; throws if it could not be. */
    default void settle() {}
}
