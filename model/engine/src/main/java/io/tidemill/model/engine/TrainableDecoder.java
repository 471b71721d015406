package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** The losses that decoders learn by, whichever of their weights learn: checks what is given, and adds gradients. */
abstract class TrainableDecoder extends Trainable implements DecoderLearner {
    /**
     * Tokens of one call with answers at most, padding included, unless one text with its answers is longer; a prompt that
     * is shared counts once. It bounds the activations: half a gigabyte for the embedded base, whatever a step holds.
     */
    private static final int ANSWERED_TOKENS_AT_ONCE = 2048;

    private final ModelConfig config;
    private boolean recomputesActivations;
    private EmbeddingNoise noise = EmbeddingNoise.NONE;
    private int noisyCalls; // of this step
    private LanguageModel near; // null where nothing holds what is said
    private double nearness;
    private double divergence; // of this step
    private PrefixRows.Form form = PrefixRows.Form.PACKED;

    TrainableDecoder(ModelConfig config, TrainableWeights weights) {
        super(weights);
        this.config = config;
    }

    /** What all methods that learn begin with: weights, operands, gradients, adapter. */
    abstract List<Object> operands(PtNDManager call);

    /** Reads the weights as they are. */
    abstract Scorer scorer();

    /**
     * Runs a method of the program that learns.
     *
     * @param call      owns the result
     * @param arguments those between the adapter and whether activations are computed again
     */
    private NDList run(PtNDManager call, String method, List<?> arguments) {
        List<Object> all = new ArrayList<>(operands(call));
        all.addAll(arguments);
        all.add(call.create(recomputesActivations));
        return weights.run(call, method, all);
    }

    private NDArray step(PtNDManager call, String method, List<NDArray> batch) {
        return run(call, method, batch).get(0);
    }

    @Override
    public void recomputeActivations(boolean recompute) {
        this.recomputesActivations = recompute;
    }

    @Override
    public void noiseEmbeddings(double alpha, long seed) {
        this.noise = new EmbeddingNoise(alpha, seed);
    }

    @Override
    public double accumulate(PackedBatch batch, long lossTokensOfStep) {
        config.head().requireSpeech();
        check(batch, lossTokensOfStep);
        try (PtNDManager call = TorchProgram.open()) {
            if (near != null) {
                return accumulateNear(call, batch, lossTokensOfStep);
            }
            NDArray loss = step(
                    call,
                    "causal_step",
                    List.of(
                            Batches.tensor(call, batch.ids()),
                            Batches.tensor(call, batch.positions()),
                            batch.oneExamplePerRow() ? Batches.none(call) : Batches.tensor(call, batch.segments()),
                            Batches.tensor(call, batch.targets()),
                            scale(call, batch, lossTokensOfStep),
                            noise(call, batch)));
            return loss.toDoubleArray()[0] / lossTokensOfStep;
        }
    }

    /**
     * From now on texts are learned with a hold on what the model says: beside the loss, {@code strength} times the divergence
     * KL(p₀ ‖ p) of its next token from that of another model, over the whole vocabulary, at every target. p₀ is exact, not
     * sampled: the forward divergence of Jaques et al. (2017), arXiv:1611.02796, turned round so that what p₀ finds likely
     * stays likely, as in learning without forgetting (Li and Hoiem 2016, arXiv:1606.09282).
     *
     * @param model    not copied: it stays open and unchanged as long as this learns
     * @param strength nats of loss a nat of divergence; 0 lets go
     */
    public void holdSpeech(LanguageModel model, double strength) {
        if (!(strength >= 0) || Double.isInfinite(strength)) {
            throw new IllegalArgumentException("A hold's strength must be 0 or more and finite, but was " + strength);
        }
        this.near = strength == 0 ? null : model;
        this.nearness = strength;
    }

    private double accumulateNear(PtNDManager call, PackedBatch batch, long lossTokensOfStep) {
        NDArray ids = Batches.tensor(call, batch.ids());
        NDArray positions = Batches.tensor(call, batch.positions());
        NDArray segments = batch.oneExamplePerRow() ? Batches.none(call) : Batches.tensor(call, batch.segments());
        NDArray targets = Batches.tensor(call, batch.targets());
        HeldWeights held = near.held();
        NDList states = weights.program()
                .infer(
                        call,
                        "states_near",
                        held.master().array(),
                        held.compute(),
                        Batches.none(call),
                        ids,
                        positions,
                        segments,
                        targets);
        double[] sums = run(
                        call,
                        "causal_step_near",
                        List.of(
                                TorchProgram.left(states),
                                ids,
                                positions,
                                segments,
                                targets,
                                scale(call, batch, lossTokensOfStep),
                                TorchProgram.scalar(call, nearness / lossTokensOfStep),
                                noise(call, batch)))
                .get(0)
                .toDoubleArray();
        divergence += sums[1] / lossTokensOfStep;
        return sums[0] / lossTokensOfStep;
    }

