package io.tidemill.model.engine;

import java.util.Set;

/**
 * A text and what it is an example of.
 *
 * @param labels indices into {@link EncoderConfig#labels()} of what is right: one, or any number where the model's
 *               {@link EncoderConfig.Problem} is MULTIPLE; empty where it is SCORE
 * @param score  where the problem is SCORE, otherwise without meaning
 */
public record LabelledText(EncoderInput input, Set<Integer> labels, double score) {
    public LabelledText {
        labels = Set.copyOf(labels);
        if (!Double.isFinite(score)) {
            throw new IllegalArgumentException("A score must be finite, but was " + score);
        }
    }

    /** With one right label. */
    public LabelledText(EncoderInput input, int label) {
        this(input, Set.of(label), 0);
    }

    /** With any number of right labels. */
    public static LabelledText of(EncoderInput input, Set<Integer> labels) {
        return new LabelledText(input, labels, 0);
    }

    public static LabelledText scored(EncoderInput input, double score) {
        return new LabelledText(input, Set.of(), score);
    }

    /** The right label, where there is one. */
    int label() {
        return labels.iterator().next();
    }

    /** @throws IllegalArgumentException if these are not labels of such a model */
    void check(EncoderConfig config) {
        switch (config.problem()) {
            case SINGLE -> check(labels.size() == 1, "one right label");
            case MULTIPLE -> {}
            case SCORE -> check(labels.isEmpty(), "a score and no label");
        }
        labels.forEach(
                label -> EncoderBatch.checkBelow("Label", label, config.labels().size()));
    }

    private void check(boolean right, String wanted) {
        if (!right) {
            throw new IllegalArgumentException(
                    "This model learns from texts with " + wanted + ", but one has the labels " + labels);
        }
    }
}
