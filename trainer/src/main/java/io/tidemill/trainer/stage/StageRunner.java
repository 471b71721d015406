package io.tidemill.trainer.stage;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.TrainableModel;
import java.util.function.LongSupplier;

/** Runs the steps of a stage from where they were last saved. */
public final class StageRunner {
    private final StageState state;
    private final StepListener listener;
    private final int saveEvery;
    private final LongSupplier nanoClock;

    /** @param saveEvery steps between two saved states; the last step is always saved */
    public StageRunner(StageState state, StepListener listener, int saveEvery, LongSupplier nanoClock) {
        this.state = state;
        this.listener = listener;
        this.saveEvery = saveEvery;
        this.nanoClock = nanoClock;
    }

    /**
     * @param start weights that the stage starts from; stays open
     * @return the weights after the last step; the caller closes them
     */
    public LanguageModel run(Stage stage, LanguageModel start, ComputeType compute) {
        int steps = stage.steps().size();
        try (TrainableModel model = TrainableModel.from(start, stage.optimizer().adamW())) {
            TrainStep trainStep = new TrainStep(
                    stage.name(),
                    model,
                    stage.optimizer().schedule(Math.max(1, steps)),
                    stage.optimizer().maximumGradientNorm(),
                    nanoClock);
            long done = state.resume(stage.name(), model);
            for (long step = done + 1; step <= steps; step++) {
                listener.before(stage, step);
                StepReport report = trainStep.run(step, stage.steps().get((int) step - 1));
                listener.after(stage, report);
                if (step % saveEvery == 0 || step == steps) {
                    state.save(stage.name(), step, model);
                }
            }
            return model.snapshot(compute);
        }
    }
}
