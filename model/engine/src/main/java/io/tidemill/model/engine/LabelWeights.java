package io.tidemill.model.engine;

import java.util.List;
import java.util.stream.DoubleStream;

/**
 * How much each label counts in the loss, as torch has it.
 *
 * <pre>
 *   one label:  Σ w[y]·(−log softmax(z)[y]) / Σ w[y]                        {@code CrossEntropyLoss(weight=w)}
 *   several:    Σ −(p[c]·y[c]·log σ(z[c]) + (1 − y[c])·log(1 − σ(z[c]))) / (B·C)
 *                                                                       {@code BCEWithLogitsLoss(pos_weight=p)}
 *   a score:    Σ (z − y)² / B                                              {@code MSELoss()}
 * </pre>
 *
 * <p>Letters: z logits, y what is right, B texts of the step, C labels, σ the logistic function. The divisor belongs to
 * the whole optimizer step, not to one call of it: {@link #of} summed over its texts, and for several labels times C,
 * which is done where the gradients are made.
 *
 * @param values w or p, one a label; empty where all are 1
 */
public record LabelWeights(List<Double> values) {
    /** All labels count alike. */
    public static final LabelWeights EQUAL = new LabelWeights(List.of());

    public LabelWeights {
        values = List.copyOf(values);
        for (double value : values) {
            if (!(value >= 0) || Double.isInfinite(value)) {
                throw new IllegalArgumentException(
                        "Weights of labels must be 0 or more and finite, but were " + values);
            }
        }
    }

    /**
     * What makes all labels weigh the same together: w[c] = n / (C·n[c]), n texts in all and n[c] of label c; a label
     * without texts weighs 1. Source: King and Zeng (2001), "balanced" in scikit-learn.
     */
    public static LabelWeights balanced(long... texts) {
        double total = 0;
        for (long count : texts) {
            total += count;
        }
        double all = total;
        return new LabelWeights(java.util.Arrays.stream(texts)
                .mapToDouble(count -> count == 0 ? 1 : all / ((double) texts.length * count))
                .boxed()
                .toList());
    }

    /** Of a label. */
    public double weight(int label) {
        return values.isEmpty() ? 1 : values.get(label);
    }

    /** What a text adds to the divisor of its step: the weight of its label where one is right, otherwise 1. */
    public double of(LabelledText text, EncoderConfig config) {
        return config.problem() == EncoderConfig.Problem.SINGLE ? weight(text.label()) : 1;
    }

    /** The same of many texts. */
    public double of(List<LabelledText> texts, EncoderConfig config) {
        texts.forEach(text -> text.check(config));
        return texts.stream().mapToDouble(text -> of(text, config)).sum();
    }

    /** @throws IllegalArgumentException if such a model has another number of labels, or no use for weights */
    void check(EncoderConfig config) {
        if (values.isEmpty()) {
            return;
        }
        if (config.problem() == EncoderConfig.Problem.SCORE
                || values.size() != config.labels().size()) {
            throw new IllegalArgumentException("There are weights of labels, " + values
                    + ", but the model's labels are " + config.labels() + " and its problem " + config.problem());
        }
        if (DoubleStream.of(values.stream().mapToDouble(Double::doubleValue).toArray())
                        .sum()
                == 0) {
            throw new IllegalArgumentException("All weights of labels are 0: nothing would be learnt");
        }
    }
}
