package io.tidemill.model.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Where each Hugging Face tensor lies in the flat tensor of all weights. Matrices come first, in the order of the
 * layers, then all weights of one dimension, so that weight decay is one range. What is multiplied with the same input
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

        /** What a fresh model has here, or NaN where it is random. */
        float initial() {
            return shape.length > 1 ? Float.NaN : name.endsWith("bias") ? 0 : 1;
        }
    }

    /** The matrix from states to scores, as transformers calls it. */
    static final String SCORES = "score.weight";

    private final List<Slot> slots = new ArrayList<>();
    private long length;
    private final long small;

    Layout(ModelConfig config) {
        if (config.family().isGpt2()) {
            gpt2Matrices(config);
        } else {
            llamaMatrices(config);
        }
        long matrices = length;
        if (config.family().isGpt2()) {
            gpt2Vectors(config);
        } else {
            llamaVectors(config);
        }
        small = length - matrices;
        slots.sort(Comparator.comparing(Slot::name));
    }

    Layout(EncoderConfig config) {
        bertMatrices(config);
        long matrices = length;
        bertVectors(config);
        small = length - matrices;
        slots.sort(Comparator.comparing(Slot::name));
    }

    /**
     * An adapter's matrices by PEFT's names: for each matrix of the base its modules' A one below the other, then their B;
     * last the matrix of scores, where the base has one, which is trained as a whole ({@code modules_to_save}).
     *
     * @param modules all of the base, those without adapter too
     */
    Layout(ModelConfig base, List<LoraModule> modules) {
        addFactors(modules);
        if (base.head().scores() > 0) {
            add(LoraModule.PREFIX + SCORES, base.head().scores(), base.hiddenSize());
        }
        small = 0;
        slots.sort(Comparator.comparing(Slot::name));
    }

    /** The same on an encoder; where it has labels, the classifier that the adapter has of its own comes last. */
    Layout(EncoderConfig base, List<LoraModule> modules) {
        addFactors(modules);
        long matrices = length;
        if (base.head() == EncoderConfig.Head.LABELS) {
            int labels = base.labels().size();
            add(LoraModule.PREFIX + "classifier.weight", labels, base.hiddenSize());
            matrices = length;
            add(LoraModule.PREFIX + "classifier.bias", labels);
        }
        small = length - matrices;
        slots.sort(Comparator.comparing(Slot::name));
    }

    private void addFactors(List<LoraModule> modules) {
        for (int from = 0, to; from < modules.size(); from = to) {
            to = from;
            while (to < modules.size()
                    && modules.get(to).linear().matrix()
                            == modules.get(from).linear().matrix()) {
                to++;
            }
            List<LoraModule> together = modules.subList(from, to).stream()
                    .filter(module -> module.rank() > 0)
                    .toList();
            together.forEach(module ->
                    add(module.tensor("A"), module.rank(), module.linear().columns()));
            together.forEach(module -> add(module.tensor("B"), module.linear().rows(), module.rank()));
        }
    }

    private void llamaMatrices(ModelConfig c) {
        add("model.embed_tokens.weight", c.vocabularySize(), c.hiddenSize());
        for (LinearModule module : LinearModule.of(c)) {
            add(module.name() + ".weight", module.rows(), module.columns());
        }
        heads(c);
    }

    private void heads(ModelConfig c) {
        if (c.hasOwnLanguageHead()) {
            add("lm_head.weight", c.vocabularySize(), c.hiddenSize());
        }
        if (c.head().scores() > 0) {
            add(SCORES, c.head().scores(), c.hiddenSize());
        }
    }

    private void llamaVectors(ModelConfig c) {
        for (int layer = 0; layer < c.layers(); layer++) {
            add("model.layers." + layer + ".input_layernorm.weight", c.hiddenSize());
            add("model.layers." + layer + ".post_attention_layernorm.weight", c.hiddenSize());
        }
        add("model.norm.weight", c.hiddenSize());
        for (int layer = 0; layer < c.layers() && c.family().normalisesHeads(); layer++) {
            add("model.layers." + layer + ".self_attn.q_norm.weight", c.headSize());
            add("model.layers." + layer + ".self_attn.k_norm.weight", c.headSize());
        }
        for (int layer = 0; layer < c.layers(); layer++) {
            String prefix = "model.layers." + layer + ".";
            if (c.queryKeyValueBias()) {
                add(prefix + "self_attn.q_proj.bias", (long) c.heads() * c.headSize());
                add(prefix + "self_attn.k_proj.bias", (long) c.keyValueHeads() * c.headSize());
                add(prefix + "self_attn.v_proj.bias", (long) c.keyValueHeads() * c.headSize());
            }
            if (c.attentionOutputBias()) {
                add(prefix + "self_attn.o_proj.bias", c.hiddenSize());
            }
            if (c.feedForwardBias()) {
                add(prefix + "mlp.gate_proj.bias", c.intermediateSize());
                add(prefix + "mlp.up_proj.bias", c.intermediateSize());
                add(prefix + "mlp.down_proj.bias", c.hiddenSize());
            }
        }
    }

    /** The matrices of GPT-2's layers are stored [in, out], and stay so. */
    private void gpt2Matrices(ModelConfig c) {
        long hidden = c.hiddenSize();
        add("transformer.wte.weight", c.vocabularySize(), hidden);
        for (LinearModule module : LinearModule.of(c)) {
            add(module.name() + ".weight", module.columns(), module.rows());
        }
        heads(c);
        add("transformer.wpe.weight", c.maxPositions(), hidden);
    }

    private void gpt2Vectors(ModelConfig c) {
        for (String kind : List.of("weight", "bias")) {
            for (int layer = 0; layer < c.layers(); layer++) {
                add("transformer.h." + layer + ".ln_1." + kind, c.hiddenSize());
                add("transformer.h." + layer + ".ln_2." + kind, c.hiddenSize());
            }
            add("transformer.ln_f." + kind, c.hiddenSize());
        }
        for (int layer = 0; layer < c.layers(); layer++) {
            String prefix = "transformer.h." + layer + ".";
            add(prefix + "attn.c_attn.bias", 3L * c.hiddenSize());
            add(prefix + "attn.c_proj.bias", c.hiddenSize());
            add(prefix + "mlp.c_fc.bias", c.intermediateSize());
            add(prefix + "mlp.c_proj.bias", c.hiddenSize());
        }
    }

    private void bertMatrices(EncoderConfig c) {
        long hidden = c.hiddenSize();
        add("bert.embeddings.word_embeddings.weight", c.vocabularySize(), hidden);
        add("bert.embeddings.position_embeddings.weight", c.maxPositions(), hidden);
        add("bert.embeddings.token_type_embeddings.weight", c.tokenTypes(), hidden);
        for (int layer = 0; layer < c.layers(); layer++) {
            String prefix = "bert.encoder.layer." + layer + ".";
            add(prefix + "attention.self.query.weight", hidden, hidden);
            add(prefix + "attention.self.key.weight", hidden, hidden);
            add(prefix + "attention.self.value.weight", hidden, hidden);
            add(prefix + "attention.output.dense.weight", hidden, hidden);
            add(prefix + "intermediate.dense.weight", c.intermediateSize(), hidden);
            add(prefix + "output.dense.weight", hidden, c.intermediateSize());
        }
        if (c.head() != EncoderConfig.Head.BARE) {
            add(beforeHead(c) + ".weight", hidden, hidden);
        }
        if (c.head() == EncoderConfig.Head.LABELS) {
            add("classifier.weight", c.labels().size(), hidden);
        }
    }

    private void bertVectors(EncoderConfig c) {
        for (String kind : List.of("weight", "bias")) {
            add("bert.embeddings.LayerNorm." + kind, c.hiddenSize());
            for (int layer = 0; layer < c.layers(); layer++) {
                add("bert.encoder.layer." + layer + ".attention.output.LayerNorm." + kind, c.hiddenSize());
                add("bert.encoder.layer." + layer + ".output.LayerNorm." + kind, c.hiddenSize());
            }
            if (c.head() == EncoderConfig.Head.MASKED) {
                add("cls.predictions.transform.LayerNorm." + kind, c.hiddenSize());
            }
        }
        for (int layer = 0; layer < c.layers(); layer++) {
            String prefix = "bert.encoder.layer." + layer + ".";
            add(prefix + "attention.self.query.bias", c.hiddenSize());
            add(prefix + "attention.self.key.bias", c.hiddenSize());
            add(prefix + "attention.self.value.bias", c.hiddenSize());
            add(prefix + "attention.output.dense.bias", c.hiddenSize());
            add(prefix + "intermediate.dense.bias", c.intermediateSize());
            add(prefix + "output.dense.bias", c.hiddenSize());
        }
        if (c.head() != EncoderConfig.Head.BARE) {
            add(beforeHead(c) + ".bias", c.hiddenSize());
        }
        switch (c.head()) {
            case MASKED -> add("cls.predictions.bias", c.vocabularySize());
            case LABELS -> add("classifier.bias", c.labels().size());
            case NONE, BARE -> {}
        }
    }

    static String beforeHead(EncoderConfig c) {
        return c.head() == EncoderConfig.Head.MASKED ? "cls.predictions.transform.dense" : "bert.pooler.dense";
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

    boolean has(String name) {
        return slots.stream().anyMatch(slot -> slot.name().equals(name));
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

    /** How many of them, the last ones, are of one dimension. */
    long small() {
        return small;
    }

    /** The program that computes with this layout. */
    static TorchProgram program(ModelConfig c) {
        return program(c, withoutAdapter(c));
    }

    /** The modules of a model, none of which has an adapter. */
    static List<LoraModule> withoutAdapter(ModelConfig c) {
        return LinearModule.of(c).stream()
                .map(linear -> new LoraModule(linear, 0, 1))
                .toList();
    }

    /** The program of a model and an adapter on it. */
    static TorchProgram program(ModelConfig c, List<LoraModule> modules) {
        return program(texts(TorchProgram.multipliesWithOneDnn()), constants(c, modules));
    }

    /** @param oneDnn whether generation multiplies with oneDNN's operators, which are for tensors of the CPU alone */
    static List<String> texts(boolean oneDnn) {
        return List.of(
                "decoder.torchscript",
                oneDnn ? "linear-onednn.torchscript" : "linear-plain.torchscript",
                "common.torchscript");
    }

    /** What the attributes of a decoder's program are. */
    static Map<String, Object> constants(ModelConfig c, List<LoraModule> modules) {
        Map<String, Object> constants = new LinkedHashMap<>();
        constants.put("vocabulary", c.vocabularySize());
        constants.put("hidden_size", c.hiddenSize());
        constants.put("intermediate", c.intermediateSize());
        constants.put("layers", c.layers());
        constants.put("heads", c.heads());
        constants.put("kv_heads", c.keyValueHeads());
        constants.put("head_size", c.headSize());
        constants.put("tied", c.tiedEmbeddings());
        constants.put("speaks", c.head().speaks());
        constants.put("scores", c.head().scores());
        constants.put("epsilon", c.rmsNormEpsilon());
        constants.put("rotary", !c.family().isGpt2());
        constants.put("theta", c.ropeTheta());
        constants.put("rotary_factors", c.ropeScaling().factors(c.ropeTheta(), c.headSize()));
        constants.put("rotary_scale", c.ropeScaling().magnitude());
        constants.put("places", c.family().isGpt2() ? c.maxPositions() : 0);
        constants.put("window", c.slidingWindow());
        constants.put("full_layers", c.fullAttentionLayers());
        constants.put("head_norms", c.family().normalisesHeads());
        constants.put("qkv_bias", c.queryKeyValueBias());
        constants.put("out_bias", c.attentionOutputBias());
        constants.put("mlp_bias", c.feedForwardBias());
        constants.put("layer_norm", c.family().isGpt2());
        constants.put("gated", !c.family().isGpt2());
        constants.put("transposed", c.family().isGpt2());
        List<LinearModule> ofLayer = LinearModule.ofLayer(c, 0);
        constants.put(
                "members",
                IntStream.range(0, 4)
                        .mapToObj(matrix -> (int) ofLayer.stream()
                                .filter(module -> module.matrix() == matrix)
                                .count())
                        .toList());
        constants.put("member_rows", ofLayer.stream().map(LinearModule::rows).toList());
        constants.put("ranks", modules.stream().map(LoraModule::rank).toList());
        constants.put("scales", modules.stream().map(LoraModule::scale).toList());
        constants.put("small", Math.toIntExact(new Layout(c).small));
        return constants;
    }

    static TorchProgram program(EncoderConfig c) {
        return program(c, withoutAdapter(c));
    }

    /** The program of an encoder and an adapter on it. */
    static TorchProgram program(EncoderConfig c, List<LoraModule> modules) {
        return program(ENCODER_TEXTS, constants(c, modules));
    }

    /** The modules of an encoder, none of which has an adapter. */
    static List<LoraModule> withoutAdapter(EncoderConfig c) {
        return LinearModule.of(c).stream()
                .map(linear -> new LoraModule(linear, 0, 1))
                .toList();
    }

    static final List<String> ENCODER_TEXTS = List.of("encoder.torchscript", "common.torchscript");

    static Map<String, Object> constants(EncoderConfig c) {
        return constants(c, withoutAdapter(c));
    }

    private static Map<String, Object> constants(EncoderConfig c, List<LoraModule> modules) {
        Map<String, Object> constants = new LinkedHashMap<>();
        constants.put("vocabulary", c.vocabularySize());
        constants.put("hidden_size", c.hiddenSize());
        constants.put("intermediate", c.intermediateSize());
        constants.put("layers", c.layers());
        constants.put("heads", c.heads());
        constants.put("places", c.maxPositions());
        constants.put("token_types", c.tokenTypes());
        constants.put("epsilon", c.layerNormEpsilon());
        constants.put("masked", c.head() == EncoderConfig.Head.MASKED);
        constants.put("bare", c.head() == EncoderConfig.Head.BARE);
        constants.put("classes", c.labels().size());
        constants.put("problem", c.problem().ordinal());
        constants.put("small", Math.toIntExact(new Layout(c).small));
        List<Integer> members = new ArrayList<>();
        List<Integer> columns = new ArrayList<>();
        int matrix = -1;
        for (LoraModule module : modules) {
            if (module.linear().matrix() != matrix) {
                matrix = module.linear().matrix();
                members.add(0);
                columns.add(module.linear().columns());
            }
            members.set(members.size() - 1, members.get(members.size() - 1) + 1);
        }
        constants.put("members", members);
        constants.put("columns", columns);
        constants.put(
                "rows", modules.stream().map(module -> module.linear().rows()).toList());
        constants.put("ranks", modules.stream().map(LoraModule::rank).toList());
        constants.put("scales", modules.stream().map(LoraModule::scale).toList());
        return constants;
    }

    private static TorchProgram program(List<String> texts, Map<String, Object> constants) {
        return PROGRAMS.computeIfAbsent(constants, key -> TorchProgram.resources(texts, "Program", key));
    }

    /** Programs hold no weights and are few: one per shape that this process has met. */
    private static final Map<Map<String, Object>, TorchProgram> PROGRAMS =
            new java.util.concurrent.ConcurrentHashMap<>();
}