    @Override
    public OptionalDouble divergence() {
        return near == null ? OptionalDouble.empty() : OptionalDouble.of(divergence);
    }

    /** What each loss is multiplied with: one number for all, or one for each target. */
    private static NDArray scale(PtNDManager call, PackedBatch batch, long lossTokensOfStep) {
        if (batch.weights().length == 0) {
            return TorchProgram.scalar(call, 1.0 / lossTokensOfStep);
        }
        float[] weights = batch.lossWeights();
        for (int i = 0; i < weights.length; i++) {
            weights[i] /= lossTokensOfStep;
        }
        return call.create(weights);
    }

    private NDArray noise(PtNDManager call, PackedBatch batch) {
        if (noise.isNone()) {
            return Batches.none(call);
        }
        int hidden = config.hiddenSize();
        return call.create(
                noise.of(batch, hidden, steps(), noisyCalls++), new Shape(batch.rows(), batch.length(), hidden));
    }

    /** As {@link Learner#update}. */
    @Override
    public void update(double learningRate) {
        super.update(learningRate);
        noisyCalls = 0;
        divergence = 0;
    }

    /** As {@link Learner#discardGradients}. */
    @Override
    public void discardGradients() {
        super.discardGradients();
        noisyCalls = 0;
        divergence = 0;
    }

    /** As {@link Learner#loadState}. */
    @Override
    public void loadState(Path file) {
        super.loadState(file);
        noisyCalls = 0;
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

    // ---- objectives over answers ------------------------------------------------------------------------------------

    @Override
    public double accumulate(List<PromptAnswers> texts, int textsAtOnce, AnswerObjective objective) {
        double loss = 0;
        boolean scored = config.head().scores() > 0;
        if (config.head().scores() > 1) {
            throw new IllegalStateException("Answers have one value, but the model gives the scores "
                    + config.head().labels() + ". Train with one score");
        }
        for (PrefixRows rows : PrefixRows.plan(texts, config, scored, form, ANSWERED_TOKENS_AT_ONCE, textsAtOnce)) {
            loss += accumulate(rows, objective);
        }
        return loss;
    }

    /** The way there, the objective, the way back; what lies between is freed with the call, whatever is thrown. */
    private double accumulate(PrefixRows rows, AnswerObjective objective) {
        try (PtNDManager call = TorchProgram.open()) {
            List<NDArray> inputs = new ArrayList<>(rows.inputs(call));
            inputs.addAll(rows.targets(call));
            inputs.add(rows.marks(call));
            NDList forward = run(call, "answers_forward", inputs);
            AnswerCall answers = new AnswerCall(
                    rows.logProbabilities(forward.get(0).toFloatArray()),
                    rows.values(forward.get(1).toFloatArray()));
            double loss = objective.evaluate(rows.which(), answers);
            if (!Double.isFinite(loss)) {
                return loss; // the step is lost: whoever counts on it must see that before any gradient
            }
            float[] slopes = rows.slopes(answers);
            float[] valueSlopes = rows.valueSlopes(answers);
            if (!allZero(slopes) || !allZero(valueSlopes)) {
                List<Object> arguments = new ArrayList<>();
                arguments.add(TorchProgram.left(forward));
                arguments.addAll(inputs);
                arguments.add(call.create(slopes));
                arguments.add(call.create(valueSlopes));
                run(call, "answers_backward", arguments);
            }
            return loss;
        }
    }

    private static boolean allZero(float[] slopes) {
        for (float slope : slopes) {
            if (slope != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public double[][][] logProbabilities(List<PromptAnswers> texts) {
        return scorer().logProbabilitiesOfAnswers(texts, form, Scorer.SCORED_AT_ONCE);
    }

    @Override
    public double[][][] values(List<PromptAnswers> texts) {
        return scorer().values(texts, form, Scorer.SCORED_AT_ONCE);
    }

    /**
     * Whether answers to one prompt share it, as they do at first. Without, each reads the prompt again: the same but for
     * rounding, and slower; to be compared with.
     */
    public void sharePrompts(boolean share) {
        form = share ? PrefixRows.Form.PACKED : PrefixRows.Form.REPEATED;
    }

    /** How answers are laid out; tests compare forms. */
    void form(PrefixRows.Form form) {
        this.form = form;
    }
}
