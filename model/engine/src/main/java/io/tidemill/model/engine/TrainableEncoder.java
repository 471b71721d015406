package io.tidemill.model.engine;

import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * An encoder that learns: float32 master weights, their gradients and AdamW's moments. One thread owns it.
 *
 * <p>Native memory: 16 bytes per weight, and 2 more where the matrix products are bfloat16; a step adds the
 * activations of one batch, freed when the call returns.
 */
public final class TrainableEncoder extends Trainable implements EncoderLearner {
    private final EncoderConfig config;
    private final ComputeType computeType;

    private TrainableEncoder(EncoderModel start, AdamWSettings settings) {
        super(new TrainableWeights(start.held(), settings));
        this.config = start.config();
        this.computeType = start.computeType();
    }

    /** Copies the weights; computes in the type in which {@code start} does. */
    public static TrainableEncoder from(EncoderModel start, AdamWSettings settings) {
        return new TrainableEncoder(start, settings);
    }

    public EncoderConfig config() {
        return config;
    }

    public ComputeType computeType() {
        return computeType;
    }

    // ---- losses -----------------------------------------------------------------------------------------------------

    @Override
    public double accumulateMasked(List<MaskedText> batch, long lossTokensOfStep) {
        config.require(EncoderConfig.Head.MASKED);
        int length =
                batch.stream().mapToInt(text -> text.targets().length).max().orElse(0);
        List<Long> at = new ArrayList<>();
        List<Long> targets = new ArrayList<>();
        for (int row = 0; row < batch.size(); row++) {
            int[] of = batch.get(row).targets();
            for (int t = 0; t < of.length; t++) {
                if (of[t] != PackedBatch.IGNORED) {
                    EncoderBatch.checkBelow("Target", of[t], config.vocabularySize());
                    at.add((long) row * length + t);
                    targets.add((long) of[t]);
                }
            }
        }
        return accumulate(batch.stream().map(MaskedText::input).toList(), at, targets, lossTokensOfStep);
    }

    /**
     * Adds the gradient of (sum of −log p(label) over this batch / {@code textsOfStep}).
     *
     * @return this batch's part of the mean loss of the step; nats per text
     */
    public double accumulateLabelled(List<LabelledText> batch, long textsOfStep) {
        config.require(EncoderConfig.Head.LABELS);
        if (config.labels().size() < 2) {
            throw new IllegalStateException("A model of the single label " + config.labels()
                    + " gives scores; learning scores is not supported, only labels are learnt");
        }
        batch.forEach(text ->
                EncoderBatch.checkBelow("Label", text.label(), config.labels().size()));
        List<EncoderInput> inputs = batch.stream().map(LabelledText::input).toList();
        int length = inputs.stream().mapToInt(input -> input.ids().length).max().orElse(0);
        List<Long> at = LongStream.range(0, batch.size())
                .map(row -> row * length)
                .boxed()
                .toList();
        List<Long> labels = batch.stream().map(text -> (long) text.label()).toList();
        return accumulate(inputs, at, labels, textsOfStep);
    }

    private double accumulate(List<EncoderInput> inputs, List<Long> at, List<Long> targets, long ofStep) {
        if (at.isEmpty()) {
            throw new IllegalArgumentException("No token of this batch is to be guessed");
        }
        if (ofStep < at.size()) {
            throw new IllegalArgumentException(
                    "The step has " + ofStep + " targets, but this batch alone has " + at.size());
        }
        try (PtNDManager call = TorchProgram.open()) {
            EncoderBatch batch = EncoderBatch.of(config, call, inputs);
            return weights.accumulate(
                                    call,
                                    "step",
                                    batch.ids(),
                                    batch.types(),
                                    batch.lengths(),
                                    call.create(array(at)),
                                    call.create(array(targets)),
                                    TorchProgram.scalar(call, 1.0 / ofStep))
                            .toDoubleArray()[0]
                    / ofStep;
        }
    }

    private static long[] array(List<Long> values) {
        return values.stream().mapToLong(Long::longValue).toArray();
    }

    /** Encoders keep their activations: theirs are few. */
    @Override
    public void recomputeActivations(boolean recompute) {}

    // ---- copies and files -------------------------------------------------------------------------------------------

    /** A copy of the weights as they are now. */
    public EncoderModel snapshot(ComputeType type) {
        return EncoderModel.copyOf(config, weights.master(), type);
    }

    @Override
    String stateShape() {
        return config.toString();
    }
}
