package io.tidemill.model.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where each Hugging Face tensor lies in the flat tensor of all weights. Matrices come first, in the order of the
 * layers, then all normalisation weights, so that weight decay is one range. What is multiplied with the same input
 * lies together: query, key and value as one matrix, gate and up as another.
 */
final class Layout {
    /** One tensor: {@code length} elements from {@code at}. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Slot(String name, long at, long[] shape) {
        long length() {
            long length = 1;
            for (long size : shape) {
                length *= size;
            }
            return length;
        }

        boolean isNorm() {
            return shape.length == 1;
        }
    }

    private final List<Slot> slots = new ArrayList<>();
    private long length;

    Layout(ModelConfig c) {
        long queries = (long) c.heads() * c.headSize();
        long keys = (long) c.keyValueHeads() * c.headSize();
        add("model.embed_tokens.weight", c.vocabularySize(), c.hiddenSize());
        for (int layer = 0; layer < c.layers(); layer++) {
            String prefix = "model.layers." + layer + ".";
            add(prefix + "self_attn.q_proj.weight", queries, c.hiddenSize());
            add(prefix + "self_attn.k_proj.weight", keys, c.hiddenSize());
            add(prefix + "self_attn.v_proj.weight", keys, c.hiddenSize());
            add(prefix + "self_attn.o_proj.weight", c.hiddenSize(), queries);
            add(prefix + "mlp.gate_proj.weight", c.intermediateSize(), c.hiddenSize());
            add(prefix + "mlp.up_proj.weight", c.intermediateSize(), c.hiddenSize());
            add(prefix + "mlp.down_proj.weight", c.hiddenSize(), c.intermediateSize());
        }
        if (!c.tiedEmbeddings()) {
            add("lm_head.weight", c.vocabularySize(), c.hiddenSize());
        }
        for (int layer = 0; layer < c.layers(); layer++) {
            add("model.layers." + layer + ".input_layernorm.weight", c.hiddenSize());
            add("model.layers." + layer + ".post_attention_layernorm.weight", c.hiddenSize());
        }
        add("model.norm.weight", c.hiddenSize());
        slots.sort(Comparator.comparing(Slot::name));
    }

    private void add(String name, long... shape) {
        Slot slot = new Slot(name, length, shape);
        slots.add(slot);
        length += slot.length();
    }

    /** All tensors in the order of their names. */
    List<Slot> slots() {
        return slots;
    }

    Slot slot(String name) {
        return slots.stream()
                .filter(slot -> slot.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Number of weights. */
    long length() {
        return length;
    }

    /** The program that computes with this layout. */
    static TorchProgram program(ModelConfig c) {
        Map<String, Object> constants = new LinkedHashMap<>();
        constants.put("vocabulary", c.vocabularySize());
        constants.put("hidden_size", c.hiddenSize());
        constants.put("intermediate", c.intermediateSize());
        constants.put("layers", c.layers());
        constants.put("heads", c.heads());
        constants.put("kv_heads", c.keyValueHeads());
        constants.put("head_size", c.headSize());
        constants.put("tied", c.tiedEmbeddings());
        constants.put("theta", c.ropeTheta());
        constants.put("epsilon", c.rmsNormEpsilon());
        return PROGRAMS.computeIfAbsent(constants, key -> TorchProgram.resource("llama.torchscript", "Llama", key));
    }

    /** Programs hold no weights and are few: one per shape that this process has met. */
    private static final Map<Map<String, Object>, TorchProgram> PROGRAMS =
            new java.util.concurrent.ConcurrentHashMap<>();
}
