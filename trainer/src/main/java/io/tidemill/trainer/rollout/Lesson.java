package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.trainer.stage.StepBatch;
import java.util.List;
import java.util.Map;

/** What is learned from one harvest, ready to be cut into steps. */
public interface Lesson {
    /** More than the harvest's own figures, the same for all its steps. */
    Map<String, Double> figures();

    /**
     * One step.
     *
     * @param rollouts which of the harvest's, by index; may be none
     */
    StepBatch<DecoderLearner> batch(List<Integer> rollouts);
}
