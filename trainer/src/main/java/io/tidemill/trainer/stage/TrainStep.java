package io.tidemill.trainer.stage;

import io.tidemill.model.engine.Learner;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.trainer.optimizer.LearningRateSchedule;
import java.time.Duration;
import java.util.List;
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
            throw new DivergedException(stage, step, outcome.loss(), norm, offending(step, batch));
        }
        double learningRate = schedule.at(step);
        learner.update(learningRate);

        Duration elapsed = Duration.ofNanos(nanoClock.getAsLong() - start);
        return new StepReport(step, outcome.loss(), norm, learningRate, batch.tokens(), elapsed, outcome.figures());
    }

    /** What is no number by itself, with the weights as they are; all of the step where nothing is, or it comes in one piece. */
    private List<String> offending(long step, StepBatch<L> batch) {
        List<String> found = batch.parts().stream()
                .filter(part -> diverges(step, part))
                .flatMap(part -> part.exampleIds().stream())
                .distinct()
                .toList();
        return found.isEmpty() ? batch.exampleIds() : found;
    }

    private boolean diverges(long step, StepBatch<L> part) {
        double loss = accumulate(step, part).loss();
        double norm = learner.clip(maximumGradientNorm);
        learner.discardGradients();
        return !Double.isFinite(loss) || !Double.isFinite(norm);
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
