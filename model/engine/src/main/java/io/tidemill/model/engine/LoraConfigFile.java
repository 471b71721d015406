package io.tidemill.model.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * {@code adapter_config.json} of PEFT 0.21 to {@link LoraConfig} and back. A field that is absent means what it means
 * there. A field that is not known here may be there if it is off: null, false or empty.
 */
final class LoraConfigFile {
    private static final ObjectMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /** Read here, or about nothing that changes what an adapter computes. */
    private static final Set<String> KNOWN = Set.of(
            "alpha_pattern",
            "auto_mapping",
            "base_model_name_or_path",
            "bias",
            "exclude_modules",
            "fan_in_fan_out",
            "inference_mode",
            "init_lora_weights",
            "lora_alpha",
            "lora_dropout",
            "megatron_core",
            "modules_to_save",
            "peft_type",
            "peft_version",
            "qalora_group_size",
            "r",
            "rank_pattern",
            "revision",
            "runtime_config",
            "target_modules",
            "task_type",
            "use_rslora");

    /** Fields of PEFT 0.21 that are off in what we write: null, false, or an empty object. */
    private static final List<String> NULLS = List.of(
            "alora_invocation_tokens",
            "arrow_config",
            "auto_mapping",
            "corda_config",
            "eva_config",
            "kasa_config",
            "layer_replication",
            "layers_pattern",
            "layers_to_transform",
            "lora_ga_config",
            "megatron_config",
            "monteclora_config",
            "target_parameters",
            "trainable_token_indices",
            "use_bdlora",
            "velora_config");

    private static final List<String> FALSES = List.of("ensure_weight_tying", "lora_bias", "use_dora", "use_qalora");

    /** What PEFT learns in full for SEQ_CLS, whichever of the two a model has. */
    private static final List<String> CLASSIFIERS = List.of("classifier", "score");

    private LoraConfigFile() {}

    // ---- reading ----------------------------------------------------------------------------------------------------

    static LoraConfig read(Path adapterConfigJson) throws IOException {
        return ConfigFile.read(adapterConfigJson, LoraConfigFile::parse);
    }

    static LoraConfig readOfEncoder(Path adapterConfigJson) throws IOException {
        return ConfigFile.read(adapterConfigJson, LoraConfigFile::parseOfEncoder);
    }

    static LoraConfig parse(JsonNode json) {
        ConfigFields fields = new ConfigFields(json);
        return parse(fields, "CAUSAL_LM", "SEQ_CLS");
    }

    static LoraConfig parseOfEncoder(JsonNode json) {
        ConfigFields fields = new ConfigFields(json);
        return parse(fields, "SEQ_CLS", "FEATURE_EXTRACTION");
    }

    private static LoraConfig parse(ConfigFields fields, String... tasks) {
        fields.expect("task_type", tasks);
        if (!CLASSIFIERS.containsAll(names(fields, "modules_to_save"))) {
            throw fields.refused("modules_to_save", "only " + CLASSIFIERS + " are supported");
        }
        if (!fields.text("peft_type", "").equals("LORA")) {
            throw fields.refused("peft_type", "only LORA is supported");
        }
        fields.expect("bias", "none");
        // Others change the base's weights before the adapter is put on it.
        fields.expect("init_lora_weights", "true", "false", "gaussian", "orthogonal");
        fields.flag("fan_in_fan_out", false); // PEFT sets it by the class of the layer, whatever is here
        fields.refuseAllOnBut(KNOWN);
        return new LoraConfig(
                fields.whole("r", 8),
                fields.number("lora_alpha", 8.0),
                fields.flag("use_rslora", false),
                targets(fields),
                names(fields, "exclude_modules"),
                pattern(fields, "rank_pattern", value -> value.isInt() ? value.intValue() : null),
                pattern(fields, "alpha_pattern", value -> value.isNumber() ? value.doubleValue() : null),
                fields.number("lora_dropout", 0.0),
                Optional.ofNullable(fields.text("base_model_name_or_path", null)),
                Optional.ofNullable(fields.text("revision", null)));
    }

