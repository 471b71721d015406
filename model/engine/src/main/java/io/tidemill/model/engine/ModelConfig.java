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

/**
 * The shape of a Llama decoder, as Hugging Face's {@code config.json} gives it. What such a file asks for and this
 * engine does not have is refused by field and value, never ignored.
 *
 * @param headSize         D, elements per attention head; even
 * @param maxPositions     longest sequence, tokens
 * @param ropeTheta        base of the rotary embedding
 * @param tiedEmbeddings   the head is the embedding
 * @param initializerRange standard deviation of random weights
 * @param bosTokenId       first token of a text, or −1 for none
 * @param eosTokenIds      tokens that end a text; may be empty
 */
public record ModelConfig(
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

    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final Set<String> FAMILIES = Set.of("llama", "mistral");

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
        if (headSize % 2 != 0) {
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
    }

    private static void atLeastOne(String field, int value) {
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

    /** Number of weights; a tied head counts once. */
    public long parameterCount() {
        long attention = (long) hiddenSize * headSize * (2L * heads + 2L * keyValueHeads);
        long feedForward = 3L * hiddenSize * intermediateSize;
        long embeddings = (long) vocabularySize * hiddenSize * (tiedEmbeddings ? 1 : 2);
        return embeddings + layers * (attention + feedForward + 2L * hiddenSize) + hiddenSize;
    }

    // ---- reading ----------------------------------------------------------------------------------------------------

    public static ModelConfig read(Path configJson) throws IOException {
        JsonNode json;
        try {
            json = JSON.readTree(configJson.toFile());
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(configJson + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
        try {
            return parse(json);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(configJson + ": " + e.getMessage(), e);
        }
    }

    static ModelConfig parse(JsonNode json) {
        if (json == null || !json.isObject()) {
            throw new IllegalArgumentException("a model configuration is a JSON object");
        }
        refuseWhatWeDoNotHave(json);
        int heads = whole(json, "num_attention_heads", null);
        int hidden = whole(json, "hidden_size", null);
        atLeastOne("num_attention_heads", heads);
        return new ModelConfig(
                whole(json, "vocab_size", null),
                hidden,
                whole(json, "intermediate_size", null),
                whole(json, "num_hidden_layers", null),
                heads,
                whole(json, "num_key_value_heads", heads),
                whole(json, "head_dim", hidden / heads),
                whole(json, "max_position_embeddings", 2048),
                ropeTheta(json),
                number(json, "rms_norm_eps", 1e-6),
                json.path("tie_word_embeddings").asBoolean(false),
                number(json, "initializer_range", 0.02),
                json.path("bos_token_id").isNull() ? -1 : whole(json, "bos_token_id", 1),
                eos(json));
    }

    private static void refuseWhatWeDoNotHave(JsonNode json) {
        String family = json.path("model_type").asText("");
        if (!FAMILIES.contains(family)) {
            throw refused(json, "model_type", "decoders of the Llama shape are supported: llama, mistral");
        }
        expect(json, "hidden_act", "silu");
        expect(json, "attention_bias", "false");
        expect(json, "mlp_bias", "false");
        expect(json, "attention_dropout", "0.0");
        expect(json, "partial_rotary_factor", "1.0");
        expect(json, "pretraining_tp", "1");
        absent(json, "rope_scaling");
        absent(json, "sliding_window");
        absent(json, "quantization_config");
        JsonNode rope = json.path("rope_parameters");
        if (rope.isObject()) {
            expect(rope, "rope_type", "default");
            expect(rope, "partial_rotary_factor", "1.0");
        }
    }

    private static void expect(JsonNode json, String field, String value) {
        JsonNode found = json.path(field);
        if (found.isMissingNode() || found.isNull()) {
            return;
        }
        boolean same = found.isNumber()
                ? found.doubleValue() == Double.parseDouble(value)
                : found.asText().equals(value);
        if (!same) {
            throw refused(json, field, "only " + value + " is supported");
        }
    }

    private static void absent(JsonNode json, String field) {
        JsonNode found = json.path(field);
        boolean plainRope =
                found.path("rope_type").asText(found.path("type").asText("")).equals("default");
        if (!found.isMissingNode() && !found.isNull() && !plainRope) {
            throw refused(json, field, "this is not supported");
        }
    }

    private static IllegalArgumentException refused(JsonNode json, String field, String why) {
        return new IllegalArgumentException(field + " is " + json.path(field) + ", but " + why);
    }

    private static double ropeTheta(JsonNode json) {
        JsonNode rope = json.path("rope_parameters"); // transformers 5; before it the field stood at the top
        return rope.hasNonNull("rope_theta") ? number(rope, "rope_theta", null) : number(json, "rope_theta", 10_000.0);
    }

    private static List<Integer> eos(JsonNode json) {
        JsonNode eos = json.path("eos_token_id");
        List<Integer> ids = new ArrayList<>();
        if (eos.isArray()) {
            eos.forEach(id -> ids.add(id.asInt()));
        } else if (!eos.isNull()) {
            ids.add(whole(json, "eos_token_id", 2));
        }
        return ids;
    }

    private static int whole(JsonNode json, String field, Integer otherwise) {
        JsonNode value = json.path(field);
        if ((value.isMissingNode() || value.isNull()) && otherwise != null) {
            return otherwise;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new IllegalArgumentException(field + " must be a whole number, but was "
                    + (value.isMissingNode() ? "absent" : value.toString()));
        }
        return value.intValue();
    }

    private static double number(JsonNode json, String field, Double otherwise) {
        JsonNode value = json.path(field);
        if ((value.isMissingNode() || value.isNull()) && otherwise != null) {
            return otherwise;
        }
        if (!value.isNumber()) {
            throw new IllegalArgumentException(
                    field + " must be a number, but was " + (value.isMissingNode() ? "absent" : value.toString()));
        }
        return value.doubleValue();
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    /** {@code config.json} that transformers loads as {@code LlamaForCausalLM}, in its old and its new spelling. */
    public String toJson() {
        return toJson(WeightType.FLOAT32);
    }

    String toJson(WeightType type) {
        ObjectNode json = JSON.createObjectNode();
        json.putArray("architectures").add("LlamaForCausalLM");
        json.put("attention_bias", false);
        json.put("attention_dropout", 0.0);
        tokens(json);
        json.put("dtype", type.torchName());
        json.put("head_dim", headSize);
        json.put("hidden_act", "silu");
        json.put("hidden_size", hiddenSize);
        json.put("initializer_range", initializerRange);
        json.put("intermediate_size", intermediateSize);
        json.put("max_position_embeddings", maxPositions);
        json.put("mlp_bias", false);
        json.put("model_type", "llama");
        json.put("num_attention_heads", heads);
        json.put("num_hidden_layers", layers);
        json.put("num_key_value_heads", keyValueHeads);
        json.put("rms_norm_eps", rmsNormEpsilon);
        json.putObject("rope_parameters").put("rope_theta", ropeTheta).put("rope_type", "default");
        json.put("rope_theta", ropeTheta);
        json.put("tie_word_embeddings", tiedEmbeddings);
        json.put("torch_dtype", type.torchName());
        json.put("use_cache", true);
        json.put("vocab_size", vocabularySize);
        return pretty(json);
    }

    /** {@code generation_config.json}: how to begin and end. */
    String generationJson() {
        ObjectNode json = JSON.createObjectNode();
        json.put("_from_model_config", true);
        tokens(json);
        return pretty(json);
    }

    private void tokens(ObjectNode json) {
        if (bosTokenId < 0) {
            json.putNull("bos_token_id");
        } else {
            json.put("bos_token_id", bosTokenId);
        }
        if (eosTokenIds.isEmpty()) {
            json.putNull("eos_token_id");
        } else if (eosTokenIds.size() == 1) {
            json.put("eos_token_id", eosTokenIds.get(0));
        } else {
            ArrayNode ids = json.putArray("eos_token_id");
            eosTokenIds.forEach(ids::add);
        }
    }

    private static String pretty(ObjectNode json) {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
