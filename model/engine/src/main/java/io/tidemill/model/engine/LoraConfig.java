package io.tidemill.model.engine;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Which linear layers of a decoder get a low-rank adapter, and of which size: what {@code adapter_config.json} of PEFT
 * says.
 *
 * <pre>  y = x Wᵀ + s · (x Aᵀ) Bᵀ,   A [r, inputs], B [outputs, r],   s = α / r, or α / √r  </pre>
 *
 * <p>Source: Hu et al., "LoRA" (2021), arXiv:2106.09685, equation 3; the root of r: Kalajdzievski, "rsLoRA" (2023),
 * arXiv:2312.03732. Names and matching as in PEFT 0.21.
 *
 * @param rank           r
 * @param alpha          α
 * @param rankStabilised divide α by the root of r ({@code use_rslora})
 * @param targets        layers by their path or the end of it, "q_proj" for one; empty = all linear layers of the
 *                       blocks ("all-linear"; the output head is never one of them)
 * @param excluded       layers that are left alone although they are targets; named likewise
 * @param rankPattern    r of layers whose path or the end of it matches; the first match counts, others have
 *                       {@code rank}
 * @param alphaPattern   α likewise
 * @param dropout        what other tools may apply in training; we do not and refuse to train with it
 * @param baseModel      name or path of the model that the adapter belongs to, for other tools
 * @param revision       of the base model, for other tools
 */
public record LoraConfig(
        int rank,
        double alpha,
        boolean rankStabilised,
        List<String> targets,
        List<String> excluded,
        Map<String, Integer> rankPattern,
        Map<String, Double> alphaPattern,
        double dropout,
        Optional<String> baseModel,
        Optional<String> revision) {

    /** PEFT's name of "all linear layers". */
    static final String ALL_LINEAR = "all-linear";

    public LoraConfig {
        rank("r", rank);
        alpha("lora_alpha", alpha);
        if (!(dropout >= 0 && dropout <= 1)) {
            throw new IllegalArgumentException("lora_dropout must be in [0, 1], but was " + dropout);
        }
        targets = List.copyOf(targets);
        excluded = List.copyOf(excluded);
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
        rankPattern.forEach((layers, value) -> rank("rank_pattern of " + layers, value));
        alphaPattern.forEach((layers, value) -> alpha("alpha_pattern of " + layers, value));
        rankPattern.keySet().forEach(layers -> pattern("rank_pattern", layers));
        alphaPattern.keySet().forEach(layers -> pattern("alpha_pattern", layers));
    }

    private static void rank(String field, int value) {
        ModelConfig.atLeastOne(field, value);
    }

    private static void alpha(String field, double value) {
        if (!(value > 0) || Double.isInfinite(value)) {
            throw new IllegalArgumentException(field + " must be positive and finite, but was " + value);
        }
    }

    /** As PEFT's {@code get_pattern_key}: the whole path, or its end behind a dot. */
    private static Pattern pattern(String field, String layers) {
        try {
            return Pattern.compile("(.*\\.)?(" + layers + ")");
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    field + " has " + layers + ", which is no regular expression: " + e.getDescription(), e);
        }
    }

    /** All linear layers, with s = α / r. */
    public static LoraConfig of(int rank, double alpha) {
        return new LoraConfig(
                rank, alpha, false, List.of(), List.of(), Map.of(), Map.of(), 0, Optional.empty(), Optional.empty());
    }

    /** The same on other layers. */
    public LoraConfig on(List<String> layers) {
        return new LoraConfig(
                rank, alpha, rankStabilised, layers, excluded, rankPattern, alphaPattern, dropout, baseModel, revision);
    }

    /** The same with s = α / √r. */
    public LoraConfig withRankStabilised() {
        return new LoraConfig(
                rank, alpha, true, targets, excluded, rankPattern, alphaPattern, dropout, baseModel, revision);
    }

    /** The same for a base of this name or path. */
    public LoraConfig withBaseModel(String name) {
        return new LoraConfig(
                rank,
                alpha,
                rankStabilised,
                targets,
                excluded,
                rankPattern,
                alphaPattern,
                dropout,
                Optional.of(name),
                revision);
    }

    /** Reads {@code adapter_config.json}; what it asks for and we do not have is refused by field and value. */
    public static LoraConfig read(Path adapterConfigJson) throws IOException {
        return LoraConfigFile.read(adapterConfigJson);
    }

    /** {@code adapter_config.json} that PEFT loads as the same adapter on a model of this shape. */
    public String toJson(ModelConfig base) {
        return LoraConfigFile.write(this, base);
    }

    /** As {@link #toJson(ModelConfig)}, for an encoder; the classifier of one with labels is part of the adapter. */
    public String toJson(EncoderConfig base) {
        return LoraConfigFile.write(this, base);
    }

    // ---- on a model -------------------------------------------------------------------------------------------------

    /** @throws IllegalArgumentException if a target is no linear layer of that model, or none is left */
    public void requireFits(ModelConfig base) {
        modules(base);
    }

    /** As {@link #requireFits(ModelConfig)}, of an encoder. */
    public void requireFits(EncoderConfig base) {
        modules(base);
    }

    /**
     * What becomes of each linear layer of a model, all in the order of the flat tensor.
     *
     * @throws IllegalArgumentException if a target is no linear layer of that model, or none is left
     */
    List<LoraModule> modules(ModelConfig base) {
        return modules(LinearModule.of(base), base.family().modelType());
    }

    /** As {@link #modules(ModelConfig)}, of an encoder. */
    List<LoraModule> modules(EncoderConfig base) {
        return modules(LinearModule.of(base), "bert");
    }

    private List<LoraModule> modules(List<LinearModule> linear, String family) {
        for (String target : targets) {
            if (linear.stream().noneMatch(module -> module.isCalled(target))) {
                throw new IllegalArgumentException("target_modules names " + target + ", but the linear layers of "
                        + family + " that can have an adapter are " + shortNames(linear));
            }
        }
        List<LoraModule> modules = linear.stream().map(this::module).toList();
        if (modules.stream().allMatch(module -> module.rank() == 0)) {
            throw new IllegalArgumentException(
                    "exclude_modules " + excluded + " leaves no linear layer of " + family + " an adapter");
        }
        return modules;
    }

    private LoraModule module(LinearModule linear) {
        boolean wanted = targets.isEmpty() || targets.stream().anyMatch(linear::isCalled);
        if (!wanted || excluded.stream().anyMatch(linear::isCalled)) {
            return new LoraModule(linear, 0, 1);
        }
        int r = first(rankPattern, linear, rank);
        double a = first(alphaPattern, linear, alpha);
        return new LoraModule(linear, r, a / (rankStabilised ? Math.sqrt(r) : r));
    }

    private static <T> T first(Map<String, T> patterns, LinearModule linear, T otherwise) {
        return patterns.entrySet().stream()
                .filter(entry ->
                        pattern("", entry.getKey()).matcher(linear.name()).matches())
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(otherwise);
    }

    static List<String> shortNames(List<LinearModule> linear) {
        return linear.stream().map(LinearModule::shortName).distinct().sorted().toList();
    }
}
