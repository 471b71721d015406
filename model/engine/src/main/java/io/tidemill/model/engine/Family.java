package io.tidemill.model.engine;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Decoders by what transformers calls them. All are one program with switches; here is what a family fixes, and what
 * its {@code config.json} means where a field is absent.
 */
public enum Family {
    LLAMA("llama", "LlamaForCausalLM"),
    MISTRAL("mistral", "MistralForCausalLM"),
    QWEN2("qwen2", "Qwen2ForCausalLM"),
    QWEN3("qwen3", "Qwen3ForCausalLM"),
    GPT2("gpt2", "GPT2LMHeadModel");

    private final String modelType;
    private final String architecture;

    Family(String modelType, String architecture) {
        this.modelType = modelType;
        this.architecture = architecture;
    }

    static Optional<Family> of(String modelType) {
        return Arrays.stream(values())
                .filter(family -> family.modelType.equals(modelType))
                .findFirst();
    }

    static String all() {
        return Arrays.stream(values()).map(Family::modelType).collect(Collectors.joining(", "));
    }

    /** {@code model_type} of {@code config.json}. */
    public String modelType() {
        return modelType;
    }

    /** The class in transformers; {@code architectures} of {@code config.json}. */
    public String architecture() {
        return architecture;
    }

    /** The class in transformers for that head; a critic beside a head over the vocabulary is never written. */
    String architecture(DecoderHead head) {
        return head.speaks()
                ? architecture
                : architecture.replaceFirst("(ForCausalLM|LMHeadModel)$", "ForSequenceClassification");
    }

    /** Before the names of all tensors but the head; files written from the bare model leave it out. */
    String tensorPrefix() {
        return this == GPT2 ? "transformer." : "model.";
    }

    /** Tensors that older files hold and that are no weights. */
    boolean isLeftover(String tensor) {
        return tensor.endsWith("rotary_emb.inv_freq")
                || this == GPT2 && (tensor.endsWith(".attn.bias") || tensor.endsWith(".attn.masked_bias"));
    }

    /** Queries and keys are normalised, head by head. */
    boolean normalisesHeads() {
        return this == QWEN3;
    }

    /** Learned positions, LayerNorm with shifts, gelu without a gate, biases everywhere, matrices stored [in, out]. */
    boolean isGpt2() {
        return this == GPT2;
    }

    boolean mayChooseWindowLayers() {
        return List.of(QWEN2, QWEN3).contains(this);
    }

    boolean mayChooseAttentionBias() {
        return List.of(LLAMA, QWEN3).contains(this);
    }
}
