package io.tidemill.trainer.pretrain;

import java.util.Locale;

/**
 * Where a pretraining run stands.
 *
 * @param step            optimizer steps done
 * @param steps           of all
 * @param loss            mean over the tokens since the last report; nats per token
 * @param learningRate    of the last step
 * @param tokensPerSecond since the last report, by the wall clock
 * @param secondsLeft     at that speed
 */
public record PretrainReport(
        long step, long steps, double loss, double learningRate, double tokensPerSecond, long secondsLeft) {

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "step=%d of=%d loss=%.4f lr=%.2e tokens_per_s=%.0f left_s=%d",
                step,
                steps,
                loss,
                learningRate,
                tokensPerSecond,
                secondsLeft);
    }
}
