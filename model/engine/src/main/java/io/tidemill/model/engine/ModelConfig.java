package io.tidemill.model.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The shape of a decoder, as Hugging Face's {@code config.json} gives it. What such a file asks for and this engine
 * does not have is refused by field and value, never ignored.
 *
 * <p>Dropout is not applied: the shares that GPT-2's files name are read past, other families' must be 0.
 *
 * @param headSize            D, elements per attention head; even where the rotary embedding is used
 * @param maxPositions        longest sequence, tokens
 * @param ropeTheta           base of the rotary embedding
 * @param rmsNormEpsilon      added to the mean square (GPT-2: the variance) before its root is taken
 * @param tiedEmbeddings      the head is the embedding
 * @param initializerRange    standard deviation of random weights
 * @param bosTokenId          first token of a text, or −1 for none
 * @param eosTokenIds         tokens that end a text; may be empty
 * @param ropeScaling         how the rotary embedding is stretched
 * @param attentionBias       biases after all four projections of attention; what a family always has is not meant
 * @param mlpBias             biases in the feed-forward part; likewise
 * @param slidingWindow       tokens that one sees, itself included, in layers that do not see all; 0 = all layers do
 * @param fullAttentionLayers so many layers from the first on see all tokens even where there is a window
 * @param head                what the last states become
 */
