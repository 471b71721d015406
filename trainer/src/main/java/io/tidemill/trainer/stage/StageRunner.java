package io.tidemill.trainer.stage;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.TrainableModel;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;

/** Runs the steps of a stage from where they were last saved. */
public final class StageRunner {
    private final StageState state;
    private final StepListener listener;
    private final LongPredicate saves;
    private final LongSupplier nanoClock;

    /** @param saveEvery steps between two saved states; the last step is always saved */
    public StageRunner(StageState state, StepListener listener, int saveEvery, LongSupplier nanoClock) {
        this(state, listener, step -> step % saveEvery == 0, nanoClock);
    }

    /** @param saves after which steps the state is saved, asked when the listener has heard of them; the last step is always saved */
    public StageRunner(StageState state, StepListener listener, LongPredicate saves, LongSupplier nanoClock) {
        this.state = state;
        this.listener = listener;
        this.saves = saves;
        this.nanoClock = nanoClock;
    }

    /**
     * Runs the steps that are left.
     *
     * @param learner as the stage starts; stays open
     */
    public <L extends Learner> void run(Stage<L> stage, L learner, CallSize size) {
        long steps = stage.steps();
        learner.recomputeActivations(size.recompute());
        TrainStep<L> trainStep = new TrainStep<>(
                stage.name(),
                learner,
                size,
                stage.optimizer().schedule(Math.max(1, steps)),
                stage.optimizer().maximumGradientNorm(),
                nanoClock);
        StageState.Saved saved = state.resume(stage.name(), learner);
        if (saved.step() > 0) {
            stage.restore(saved.memory());
        }
        try {
            run(stage, learner, trainStep, saved.step());
        } catch (RuntimeException | Error e) {
            try {
                state.settle(); // whoever goes on after this finds nobody writing
            } catch (RuntimeException also) {
                e.addSuppressed(also);
            }
            throw e;
        }
    }

    private <L extends Learner> void run(Stage<L> stage, L learner, TrainStep<L> trainStep, long done) {
        long steps = stage.steps();
        long saving = done;
        boolean ends = false;
        for (long step = done + 1; step <= steps && !ends; step++) {
            listener.before(stage, step);
            StepReport report = trainStep.run(step, stage.batch(step, learner));
            listener.after(stage, report);
            ends = listener.ends(stage, step, learner);
            if (saves.test(step) || step == steps || ends) {
                settle(stage, done, saving);
                state.save(stage.name(), step, stage.memory(), learner);
                saving = step;
            }
        }
        settle(stage, done, saving);
    }

    private void settle(Stage<?> stage, long done, long saving) {
        if (saving > done) {
            state.settle();
            stage.saved(saving);
        }
    }

    /**
     * Trains all weights.
     *
     * @param start weights that the stage starts from; stays open
     * @return the weights after the last step; the caller closes them
     */
    public LanguageModel run(Stage<DecoderLearner> stage, LanguageModel start, ComputeType compute) {
        try (TrainableModel model = TrainableModel.from(start, stage.optimizer().adamW())) {
            run(stage, model, CallSize.UNLIMITED);
            return model.snapshot(compute);
        }
    }
}
