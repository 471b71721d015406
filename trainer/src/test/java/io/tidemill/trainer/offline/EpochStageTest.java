package io.tidemill.trainer.offline;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.engine.Learner;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.OptimizerSettings;
import io.tidemill.trainer.stage.StepBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EpochStageTest {
    /** Three examples a step. */
    private record Three(List<String> exampleIds) implements StepBatch<Learner> {
        @Override
        public Outcome accumulate(Learner learner, CallSize size) {
            return new Outcome(0, Map.of());
        }

        @Override
        public long tokens() {
            return exampleIds.size();
        }

        @Override
        public int longest() {
            return exampleIds.size();
        }
    }

    private static EpochStage<Learner, String> stage(double epochs, long maxSteps) {
        List<String> examples = IntStream.range(0, 10).mapToObj(i -> "e" + i).toList();
        return new EpochStage<>(
                "stage",
                examples,
                id -> id,
                7,
                epochs,
                maxSteps,
                (ordered, epoch) -> StepBatch.groups(ordered, 3).stream()
                        .<StepBatch<Learner>>map(Three::new)
                        .toList(),
                steps -> new OptimizerSettings(1, 0, Decay.LINEAR, 1, 0.9, 0.999, 1e-8, 0));
    }

    private static List<String> seen(EpochStage<Learner, String> stage, int from, int to) {
        List<String> ids = new ArrayList<>();
        for (int step = from; step <= to; step++) {
            ids.addAll(stage.batch(step, null).exampleIds());
        }
        return ids;
    }

    @Test
    void everyPassSeesEachExampleOnceInAnOrderOfItsOwn() {
        EpochStage<Learner, String> stage = stage(2, -1);

        assertThat(stage.steps()).isEqualTo(8);
        assertThat(stage.tokens()).isEqualTo(20);
        assertThat(seen(stage, 1, 4)).hasSize(10).doesNotHaveDuplicates();
        assertThat(seen(stage, 5, 8)).hasSize(10).doesNotHaveDuplicates().isNotEqualTo(seen(stage, 1, 4));
    }

    @Test
    void aPartOfAPassIsAPartOfItsSteps() {
        EpochStage<Learner, String> stage = stage(1.5, -1);

        assertThat(stage.steps()).isEqualTo(6);
        assertThat(stage.endsEpoch(4)).isTrue();
        assertThat(stage.endsEpoch(5)).isFalse();
        assertThat(stage.epochs(2)).isEqualTo(0.5);
        assertThat(stage.epochs(4)).isEqualTo(1);
        assertThat(stage(0.1, -1).steps()).isEqualTo(1);
    }

    @Test
    void stepsInAllGoOnThroughAsManyPassesAsTheyTake() {
        assertThat(stage(1, 2).steps()).isEqualTo(2);
        EpochStage<Learner, String> stage = stage(1, 9);
        assertThat(stage.steps()).isEqualTo(9);
        assertThat(seen(stage, 9, 9)).isEqualTo(seen(stage(3, -1), 9, 9));
    }
}
