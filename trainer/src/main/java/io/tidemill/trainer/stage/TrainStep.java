package io.tidemill.trainer.stage;

import io.tidemill.model.engine.TrainableModel;
import io.tidemill.trainer.optimizer.LearningRateSchedule;
import java.time.Duration;
import java.util.function.LongSupplier;

/** The optimizer step of every stage: gradients of the batch, clipping by their global norm, AdamW. */
final class TrainStep {
    private final String stage;
    private final TrainableModel model;
    private final LearningRateSchedule schedule;
    private final double maximumGradientNorm;
    private final LongSupplier nanoClock;

    TrainStep(
            String stage,
            TrainableModel model,
            LearningRateSchedule schedule,
            double maximumGradientNorm,
            LongSupplier nanoClock) {
        this.stage = stage;
        this.model = model;
        this.schedule = schedule;
        this.maximumGradientNorm = maximumGradientNorm;
        this.nanoClock = nanoClock;
    }

    /** One optimizer step. The weights either move, and a report tells how, or stay, and the exception tells why. */
    StepReport run(long step, StepBatch batch) {
        long start = nanoClock.getAsLong();

        StepBatch.Outcome outcome = batch.accumulate(model);
        double norm = model.clip(maximumGradientNorm);
        if (!Double.isFinite(outcome.loss()) || !Double.isFinite(norm)) {
            model.discardGradients();
            throw new DivergedException(stage, step, outcome.loss(), norm, batch.exampleIds());
        }
        double learningRate = schedule.at(step);
        model.update(learningRate);

        Duration elapsed = Duration.ofNanos(nanoClock.getAsLong() - start);
        return new StepReport(step, outcome.loss(), norm, learningRate, batch.tokens(), elapsed, outcome.figures());
    }
}
