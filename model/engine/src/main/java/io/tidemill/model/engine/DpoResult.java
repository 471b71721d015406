package io.tidemill.model.engine;

/**
 * What one call added to the step.
 *
 * @param loss           part of the step's loss: already divided by the weight of the step
 * @param chosenReward   mean over the pairs of β·(log π − log reference) of the chosen answer; nats
 * @param rejectedReward the same of the rejected answer; nats
 * @param accuracy       share of pairs whose margin is above 0
 */
public record DpoResult(double loss, double chosenReward, double rejectedReward, double accuracy) {}
