package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The losses that encoders learn by, whichever of their weights learn: checks what is given, and adds gradients. */
abstract class EncoderTraining extends Trainable implements EncoderLearner {
    private final EncoderConfig config;

    EncoderTraining(EncoderConfig config, TrainableWeights weights) {
        super(weights);
        this.config = config;
    }

    /**
     * Runs a method of the program that adds gradients.
     *
     * @param call      owns the result
     * @param arguments those from the token ids on
     */
    abstract NDArray run(PtNDManager call, String method, Object... arguments);

    /** What reads texts with the weights as they are. */
    abstract EncoderReader reader();

    @Override
    public EncoderConfig config() {
        return config;
    }

    // ---- losses -----------------------------------------------------------------------------------------------------

    @Override
    public double accumulateMasked(List<MaskedText> batch, long lossTokensOfStep) {
        MaskedPlaces places = MaskedPlaces.of(config, batch);
        if (places.isEmpty()) {
            throw new IllegalArgumentException("No token of this batch is to be guessed");
        }
        if (lossTokensOfStep < places.at().length) {
            throw new IllegalArgumentException(
                    "The step has " + lossTokensOfStep + " targets, but this batch alone has " + places.at().length);
        }
        try (PtNDManager call = TorchProgram.open()) {
            EncoderBatch rows = EncoderBatch.of(
                    config, call, batch.stream().map(MaskedText::input).toList());
            NDArray sum = run(
                    call,
                    "masked_step",
                    rows.ids(),
                    rows.types(),
                    rows.lengths(),
                    call.create(places.at()),
                    call.create(places.targets()),
                    TorchProgram.scalar(call, 1.0 / lossTokensOfStep));
            return sum.toDoubleArray()[0] / lossTokensOfStep;
        }
    }

    @Override
    public LabelResult accumulateLabelled(List<LabelledText> batch, LabelWeights weights, double divisorOfStep) {
        config.require(EncoderConfig.Head.LABELS);
        weights.check(config);
        double divisor = weights.of(batch, config);
        if (!(divisorOfStep > 0) || divisorOfStep < divisor * (1 - 1e-9)) {
            throw new IllegalArgumentException("The texts of the step weigh " + divisorOfStep
                    + ", but those of this batch alone " + divisor + ", and together they must weigh something");
        }
        int labels = config.labels().size();
        try (PtNDManager call = TorchProgram.open()) {
            EncoderBatch rows = EncoderBatch.of(
                    config, call, batch.stream().map(LabelledText::input).toList());
            Shape shape = new Shape(batch.size(), labels);
            double[] result = run(
                            call,
                            "label_step",
                            rows.ids(),
                            rows.types(),
                            rows.lengths(),
                            call.create(rows.firstTokens(batch.size())),
                            call.create(targets(batch), shape),
                            call.create(coefficients(batch, weights, divisorOfStep), shape))
                    .toDoubleArray();
            List<float[]> logits = new ArrayList<>();
            for (int row = 0; row < batch.size(); row++) {
                float[] of = new float[labels];
                for (int i = 0; i < labels; i++) {
                    of[i] = (float) result[1 + row * labels + i];
                }
                logits.add(of);
            }
            return new LabelResult(result[0], logits);
        }
    }

    /** {@code [texts][labels]}: 1 where a label is right, or the score. */
    private float[] targets(List<LabelledText> batch) {
        int labels = config.labels().size();
        float[] targets = new float[batch.size() * labels];
        for (int row = 0; row < batch.size(); row++) {
            if (config.problem() == EncoderConfig.Problem.SCORE) {
                targets[row] = (float) batch.get(row).score();
            }
            for (int label : batch.get(row).labels()) {
                targets[row * labels + label] = 1;
            }
        }
        return targets;
    }

    /** {@code [texts][labels]}: what each part of the loss counts. */
    private float[] coefficients(List<LabelledText> batch, LabelWeights weights, double divisorOfStep) {
        int labels = config.labels().size();
        float[] coefficients = new float[batch.size() * labels];
        if (config.problem() != EncoderConfig.Problem.MULTIPLE) {
            for (int row = 0; row < batch.size(); row++) {
                double weight = weights.of(batch.get(row), config) / divisorOfStep;
                Arrays.fill(coefficients, row * labels, (row + 1) * labels, (float) weight);
            }
            return coefficients;
        }
        for (int row = 0; row < batch.size(); row++) {
            for (int label = 0; label < labels; label++) {
                double weight = batch.get(row).labels().contains(label) ? weights.weight(label) : 1;
                coefficients[row * labels + label] = (float) (weight / (divisorOfStep * labels));
            }
        }
        return coefficients;
    }

    /** As {@link #accumulateLabelled(List, LabelWeights, double)} with labels that count alike, and the loss alone. */
    double accumulateLabelled(List<LabelledText> batch, long textsOfStep) {
        return accumulateLabelled(batch, LabelWeights.EQUAL, textsOfStep).loss();
    }

    @Override
    public float[][] labelLogits(List<EncoderInput> inputs) {
        return reader().labelLogits(inputs);
    }

    @Override
    public double[] maskedLosses(List<MaskedText> texts) {
        return reader().maskedLosses(texts);
    }

    /** Encoders keep their activations: theirs are few. */
    @Override
    public void recomputeActivations(boolean recompute) {}
}
