package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.List;

/**
 * The losses that decoders learn by: checks what it is given, and lets {@code step} add the gradients, whoever's they
 * are.
 *
 * @see TrainableModel
 * @see TrainableAdapter
 */
record DecoderSteps(ModelConfig config, Step step) {
    /** Tokens of one preference call at most, padding included, unless one pair alone is longer. */
    private static final int PREFERENCE_TOKENS_AT_ONCE = 4096;

    /** Runs a method of the program that adds gradients. */
    interface Step {
        /**
         * @param call  owns the result
         * @param batch the method's arguments from the token ids on
         */
        NDArray run(PtNDManager call, String method, List<NDArray> batch);
    }

    /**
     * Adds the gradient of (sum of this batch's token losses / {@code lossTokensOfStep}).
     *
     * @return this batch's part of the mean loss of the step; nats per token
     */
    double causal(PackedBatch batch, long lossTokensOfStep) {
        check(batch, lossTokensOfStep);
        try (PtNDManager call = TorchProgram.open()) {
            NDArray loss = step.run(
                    call,
                    "causal_step",
                    List.of(
                            Batches.tensor(call, batch.ids()),
                            Batches.tensor(call, batch.positions()),
                            batch.oneExamplePerRow() ? Batches.none(call) : Batches.tensor(call, batch.segments()),
                            Batches.tensor(call, batch.targets()),
                            TorchProgram.scalar(call, 1.0 / lossTokensOfStep)));
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
    DpoResult preference(List<PreferencePair> pairs, double beta, double weightOfStep, double supervisedWeight) {
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
            return step.run(
                            call,
                            "preference_step",
                            List.of(
                                    Batches.tensor(call, rows.ids()),
                                    Batches.tensor(call, rows.positions()),
                                    Batches.none(call),
                                    Batches.tensor(call, rows.targets()),
                                    Batches.tensor(call, rows.examples()),
                                    call.create(rows.references()),
                                    call.create(rows.weights(weightOfStep)),
                                    TorchProgram.scalar(call, beta),
                                    TorchProgram.scalar(call, supervisedWeight)))
                    .toDoubleArray();
        }
    }
}
