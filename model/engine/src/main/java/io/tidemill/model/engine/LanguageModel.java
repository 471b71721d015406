package io.tidemill.model.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The weights of one version, float32, in native memory. Immutable: serving and scoring read it, training copies it.
 * Any number of threads may read at once; whoever made it closes it after the last of them.
 *
 * <p>Native memory: 4 bytes per weight, and 2 more where the matrix products are bfloat16; from the first generation on
 * the matrices once more in that type.
 */
public final class LanguageModel implements Model<LanguageModel> {
    /** Tokens that {@link #logProbabilities(List)} holds in one call, padding included. */
    public static final int SCORED_AT_ONCE = Scorer.SCORED_AT_ONCE;

    private final ModelConfig config;
    private final HeldWeights held;
    private TorchProgram.Opaque packed;

    private LanguageModel(ModelConfig config, HeldWeights held) {
        this.config = config;
        this.held = held;
    }

    // ---- where models come from -------------------------------------------------------------------------------------

    /** Reads {@code config.json} and {@code model.safetensors} (or its shards). */
    public static LanguageModel load(Path huggingFaceDirectory, ComputeType compute) {
        try {
            ModelConfig config = ModelConfig.read(huggingFaceDirectory.resolve("config.json"));
            return new LanguageModel(
                    config,
                    HeldWeights.load(
                            huggingFaceDirectory,
                            StoredNames.of(config),
                            new Layout(config),
                            Layout.program(config),
                            compute));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Cannot read the model in " + huggingFaceDirectory + ": " + e.getMessage(), e);
        }
    }

    /**
     * Normal with standard deviation {@code initializerRange}, norms 1, biases 0; the seed alone decides, on any
     * machine.
     */
    public static LanguageModel random(ModelConfig config, long seed, ComputeType compute) {
        return new LanguageModel(
                config,
                HeldWeights.random(
                        new Layout(config), Layout.program(config), compute, seed, config.initializerRange()));
    }

    /** A copy of flat weights that live elsewhere. */
    static LanguageModel copyOf(ModelConfig config, FlatWeights source, ComputeType compute) {
        return new LanguageModel(
                config, HeldWeights.copyOf(new Layout(config), Layout.program(config), compute, source));
    }

    /**
     * A copy whose states give so many scores instead of log-probabilities: a reward model with one, a classifier with more.
     * Their matrix is normal with standard deviation {@code initializerRange}; the seed alone decides, on any machine.
     */
    public LanguageModel withScores(int count, long seed) {
        return withHead(DecoderHead.ofScores(count), seed);
    }

    /** As {@link #withScores(int, long)}, with names for the scores, or with padding; or a language model's tied head. */
    public LanguageModel withHead(DecoderHead head, long seed) {
        ModelConfig other = config.withHead(head);
        return new LanguageModel(
                other,
                held.as(
                        new Layout(other),
                        Layout.program(other),
                        (slot, weights) -> ModelFiles.randomise(
                                slot, weights, new GaussianSource(seed), config.initializerRange())));
    }

    /**
     * A copy with a critic's head of one score beside that over the vocabulary, zero at first: for
     * {@link TrainableModel} and {@link TrainableAdapter}, whose snapshots no longer have it.
     */
    public LanguageModel withValueHead() {
        config.head().requireSpeech();
        ModelConfig other = config.withHead(DecoderHead.LANGUAGE_AND_VALUE);
        return new LanguageModel(
                other, held.as(new Layout(other), Layout.program(other), (slot, weights) -> {})); // zeros
    }

    @Override
    public LanguageModel copy() {
        return copyOf(config, held.master(), held.type());
    }

    public ModelConfig config() {
        return config;
    }

    @Override
    public long parameterCount() {
        return config.parameterCount();
    }

    @Override
    public int maxPositions() {
        return config.maxPositions();
    }

    @Override
    public ComputeType computeType() {
        return held.type();
    }

    // ---- where they go ----------------------------------------------------------------------------------------------

