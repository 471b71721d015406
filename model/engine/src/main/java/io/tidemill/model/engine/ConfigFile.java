package io.tidemill.model.engine;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * {@code config.json} to {@link ModelConfig} and back. A field that is absent means what it means to transformers 5,
 * family by family. Of a decoder's fields those are looked at that its class in transformers reads.
 */
final class ConfigFile {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final String FULL = "full_attention";
    private static final String SLIDING = "sliding_attention";
    private static final Set<String> ROPE_FIELDS = Set.of(
            "type",
            "rope_type",
            "rope_theta",
            "partial_rotary_factor",
            "factor",
            "original_max_position_embeddings",
            "attention_factor",
            "beta_fast",
            "beta_slow",
            "mscale",
            "mscale_all_dim",
            "truncate",
            "low_freq_factor",
            "high_freq_factor");

    private ConfigFile() {}

    // ---- reading ----------------------------------------------------------------------------------------------------

    static ModelConfig read(Path configJson) throws IOException {
        return read(configJson, ConfigFile::parse);
    }

    static <T> T read(Path configJson, Function<JsonNode, T> parser) throws IOException {
        JsonNode json;
        try {
            json = JSON.readTree(configJson.toFile());
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(configJson + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
        try {
            if (json == null || !json.isObject()) {
                throw new IllegalArgumentException("a model configuration is a JSON object");
            }
            return parser.apply(json);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(configJson + ": " + e.getMessage(), e);
        }
    }

    static ModelConfig parse(JsonNode json) {
        ConfigFields fields = new ConfigFields(json);
        Family family = Family.of(fields.text("model_type", ""))
                .orElseThrow(() -> fields.refused("model_type", "these decoders are supported: " + Family.all()));
        fields.refuse("quantization_config");
        fields.expect("is_encoder_decoder", "false");
        fields.expect("add_cross_attention", "false");
        DecoderHead head = head(fields, family);
        return (family.isGpt2() ? gpt2(fields) : llama(fields, family)).withHead(head);
    }

    private static DecoderHead head(ConfigFields fields, Family family) {
        JsonNode named = fields.get("architectures");
        if (!named.isArray() || named.isEmpty()) {
            return DecoderHead.LANGUAGE;
        }
        String scoring = family.architecture(DecoderHead.ofScores(1));
        for (JsonNode architecture : named) {
            if (architecture.asText().equals(family.architecture())) {
                return DecoderHead.LANGUAGE;
            } else if (architecture.asText().equals(scoring)) {
                return new DecoderHead(DecoderHead.Kind.SCORES, labels(fields), fields.whole("pad_token_id", -1));
            }
        }
        throw fields.refused("architectures", "only " + family.architecture() + " and " + scoring + " are supported");
    }

    /** Names of what is scored; transformers has two where the file says nothing. */
    static List<String> labels(ConfigFields fields) {
        JsonNode named = fields.get("id2label");
        int count = fields.whole("num_labels", named.isObject() ? named.size() : 2);
        ModelConfig.atLeastOne("num_labels", count);
        return IntStream.range(0, count)
                .mapToObj(i -> named.path(Integer.toString(i)).asText("LABEL_" + i))
                .toList();
    }

    private static ModelConfig llama(ConfigFields fields, Family family) {
        fields.expect("hidden_act", "silu");
        fields.expect("attention_dropout", "0.0");
        fields.expect("partial_rotary_factor", "1.0");
        fields.expect("pretraining_tp", "1");
        fields.expect("rope_interleaved", "false");
        fields.expect("use_mrope", "false");
        if (!family.mayChooseAttentionBias() && family != Family.QWEN2) {
            fields.expect("attention_bias", "false");
        }
        if (family != Family.LLAMA) {
            fields.expect("mlp_bias", "false");
        }
        int heads = fields.whole("num_attention_heads", null);
        int hidden = fields.whole("hidden_size", null);
        int layers = fields.whole("num_hidden_layers", null);
        int positions = fields.whole("max_position_embeddings", usualPositions(family));
        ModelConfig.atLeastOne("num_attention_heads", heads);
        ModelConfig.atLeastOne("num_hidden_layers", layers);
        int keyValueHeads = fields.whole("num_key_value_heads", keyValueHeads(fields, family, heads));
        boolean namesHeadSize = family == Family.QWEN3 && !fields.names("head_dim");
        ConfigFields rope = rope(fields);
        int window = window(fields, family);
        return new ModelConfig(
                family,
                fields.whole("vocab_size", null),
                hidden,
                fields.whole("intermediate_size", null),
                layers,
                heads,
                keyValueHeads,
                fields.whole("head_dim", namesHeadSize ? 128 : hidden / heads),
                positions,
                rope.number("rope_theta", fields.number("rope_theta", 10_000.0)),
                fields.number("rms_norm_eps", 1e-6),
                fields.flag("tie_word_embeddings", false),
                fields.number("initializer_range", 0.02),
                bos(fields, family == Family.LLAMA || family == Family.MISTRAL ? 1 : -1),
                eos(fields, family == Family.LLAMA || family == Family.MISTRAL ? 2 : -1),
                scaling(rope, fields, positions),
                family.mayChooseAttentionBias() && fields.flag("attention_bias", false),
                family == Family.LLAMA && fields.flag("mlp_bias", false),
                window,
                fullLayers(fields, family, window, layers));
    }

    private static int usualPositions(Family family) {
        return switch (family) {
            case MISTRAL -> 131_072;
            case QWEN2, QWEN3 -> 32_768;
            default -> 2048;
        };
    }

    /** Absent means what the family's first model had; null means one per head. */
    private static int keyValueHeads(ConfigFields fields, Family family, int heads) {
        if (family == Family.LLAMA || fields.names("num_key_value_heads")) {
            return heads;
        }
        return family == Family.MISTRAL ? 8 : 32;
    }

    private static int window(ConfigFields fields, Family family) {
        if (family.mayChooseWindowLayers()) {
            if (!fields.flag("use_sliding_window", false)) {
                return 0;
            }
        } else {
            fields.expect("use_sliding_window", "false");
            if (family == Family.LLAMA) {
                fields.refuse("sliding_window");
                return 0;
            }
        }
        int window = fields.whole("sliding_window", fields.names("sliding_window") ? 0 : 4096);
        if (fields.has("sliding_window") && window < 1) {
            throw fields.refused("sliding_window", "a window holds at least 1 token");
        }
        return window;
    }

    /** How many layers see all tokens; those must come first. */
    private static int fullLayers(ConfigFields fields, Family family, int window, int layers) {
        int full = window == 0 ? layers : 0;
        if (family.mayChooseWindowLayers() && window > 0) {
            full = fields.whole("max_window_layers", 28);
        }
        JsonNode types = fields.get("layer_types");
        if (!types.isArray()) {
            return full;
        }
        int named = 0;
        while (named < types.size() && types.get(named).asText().equals(FULL)) {
            named++;
        }
        for (int layer = named; layer < types.size(); layer++) {
            if (!types.get(layer).asText().equals(SLIDING)) {
                throw fields.refused(
                        "layer_types", "only " + FULL + " in the first layers and " + SLIDING + " after is supported");
            }
        }
        boolean chosen = family.mayChooseWindowLayers() && window > 0;
        if (types.size() != layers || !chosen && named != Math.min(full, layers)) {
            throw fields.refused(
                    "layer_types",
                    "the model has " + layers + " layers and the window " + window + " (0 = none) in layers "
                            + Math.min(full, layers) + " and after");
        }
        return named;
    }

    /** {@code rope_scaling} of transformers 4 goes before {@code rope_parameters} of 5, as there. */
    private static ConfigFields rope(ConfigFields fields) {
        for (String name : List.of("rope_scaling", "rope_parameters")) {
            JsonNode rope = fields.get(name);
            if (rope.isObject() && !rope.isEmpty()) {
                ConfigFields found = new ConfigFields(rope);
                found.refuseAllBut(ROPE_FIELDS);
                return found;
            }
            if (fields.has(name) && !rope.isObject()) {
                throw fields.refused(name, "it must be an object");
            }
        }
        return new ConfigFields(JSON.createObjectNode());
    }

    private static RopeScaling scaling(ConfigFields rope, ConfigFields fields, int positions) {
        rope.expect("partial_rotary_factor", "1.0");
        String type = rope.text("rope_type", rope.text("type", "default"));
        int original = fields.whole(
                "original_max_position_embeddings", rope.whole("original_max_position_embeddings", positions));
        return switch (type) {
            case "default" -> RopeScaling.NONE;
            case "linear" -> new RopeScaling.Linear(rope.number("factor", null));
            case "dynamic" -> new RopeScaling.Dynamic(rope.number("factor", null));
            case "llama3" ->
                new RopeScaling.Llama3(
                        rope.number("factor", null),
                        rope.number("low_freq_factor", null),
                        rope.number("high_freq_factor", null),
                        original);
            case "yarn" -> yarn(rope, original, positions);
            default ->
                throw rope.refused(
                        rope.has("rope_type") ? "rope_type" : "type",
                        "only default, linear, dynamic, llama3 and yarn are supported");
        };
    }

    private static RopeScaling yarn(ConfigFields rope, int original, int positions) {
        double factor = rope.number("factor", (double) positions / original);
        double weight = rope.number("mscale", 0.0);
        double weightOfAll = rope.number("mscale_all_dim", 0.0);
        double magnitude = RopeScaling.Yarn.usualMagnitude(factor, 1);
        if (weight != 0 && weightOfAll != 0) {
            magnitude = RopeScaling.Yarn.usualMagnitude(factor, weight)
                    / RopeScaling.Yarn.usualMagnitude(factor, weightOfAll);
        }
        return new RopeScaling.Yarn(
                factor,
                rope.number("beta_fast", 32.0),
                rope.number("beta_slow", 1.0),
                original,
                rope.number("attention_factor", magnitude),
                rope.flag("truncate", true));
    }

    private static ModelConfig gpt2(ConfigFields fields) {
        fields.expect("activation_function", "gelu_new", "gelu_pytorch_tanh");
        fields.expect("scale_attn_weights", "true");
        fields.expect("scale_attn_by_inverse_layer_idx", "false");
        fields.expect("reorder_and_upcast_attn", "false");
        int hidden = fields.whole("n_embd", 768);
        int heads = fields.whole("n_head", 12);
        int layers = fields.whole("n_layer", 12);
        ModelConfig.atLeastOne("n_head", heads);
        if (hidden % heads != 0) {
            throw fields.refused("n_embd", "it must be a multiple of n_head, " + heads);
        }
        return new ModelConfig(
                Family.GPT2,
                fields.whole("vocab_size", 50_257),
                hidden,
                fields.whole("n_inner", 4 * hidden),
                layers,
                heads,
                heads,
                hidden / heads,
                fields.whole("n_positions", 1024),
                10_000, // unused: positions are learned
                fields.number("layer_norm_epsilon", 1e-5),
                fields.flag("tie_word_embeddings", true),
                fields.number("initializer_range", 0.02),
                bos(fields, 50_256),
                eos(fields, 50_256),
                RopeScaling.NONE,
                false,
                false,
                0,
                layers);
    }

    private static int bos(ConfigFields fields, int absent) {
        return fields.whole("bos_token_id", fields.names("bos_token_id") ? -1 : absent);
    }

    private static List<Integer> eos(ConfigFields fields, int absent) {
        JsonNode eos = fields.get("eos_token_id");
        List<Integer> ids = new ArrayList<>();
        if (eos.isArray()) {
            eos.forEach(id -> ids.add(id.asInt()));
        } else if (fields.has("eos_token_id") || !fields.names("eos_token_id") && absent >= 0) {
            ids.add(fields.whole("eos_token_id", absent));
        }
        return ids;
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    static String write(ModelConfig config, WeightType type) {
        ObjectNode json = JSON.createObjectNode();
        json.putArray("architectures").add(config.family().architecture(config.head()));
        json.put("model_type", config.family().modelType());
        tokens(config, json);
        json.put("dtype", type.torchName());
        json.put("initializer_range", config.initializerRange());
        json.put("tie_word_embeddings", config.tiedEmbeddings());
        json.put("torch_dtype", type.torchName());
        json.put("use_cache", true);
        json.put("vocab_size", config.vocabularySize());
        if (!config.head().speaks()) {
            writeScores(config.head(), json);
        }
        if (config.family().isGpt2()) {
            writeGpt2(config, json);
        } else {
            writeLlama(config, json);
        }
        return pretty(json);
    }

    private static void writeScores(DecoderHead head, ObjectNode json) {
        if (head.padTokenId() < 0) {
            json.putNull("pad_token_id");
        } else {
            json.put("pad_token_id", head.padTokenId());
        }
        writeLabels(head.labels(), json);
    }

    static void writeLabels(List<String> labels, ObjectNode json) {
        ObjectNode names = json.putObject("id2label");
        ObjectNode ids = json.putObject("label2id");
        for (int i = 0; i < labels.size(); i++) {
            names.put(Integer.toString(i), labels.get(i));
            ids.put(labels.get(i), i);
        }
    }

    private static void writeLlama(ModelConfig c, ObjectNode json) {
        json.put("attention_dropout", 0.0);
        json.put("head_dim", c.headSize());
        json.put("hidden_act", "silu");
        json.put("hidden_size", c.hiddenSize());
        json.put("intermediate_size", c.intermediateSize());
        json.put("max_position_embeddings", c.maxPositions());
        json.put("num_attention_heads", c.heads());
        json.put("num_hidden_layers", c.layers());
        json.put("num_key_value_heads", c.keyValueHeads());
        json.put("rms_norm_eps", c.rmsNormEpsilon());
        ObjectNode rope = json.putObject("rope_parameters").put("rope_theta", c.ropeTheta());
        c.ropeScaling().write(rope);
        json.put("rope_theta", c.ropeTheta());
        if (!c.ropeScaling().equals(RopeScaling.NONE)) {
            c.ropeScaling().write(json.putObject("rope_scaling"));
        }
        if (c.family().mayChooseAttentionBias()) {
            json.put("attention_bias", c.attentionBias());
        }
        if (c.family() == Family.LLAMA) {
            json.put("mlp_bias", c.mlpBias());
        } else if (c.slidingWindow() == 0) {
            json.putNull("sliding_window");
        } else {
            json.put("sliding_window", c.slidingWindow());
        }
        if (c.family().mayChooseWindowLayers()) {
            json.put("use_sliding_window", c.slidingWindow() > 0);
            json.put("max_window_layers", c.fullAttentionLayers());
            ArrayNode types = json.putArray("layer_types");
            for (int layer = 0; layer < c.layers(); layer++) {
                types.add(layer < c.fullAttentionLayers() ? FULL : SLIDING);
            }
        }
    }

    private static void writeGpt2(ModelConfig c, ObjectNode json) {
        json.put("activation_function", "gelu_new");
        json.put("attn_pdrop", 0.0);
        json.put("embd_pdrop", 0.0);
        json.put("layer_norm_epsilon", c.rmsNormEpsilon());
        json.put("n_ctx", c.maxPositions());
        json.put("n_embd", c.hiddenSize());
        json.put("n_head", c.heads());
        json.put("n_inner", c.intermediateSize());
        json.put("n_layer", c.layers());
        json.put("n_positions", c.maxPositions());
        json.put("resid_pdrop", 0.0);
    }

    static String generation(ModelConfig config) {
        ObjectNode json = JSON.createObjectNode();
        json.put("_from_model_config", true);
        tokens(config, json);
        return pretty(json);
    }

    private static void tokens(ModelConfig config, ObjectNode json) {
        if (config.bosTokenId() < 0) {
            json.putNull("bos_token_id");
        } else {
            json.put("bos_token_id", config.bosTokenId());
        }
        if (config.eosTokenIds().isEmpty()) {
            json.putNull("eos_token_id");
        } else if (config.eosTokenIds().size() == 1) {
            json.put("eos_token_id", config.eosTokenIds().get(0));
        } else {
            ArrayNode ids = json.putArray("eos_token_id");
            config.eosTokenIds().forEach(ids::add);
        }
    }

    static ObjectNode object() {
        return JSON.createObjectNode();
    }

    static String pretty(ObjectNode json) {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
