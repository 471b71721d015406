package io.tidemill.model.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Which weights learn otherwise than the others, as with parameter groups of {@code torch.optim}: by names of tensors, as
 * they stand in Hugging Face files.
 *
 * <pre>  learning rate of layer l  =  learning rate · d^(L − l),   l from 0, L layers;  embeddings d^(L + 1);
 *                               above the last layer  1, for heads times h  </pre>
 *
 * <p>Source: Howard and Ruder, "ULMFiT" (2018), section 3.2, arXiv:1801.06146 (there d = 1/2.6); Clark et al., "ELECTRA"
 * (2020), appendix B, arXiv:2003.10555 (0.8 and 0.9). Differs from ELECTRA's code: there everything below the head has
 * one d more. A head that is the word embedding (tied) is an embedding. The pooler of an encoder, the transform of its
 * masked-language head, classifiers, scores and {@code lm_head} are heads.
 *
 * <p>Frozen weights stay as they are, and their gradients have no part in the norm. They are computed all the same.
 *
 * @param layerDecay       d, above 0 and at most 1; 1 = all layers alike
 * @param headFactor       h, what the learning rate is multiplied with in heads; 0 or more
 * @param frozenEmbeddings whether words, positions and types stay as they are
 * @param frozenLayers     how many layers, the lowest, stay as they are
 * @param frozen           regular expressions; a tensor in whose name one is found stays as it is
 * @param withoutDecay     regular expressions likewise, of matrices that do not decay; weights of one dimension never do
 */
public record ParameterGroups(
        double layerDecay,
        double headFactor,
        boolean frozenEmbeddings,
        int frozenLayers,
        List<String> frozen,
        List<String> withoutDecay) {
    /** All learn alike. */
    public static final ParameterGroups NONE = new ParameterGroups(1, 1, false, 0, List.of(), List.of());

    private static final Pattern LAYER = Pattern.compile("\\.(?:layers?|h)\\.(\\d+)\\.");
    private static final Pattern EMBEDDINGS = Pattern.compile("(^|\\.)(embed_tokens|wte|wpe|embeddings)\\.");
    private static final Pattern HEAD = Pattern.compile("(^|\\.)(lm_head|score|classifier|cls|pooler|value_head)\\.");

    public ParameterGroups {
        if (!(layerDecay > 0 && layerDecay <= 1)) {
            throw new IllegalArgumentException("layer decay must be above 0 and at most 1, but was " + layerDecay);
        }
        if (!(headFactor >= 0) || Double.isInfinite(headFactor)) {
            throw new IllegalArgumentException("head factor must be 0 or more and finite, but was " + headFactor);
        }
        if (frozenLayers < 0) {
            throw new IllegalArgumentException("frozen layers must not be negative, but were " + frozenLayers);
        }
        frozen = List.copyOf(frozen);
        withoutDecay = List.copyOf(withoutDecay);
        frozen.forEach(ParameterGroups::pattern);
        withoutDecay.forEach(ParameterGroups::pattern);
    }

    /** Layers below others learn more slowly. */
    public static ParameterGroups ofLayerDecay(double layerDecay) {
        return new ParameterGroups(layerDecay, 1, false, 0, List.of(), List.of());
    }

    /** Embeddings and the lowest layers stay as they are. */
    public static ParameterGroups frozenBelow(int layers) {
        return new ParameterGroups(1, 1, true, layers, List.of(), List.of());
    }

    private static Pattern pattern(String expression) {
        try {
            return Pattern.compile(expression);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    expression + " is no regular expression of names of tensors: " + e.getDescription(), e);
        }
    }

    /**
     * A piece of the flat weights that learns alike.
     *
     * @param factor what the learning rate is multiplied with; 0 weights are frozen only if {@code held}
     * @param matrix whether it is of matrices; pieces never hold both kinds
     */
    record Range(long at, long length, double factor, double weightDecay, boolean matrix, boolean held) {
        private boolean continues(Range next) {
            return at + length == next.at
                    && factor == next.factor
                    && weightDecay == next.weightDecay
                    && matrix == next.matrix
                    && held == next.held;
        }

        private Range with(Range next) {
            return new Range(at, length + next.length, factor, weightDecay, matrix, held);
        }
    }

    /**
     * All weights of a layout in as few ranges as there can be, in their order.
     *
     * @throws IllegalArgumentException if an expression finds no name, there are fewer layers than are to be frozen, or
     *     nothing would learn
     */
    List<Range> ranges(Layout layout, double weightDecay) {
        List<Layout.Slot> slots = layout.slots().stream()
                .sorted(Comparator.comparingLong(Layout.Slot::at))
                .toList();
        check(slots);
        int layers = slots.stream().mapToInt(slot -> layer(slot.name())).max().orElse(-1) + 1;
        if (frozenLayers > layers) {
            throw new IllegalArgumentException(
                    frozenLayers + " layers were to be frozen, but the model learns in " + layers);
        }
        List<Range> ranges = new ArrayList<>();
        for (Layout.Slot slot : slots) {
            Range one = range(slot, layers, weightDecay);
            int last = ranges.size() - 1;
            if (last >= 0 && ranges.get(last).continues(one)) {
                ranges.set(last, ranges.get(last).with(one));
            } else {
                ranges.add(one);
            }
        }
        if (ranges.stream().allMatch(Range::held)) {
            throw new IllegalArgumentException("Nothing would learn: all weights are frozen by " + this);
        }
        return ranges;
    }

    private void check(List<Layout.Slot> slots) {
        List<String> all = new ArrayList<>(frozen);
        all.addAll(withoutDecay);
        for (String expression : all) {
            if (slots.stream().noneMatch(slot -> found(expression, slot.name()))) {
                throw new IllegalArgumentException("No tensor that learns has " + expression
                        + " in its name; the first and the last are "
                        + slots.get(0).name() + " and "
                        + slots.get(slots.size() - 1).name());
            }
        }
    }

    private Range range(Layout.Slot slot, int layers, double weightDecay) {
        String name = slot.name();
        boolean matrix = slot.shape().length > 1;
        boolean decays = matrix && withoutDecay.stream().noneMatch(expression -> found(expression, name));
        int layer = layer(name);
        boolean embedding = layer < 0 && EMBEDDINGS.matcher(name).find();
        boolean held = embedding && frozenEmbeddings
                || layer >= 0 && layer < frozenLayers
                || frozen.stream().anyMatch(expression -> found(expression, name));
        return new Range(
                slot.at(),
                slot.length(),
                factor(name, layer, embedding, layers),
                decays ? weightDecay : 0,
                matrix,
                held);
    }

    private double factor(String name, int layer, boolean embedding, int layers) {
        if (layer >= 0) {
            return Math.pow(layerDecay, layers - layer);
        } else if (embedding) {
            return Math.pow(layerDecay, layers + 1);
        }
        return HEAD.matcher(name).find() ? headFactor : 1;
    }

    /** From 0; −1 for what is in no layer. */
    private static int layer(String name) {
        Matcher matcher = LAYER.matcher(name);
        return matcher.find() ? Integer.parseInt(matcher.group(1)) : -1;
    }

    private static boolean found(String expression, String name) {
        return pattern(expression).matcher(name).find();
    }
}