    /** Writes {@code config.json}, {@code generation_config.json} and {@code model.safetensors}, all flushed. */
    @Override
    public void save(Path directory, WeightType type) {
        if (!config.equals(config.withoutValueHead())) {
            throw new IllegalStateException("A model with a critic's head is for training only. Save a snapshot of what"
                    + " learns, or the model it was made from");
        }
        held.files()
                .write(
                        directory,
                        ModelFiles.WEIGHTS,
                        type,
                        Map.of("config.json", config.toJson(type), "generation_config.json", config.generationJson()));
    }

    @Override
    public String digest() {
        return held.files().digest();
    }

    /** One tensor by its Hugging Face name, float32, row by row. */
    public float[] weights(String name) {
        return held.files().tensor(name);
    }

    // ---- what they say ----------------------------------------------------------------------------------------------

    @Override
    public float[] lastLogits(int[] ids) {
        float[][] logits = logits(ids);
        return logits[logits.length - 1];
    }

    /** What the model expects after each token: {@code [T][V]}. */
    public float[][] logits(int[] sequence) {
        return scorer().logits(sequence);
    }

    /**
     * For each sequence of n tokens n − 1 values: log p(token i + 1 | tokens up to i), in nats. Sequences of similar
     * length share a call; memory stays bounded however many there are.
     *
     * @throws IllegalArgumentException if a sequence is empty, longer than {@code maxPositions}, or has an unknown id
     */
    public List<float[]> logProbabilities(List<int[]> sequences) {
        return scorer().logProbabilities(sequences);
    }

    /**
     * As {@link #logProbabilities(List)}, with less memory, or more.
     *
     * @param atOnce tokens that a call holds at most, padding included, unless one sequence alone is longer
     */
    public List<float[]> logProbabilities(List<int[]> sequences, int atOnce) {
        return scorer().logProbabilities(sequences, atOnce);
    }

    /**
     * Log-probabilities of the tokens of answers given their prompts, {@code [text][answer][token]}, nats: what
     * {@link DecoderLearner#logProbabilities} of a learner with these weights would say. Each prompt is read once.
     *
     * @param atOnce tokens that a call holds at most, padding included, unless one text with its answers is longer;
     *               {@link #SCORED_AT_ONCE} is usual
     * @throws IllegalArgumentException if a token is not in the vocabulary, or a prompt with an answer is longer than the
     *     model's positions
     */
    public double[][][] answerLogProbabilities(List<PromptAnswers> texts, int atOnce) {
        return scorer().logProbabilitiesOfAnswers(texts, PrefixRows.Form.PACKED, atOnce);
    }

    /**
     * For each text the scores of the state after its last token, in the order of the labels. Texts of similar length share
     * a call. Last tokens that are padding by the configuration are none of the text, as transformers has it.
     *
     * @throws IllegalArgumentException if a text is empty, longer than {@code maxPositions}, or has an unknown id
     * @throws IllegalStateException    if this is a language model
     */
    public List<float[]> scores(List<int[]> texts) {
        return scorer().scores(texts);
    }

    private Scorer scorer() {
        return new Scorer(config, held.program(), held.master(), held.compute(), Optional.empty());
    }

    // ---- for the package --------------------------------------------------------------------------------------------

    /** Weights of a model of this shape that were made elsewhere; this model will own them. */
    static LanguageModel owning(ModelConfig config, HeldWeights held) {
        return new LanguageModel(config, held);
    }

    HeldWeights held() {
        return held;
    }

    TorchProgram program() {
        return held.program();
    }

    FlatWeights master() {
        return held.master();
    }

    TorchProgram.Opaque compute() {
        return held.compute();
    }

    /** The matrices as generation multiplies with them; made when they are first asked for. */
    synchronized TorchProgram.Opaque packed() {
        config.head().requireSpeech();
        if (packed == null) {
            packed = program().keep(held.manager(), "pack", compute());
        }
        return packed;
    }

    /** Frees the native memory. Reading afterwards is an error. */
    @Override
    public void close() {
        held.close();
    }
}