    /** Empty where all linear layers are meant. */
    private static List<String> targets(ConfigFields fields) {
        JsonNode targets = fields.get("target_modules");
        if (targets.isTextual() && targets.textValue().equalsIgnoreCase(LoraConfig.ALL_LINEAR)) {
            return List.of();
        }
        List<String> names = names(fields, "target_modules");
        if (names.isEmpty()) {
            throw fields.refused(
                    "target_modules", "name linear layers in a list, or say \"" + LoraConfig.ALL_LINEAR + "\"");
        }
        return names;
    }

    private static List<String> names(ConfigFields fields, String field) {
        if (!fields.has(field)) {
            return List.of();
        }
        List<String> names = new ArrayList<>();
        for (JsonNode name : fields.get(field)) {
            names.add(name.textValue());
        }
        if (!fields.get(field).isArray() || names.contains(null)) {
            throw fields.refused(field, "only a list of names is supported");
        }
        return names;
    }

    private static <T> Map<String, T> pattern(ConfigFields fields, String field, Function<JsonNode, T> value) {
        Map<String, T> result = new LinkedHashMap<>();
        if (!fields.has(field)) {
            return result;
        }
        if (!fields.get(field).isObject()) {
            throw fields.refused(field, "it must be an object");
        }
        for (Map.Entry<String, JsonNode> entry : fields.get(field).properties()) {
            T found = value.apply(entry.getValue());
            if (found == null) {
                throw fields.refused(field, "every value must be a number, the rank a whole one");
            }
            result.put(entry.getKey(), found);
        }
        return result;
    }

    // ---- writing ----------------------------------------------------------------------------------------------------

    static String write(LoraConfig config, ModelConfig base) {
        Map<String, Object> task = base.head().speaks()
                ? Map.of("task_type", "CAUSAL_LM")
                : Map.of("task_type", "SEQ_CLS", "modules_to_save", List.of("score"));
        return write(config, LinearModule.of(base), base.family().isGpt2(), task);
    }

    static String write(LoraConfig config, EncoderConfig base) {
        Map<String, Object> task = base.head() == EncoderConfig.Head.LABELS
                ? Map.of("task_type", "SEQ_CLS", "modules_to_save", CLASSIFIERS)
                : Map.of();
        return write(config, LinearModule.of(base), false, task);
    }

    private static String write(
            LoraConfig config, List<LinearModule> linear, boolean fanInFanOut, Map<String, Object> task) {
        TreeMap<String, JsonNode> fields = new TreeMap<>();
        NULLS.forEach(field -> fields.put(field, JSON.nullNode()));
        FALSES.forEach(field -> fields.put(field, JSON.getNodeFactory().booleanNode(false)));
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("peft_type", "LORA");
        settings.put("peft_version", "0.21.0"); // whose fields these are
        settings.put("task_type", null);
        settings.put("modules_to_save", null);
        settings.putAll(task);
        settings.put("base_model_name_or_path", config.baseModel().orElse(null));
        settings.put("revision", config.revision().orElse(null));
        settings.put("inference_mode", true);
        settings.put("r", config.rank());
        settings.put("lora_alpha", number(config.alpha()));
        settings.put("lora_dropout", config.dropout());
        settings.put("use_rslora", config.rankStabilised());
        settings.put("rank_pattern", config.rankPattern());
        Map<String, Number> alphas = new LinkedHashMap<>();
        config.alphaPattern().forEach((layers, alpha) -> alphas.put(layers, number(alpha)));
        settings.put("alpha_pattern", alphas);
        // The short names of all linear layers mean no other module, and tools that know no "all-linear" know them.
        settings.put("target_modules", config.targets().isEmpty() ? LoraConfig.shortNames(linear) : config.targets());
        settings.put("exclude_modules", config.excluded().isEmpty() ? null : config.excluded());
        settings.put("fan_in_fan_out", fanInFanOut);
        settings.put("bias", "none");
        settings.put("init_lora_weights", true);
        settings.put("loftq_config", Map.of());
        settings.put("megatron_core", "megatron.core");
        settings.put("qalora_group_size", 16);
        settings.forEach((field, value) -> fields.put(field, JSON.valueToTree(value)));
        ObjectNode json = JSON.createObjectNode();
        json.setAll(fields);
        return json.toPrettyString() + "\n";
    }

    /** PEFT's alpha is a whole number unless somebody made it another. */
    private static Number number(double value) {
        return value == Math.rint(value) && value < 1e9 ? (Number) (long) value : (Number) value;
    }
}
