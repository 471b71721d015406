package io.tidemill.trainer.stage;

import java.time.Duration;
import java.util.Map;

/**
 * What one optimizer step did.
 *
 * @param step         counted from 1
 * @param loss         mean of the step; nats per token, or per pair in the preference stage
 * @param gradientNorm L2 norm of all gradients together, before clipping
 * @param tokens       tokens that had a part in the loss
 * @param figures      more of the stage's own, by name
 */
public record StepReport(
        long step,
        double loss,
        double gradientNorm,
        double learningRate,
        long tokens,
        Duration elapsed,
        Map<String, Double> figures) {

    public double tokensPerSecond() {
        return tokens / Math.max(1e-9, elapsed.toNanos() * 1e-9);
    }
}
