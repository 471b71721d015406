package io.tidemill.model.engine;

import java.util.List;

/**
 * What a call over labelled texts gave.
 *
 * @param loss   this call's part of the mean loss of the step; nats, or for scores their square
 * @param logits of each text, {@code [texts][labels]}, under the weights before the step
 */
public record LabelResult(double loss, List<float[]> logits) {}