public record ModelConfig(
        Family family,
        int vocabularySize,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int keyValueHeads,
        int headSize,
        int maxPositions,
        double ropeTheta,
        double rmsNormEpsilon,
        boolean tiedEmbeddings,
        double initializerRange,
        int bosTokenId,
        List<Integer> eosTokenIds,
        RopeScaling ropeScaling,
        boolean attentionBias,
        boolean mlpBias,
        int slidingWindow,
        int fullAttentionLayers,
        DecoderHead head) {

    public ModelConfig {
        atLeastOne("vocab_size", vocabularySize);
        atLeastOne("hidden_size", hiddenSize);
        atLeastOne("intermediate_size", intermediateSize);
        atLeastOne("num_hidden_layers", layers);
        atLeastOne("num_attention_heads", heads);
        atLeastOne("num_key_value_heads", keyValueHeads);
        atLeastOne("head_dim", headSize);
        atLeastOne("max_position_embeddings", maxPositions);
        if (heads % keyValueHeads != 0) {
            throw new IllegalArgumentException("num_attention_heads must be a multiple of num_key_value_heads, but "
                    + heads + " is not one of " + keyValueHeads);
        }
        if (headSize % 2 != 0 && !family.isGpt2()) {
            throw new IllegalArgumentException("head_dim must be even, but was " + headSize);
        }
        positive("rope_theta", ropeTheta);
        positive("rms_norm_eps", rmsNormEpsilon);
        positive("initializer_range", initializerRange);
        token("bos_token_id", bosTokenId, vocabularySize);
        eosTokenIds = List.copyOf(eosTokenIds);
        for (int eos : eosTokenIds) {
            token("eos_token_id", eos, vocabularySize);
        }
        token("pad_token_id", head.padTokenId(), vocabularySize);
        if (slidingWindow < 0 || fullAttentionLayers < 0) {
            throw new IllegalArgumentException("sliding_window and max_window_layers must not be negative, but were "
                    + slidingWindow + " and " + fullAttentionLayers);
        }
        if (slidingWindow == 0 || fullAttentionLayers >= layers) { // one way to say that all layers see all
            slidingWindow = 0;
            fullAttentionLayers = layers;
        }
        boolean bias = attentionBias && !family.mayChooseAttentionBias() || mlpBias && family != Family.LLAMA;
        boolean window = slidingWindow > 0 && (family == Family.LLAMA || family.isGpt2());
        boolean someLayers = slidingWindow > 0 && fullAttentionLayers > 0 && !family.mayChooseWindowLayers();
        if (bias || window || someLayers) {
            throw new IllegalArgumentException(family.modelType() + " has no such switch: attention_bias "
                    + attentionBias + ", mlp_bias " + mlpBias + ", sliding_window " + slidingWindow
                    + ", layers without window " + fullAttentionLayers);
        }
    }

    /** A language model of any shape. */
    public ModelConfig(
            Family family,
            int vocabularySize,
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int keyValueHeads,
            int headSize,
            int maxPositions,
            double ropeTheta,
            double rmsNormEpsilon,
            boolean tiedEmbeddings,
            double initializerRange,
            int bosTokenId,
            List<Integer> eosTokenIds,
            RopeScaling ropeScaling,
            boolean attentionBias,
            boolean mlpBias,
            int slidingWindow,
            int fullAttentionLayers) {
        this(
                family,
                vocabularySize,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                keyValueHeads,
                headSize,
                maxPositions,
                ropeTheta,
                rmsNormEpsilon,
                tiedEmbeddings,
                initializerRange,
                bosTokenId,
                eosTokenIds,
                ropeScaling,
                attentionBias,
                mlpBias,
                slidingWindow,
                fullAttentionLayers,
                DecoderHead.LANGUAGE);
    }

    /** The plain Llama shape: no biases, no window, rotary embedding as trained. */
    public ModelConfig(
            int vocabularySize,
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int keyValueHeads,
            int headSize,
            int maxPositions,
            double ropeTheta,
            double rmsNormEpsilon,
            boolean tiedEmbeddings,
            double initializerRange,
            int bosTokenId,
            List<Integer> eosTokenIds) {
        this(
                Family.LLAMA,
                vocabularySize,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                keyValueHeads,
                headSize,
                maxPositions,
                ropeTheta,
                rmsNormEpsilon,
                tiedEmbeddings,
                initializerRange,
                bosTokenId,
                eosTokenIds,
                RopeScaling.NONE,
                false,
                false,
                0,
                layers);
    }

    static void atLeastOne(String field, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(field + " must be at least 1, but was " + value);
        }
    }

    private static void positive(String field, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(field + " must be positive and finite, but was " + value);
        }
    }

    private static void token(String field, int value, int vocabularySize) {
        if (value < -1 || value >= vocabularySize) {
            throw new IllegalArgumentException(
                    field + " must be below vocab_size " + vocabularySize + ", but was " + value);
        }
    }

    /** The same body with another head. */
    public ModelConfig withHead(DecoderHead other) {
        return new ModelConfig(
                family,
                vocabularySize,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                keyValueHeads,
                headSize,
                maxPositions,
                ropeTheta,
                rmsNormEpsilon,
                tiedEmbeddings,
                initializerRange,
                bosTokenId,
                eosTokenIds,
                ropeScaling,
                attentionBias,
                mlpBias,
                slidingWindow,
                fullAttentionLayers,
                other);
    }

    /** What is published: the same without a critic's head. */
    ModelConfig withoutValueHead() {
        return head.equals(DecoderHead.LANGUAGE_AND_VALUE) ? withHead(DecoderHead.LANGUAGE) : this;
    }

    /** Whether there is a matrix from states to the vocabulary that is not the embedding. */
    boolean hasOwnLanguageHead() {
        return head.speaks() && !tiedEmbeddings;
    }

    /** Number of weights; a tied head counts once. */
    public long parameterCount() {
        return new Layout(this).length();
    }

    boolean queryKeyValueBias() {
        return attentionBias || family == Family.QWEN2 || family.isGpt2();
    }

    boolean attentionOutputBias() {
        return attentionBias || family.isGpt2();
    }

    boolean feedForwardBias() {
        return mlpBias || family.isGpt2();
    }

    public static ModelConfig read(Path configJson) throws IOException {
        return ConfigFile.read(configJson);
    }

    /** {@code config.json} that transformers loads as the same architecture, in its old and its new spelling. */
    public String toJson() {
        return ConfigFile.write(this, WeightType.FLOAT32);
    }

    /** {@code config.json} of weights that are stored in this type. */
    String toJson(WeightType type) {
        return ConfigFile.write(this, type);
    }

    /** {@code generation_config.json}: how to begin and end. */
    String generationJson() {
        return ConfigFile.generation(this);
    }

    /** What must be equal for a training state to fit. */
    String stateShape() {
        String common = "vocabulary=" + vocabularySize + " hidden=" + hiddenSize + " intermediate="
                + intermediateSize + " layers=" + layers + " heads=" + heads
                + " keyValueHeads=" + keyValueHeads + " headSize=" + headSize + " tied="
                + tiedEmbeddings
                + (head.scores() == 0 ? "" : " head=" + head.kind() + " scores=" + head.scores());
        boolean llamaShape = family == Family.LLAMA || family == Family.MISTRAL;
        if (llamaShape && !attentionBias && !mlpBias) {
            return common;
        }
        return common + " family=" + family.modelType() + " attentionBias=" + attentionBias + " mlpBias=" + mlpBias
                + " positions=" + maxPositions;
    }
}
