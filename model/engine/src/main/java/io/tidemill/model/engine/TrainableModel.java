package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.nio.file.Path;
import java.util.List;

/**
 * Float32 master weights, their gradients and AdamW's moments. One thread owns it.
 *
 * <p>Native memory: 16 bytes per weight, and 2 more where the matrix products are bfloat16; a step adds the
 * activations of one batch, freed when the call returns.
 */
public final class TrainableModel implements AutoCloseable {
    /** Tokens of one preference call at most, padding included, unless one pair alone is longer. */
    private static final int PREFERENCE_TOKENS_AT_ONCE = 4096;

    private final ModelConfig config;
    private final ComputeType computeType;
    private final TrainableWeights weights;

    private TrainableModel(LanguageModel start, AdamWSettings settings) {
        this.config = start.config();
        this.computeType = start.computeType();
        this.weights = new TrainableWeights(start.held(), settings);
    }

    /** Copies the weights; computes in the type in which {@code start} does. */
    public static TrainableModel from(LanguageModel start, AdamWSettings settings) {
        return new TrainableModel(start, settings);
    }

    public ComputeType computeType() {
        return computeType;
    }

    public ModelConfig config() {
        return config;
    }

    // ---- losses -----------------------------------------------------------------------------------------------------

    /**
     * Adds the gradient of (sum of this batch's token losses / {@code lossTokensOfStep}).
     *
     * @return this batch's part of the mean loss of the step; nats per token
     */
    public double accumulate(PackedBatch batch, long lossTokensOfStep) {
        check(batch, lossTokensOfStep);
        try (PtNDManager call = TorchProgram.open()) {
            NDArray loss = weights.accumulate(
                    call,
                    "causal_step",
                    Batches.tensor(call, batch.ids()),
                    Batches.tensor(call, batch.positions()),
                    batch.oneExamplePerRow() ? Batches.none(call) : Batches.tensor(call, batch.segments()),
                    Batches.tensor(call, batch.targets()),
                    TorchProgram.scalar(call, 1.0 / lossTokensOfStep));
            return loss.toDoubleArray()[0] / lossTokensOfStep;
        }
    }

    private void check(PackedBatch batch, long lossTokensOfStep) {
        if (batch.length() > config.maxPositions()) {
            throw new IllegalArgumentException("Rows of " + batch.length() + " tokens are longer than the model's "
                    + config.maxPositions() + " positions");
        }
        long tokens = batch.lossTokens();
        if (tokens == 0) {
            throw new IllegalArgumentException("No position of this batch has a target");
        }
        if (lossTokensOfStep < tokens) {
            throw new IllegalArgumentException(
                    "The step has " + lossTokensOfStep + " tokens with a target, but this batch alone has " + tokens);
        }
        for (int row = 0; row < batch.rows(); row++) {
            for (int t = 0; t < batch.length(); t++) {
                Batches.checkId(config, batch.ids()[row][t]);
                if (batch.targets()[row][t] != PackedBatch.IGNORED) {
                    Batches.checkId(config, batch.targets()[row][t]);
                }
            }
        }
    }

    /**
     * Adds the gradient of direct preference optimisation.
     *
     * <pre>  Σ weight·(−log σ(β·m) + s·NLL(chosen)/|chosen|) / W
     *   m = (log π(chosen) − log ref(chosen)) − (log π(rejected) − log ref(rejected))  </pre>
     *
     * <p>Source: Rafailov et al. (2023), arXiv:2305.18290, equation 7; the term with s as in Pang et al. (2024),
     * arXiv:2404.19733, equation 2. Differs: a weight per pair, and W, the weight of the whole step, instead of a mean.
     *
     * @param beta             β; 0.1 is usual
     * @param weightOfStep     W, the sum of the weights of all pairs of this optimizer step
     * @param supervisedWeight s; 0 leaves the term out
     */
    public DpoResult accumulate(List<PreferencePair> pairs, double beta, double weightOfStep, double supervisedWeight) {
        if (pairs.isEmpty()) {
            throw new IllegalArgumentException("No preference pair was given");
        }
        if (!(beta > 0) || !(weightOfStep > 0) || !(supervisedWeight >= 0)) {
            throw new IllegalArgumentException(
                    "beta and weightOfStep must be positive and supervisedWeight not negative," + " but were " + beta
                            + ", " + weightOfStep + " and " + supervisedWeight);
        }
        double loss = 0;
        double chosen = 0;
        double rejected = 0;
        double right = 0;
        for (List<PreferencePair> group : PreferenceRows.groups(pairs, config, PREFERENCE_TOKENS_AT_ONCE)) {
            double[] result = preferences(group, beta, weightOfStep, supervisedWeight);
            loss += result[0];
            chosen += result[1];
            rejected += result[2];
            for (int pair = 0; pair < group.size(); pair++) {
                right += result[3 + pair] > 0 ? 1 : 0;
            }
        }
        int n = pairs.size();
        return new DpoResult(loss, chosen / n, rejected / n, right / n);
    }

