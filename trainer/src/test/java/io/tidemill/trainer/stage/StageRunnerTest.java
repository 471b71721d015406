package io.tidemill.trainer.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.Learner;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** When states are saved, when they count as kept, and who is told. */
class StageRunnerTest {
    private final List<String> happened = new ArrayList<>();

    /** Five steps that move nothing; one of them may fail. */
    private final class Idle implements Stage<DecoderLearner>, StepBatch<DecoderLearner> {
        private final long fails;

        Idle(long fails) {
            this.fails = fails;
        }

        @Override
        public String name() {
            return "sft";
        }

        @Override
        public OptimizerSettings optimizer() {
            return new OptimizerSettings(0.01, 0, Decay.CONSTANT, 1, 0.9, 0.999, 1e-8, 0);
        }

        @Override
        public long steps() {
            return 5;
        }

        @Override
        public long examples() {
            return 5;
        }

        @Override
        public int longest() {
            return 1;
        }

        @Override
        public long tokens() {
            return 1;
        }

        @Override
        public List<String> exampleIds() {
            return List.of("the example");
        }

        @Override
        public StepBatch<DecoderLearner> batch(long step, DecoderLearner learner) {
            if (step == fails) {
                throw new IllegalStateException("no batch " + step);
            }
            happened.add("step " + step);
            return this;
        }

        @Override
        public Outcome accumulate(DecoderLearner learner, CallSize size) {
            return new Outcome(1, Map.of());
        }

        @Override
        public void saved(long step) {
            happened.add("saved " + step);
        }
    }

    private final class Kept implements StageState {
        private final long resumed;

        Kept(long resumed) {
            this.resumed = resumed;
        }

        @Override
        public Saved resume(String stage, Learner learner) {
            return new Saved(resumed, Map.of());
        }

        @Override
        public void save(String stage, long step, Map<String, Double> memory, Learner learner) {
            happened.add("save " + step);
        }

        @Override
        public void settle() {
            happened.add("settle");
        }
    }

    private static final StepListener NOBODY = new StepListener() {
        @Override
        public void before(Stage<?> stage, long step) {}

        @Override
        public void after(Stage<?> stage, StepReport report) {}
    };

    private void run(long resumed, long fails) {
        new StageRunner(new Kept(resumed), NOBODY, 2, () -> 0)
                .run(new Idle(fails), new SpokenLearner(text -> 0, 1), CallSize.UNLIMITED);
    }

    @Test
    void theNextStepsDoNotWaitForAStateAndAStageHearsOfItWhenItIsKept() {
        run(0, 0);
        assertThat(happened)
                .containsExactly(
                        "step 1", "step 2", "save 2", "step 3", "step 4", "settle", "saved 2", "save 4", "step 5",
                        "settle", "saved 4", "save 5", "settle", "saved 5");
    }

    @Test
    void aResumedStageHearsOfItsNewStatesAlone() {
        run(3, 0);
        assertThat(happened)
                .containsExactly("step 4", "save 4", "step 5", "settle", "saved 4", "save 5", "settle", "saved 5");
    }

    @Test
    void whateverEndsAStageNobodyWritesAnyMoreWhenItHasEnded() {
        assertThatThrownBy(() -> run(0, 3)).hasMessage("no batch 3");
        assertThat(happened).containsExactly("step 1", "step 2", "save 2", "settle");
    }
}
