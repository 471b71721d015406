package io.tidemill.trainer.stage;

import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.trainer.optimizer.LearningRateSchedule;
import java.time.Duration;
import java.util.function.LongSupplier;

/** The optimizer step of every stage: gradients of the batch, clipping by their global norm, AdamW. */
final class TrainStep<L extends Learner> {
    private final String stage;
    private final L learner;
    private final CallSize size;
    private final LearningRateSchedule schedule;
    private final double maximumGradientNorm;
    private final LongSupplier nanoClock;

    TrainStep(
            String stage,
            L learner,
            CallSize size,
            LearningRateSchedule schedule,
            double maximumGradientNorm,
            LongSupplier nanoClock) {
        this.stage = stage;
        this.learner = learner;
        this.size = size;
        this.schedule = schedule;
        this.maximumGradientNorm = maximumGradientNorm;
        this.nanoClock = nanoClock;
    }

    /** One optimizer step. The weights either move, and a report tells how, or stay, and the exception tells why. */
    StepReport run(long step, StepBatch<L> batch) {
        long start = nanoClock.getAsLong();

        StepBatch.Outcome outcome = accumulate(step, batch);
        double norm = learner.clip(maximumGradientNorm);
        if (!Double.isFinite(outcome.loss()) || !Double.isFinite(norm)) {
            learner.discardGradients();
            throw new DivergedException(stage, step, outcome.loss(), norm, batch.exampleIds());
        }
        double learningRate = schedule.at(step);
        learner.update(learningRate);

        Duration elapsed = Duration.ofNanos(nanoClock.getAsLong() - start);
        return new StepReport(step, outcome.loss(), norm, learningRate, batch.tokens(), elapsed, outcome.figures());
    }

    private StepBatch.Outcome accumulate(long step, StepBatch<L> batch) {
        try {
            return batch.accumulate(learner, size);
        } catch (NativeMemoryException e) {
            learner.discardGradients();
            throw new StepMemoryException(stage, step, e);
        }
    }
}