    private double[] preferences(
            List<PreferencePair> pairs, double beta, double weightOfStep, double supervisedWeight) {
        PreferenceRows rows = PreferenceRows.of(pairs);
        try (PtNDManager call = TorchProgram.open()) {
            return weights.accumulate(
                            call,
                            "preference_step",
                            Batches.tensor(call, rows.ids()),
                            Batches.tensor(call, rows.positions()),
                            Batches.none(call),
                            Batches.tensor(call, rows.targets()),
                            Batches.tensor(call, rows.examples()),
                            call.create(rows.references()),
                            call.create(rows.weights(weightOfStep)),
                            TorchProgram.scalar(call, beta),
                            TorchProgram.scalar(call, supervisedWeight))
                    .toDoubleArray();
        }
    }

    // ---- what becomes of the gradients ------------------------------------------------------------------------------

    /**
     * Scales all gradients together so that their L2 norm is at most {@code maximumNorm}.
     *
     * @return the norm before; if it is not finite, the gradients are left as they are
     */
    public double clip(double maximumNorm) {
        return weights.clip(maximumNorm);
    }

    /** One step of AdamW; the gradients are zero afterwards. */
    public void update(double learningRate) {
        weights.update(learningRate);
    }

    /** Forgets the gradients, also those that are not numbers; weights and moments stay. */
    public void discardGradients() {
        weights.discardGradients();
    }

    /** Gradient of one tensor by its Hugging Face name. */
    float[] gradient(String name) {
        return weights.gradient(name);
    }

    /** Adds to one gradient; tests spoil gradients with it. */
    void spoilGradient(float value) {
        weights.spoilGradient(value);
    }

    /** Optimizer steps so far, those before {@link #loadState} included. */
    public long steps() {
        return weights.steps();
    }

    // ---- copies and files -------------------------------------------------------------------------------------------

    /** A copy of the weights as they are now. */
    public LanguageModel snapshot(ComputeType type) {
        return LanguageModel.copyOf(config, weights.master(), type);
    }

    /**
     * Writes master weights, moments and step count, exactly; flushed. Gradients are not part of it: save between
     * steps.
     */
    public void saveState(Path file) {
        weights.saveState(file, shape());
    }

    /** Goes on where {@link #saveState} left off, bit for bit with the same thread count. */
    public void loadState(Path file) {
        weights.loadState(file, shape());
    }

    /** What must be equal for a state to fit. */
    private String shape() {
        String common = "vocabulary=" + config.vocabularySize() + " hidden=" + config.hiddenSize() + " intermediate="
                + config.intermediateSize() + " layers=" + config.layers() + " heads=" + config.heads()
                + " keyValueHeads=" + config.keyValueHeads() + " headSize=" + config.headSize() + " tied="
                + config.tiedEmbeddings();
        boolean llamaShape = config.family() == Family.LLAMA || config.family() == Family.MISTRAL;
        if (llamaShape && !config.attentionBias() && !config.mlpBias()) {
            return common;
        }
        return common + " family=" + config.family().modelType() + " attentionBias=" + config.attentionBias()
                + " mlpBias=" + config.mlpBias() + " positions=" + config.maxPositions();
    }

    @Override
    public void close() {
        weights.close();
    }
}
