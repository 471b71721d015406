package io.tidemill.feedback.answer;

import java.util.List;
import java.util.Map;

/** What a classifier says of one text. */
public sealed interface Classification {
    /**
     * One label is right.
     *
     * @param probabilities by label, in the model's order; together 1
     */
    record OneLabel(Map<String, Double> probabilities) implements Classification {
        /** The most likely one, the first of several. */
        public String label() {
            return probabilities.entrySet().stream()
                    .max(Map.Entry.comparingByValue())
                    .orElseThrow()
                    .getKey();
        }
    }

    /**
     * Each label is right or wrong, whatever the others are.
     *
     * @param probabilities of each to be right, in the model's order
     */
    record SeveralLabels(Map<String, Double> probabilities) implements Classification {
        /** Those that are rather right than wrong. */
        public List<String> labels() {
            return probabilities.entrySet().stream()
                    .filter(label -> label.getValue() > 0.5)
                    .map(Map.Entry::getKey)
                    .toList();
        }
    }

    /** Any number. */
    record Score(double score) implements Classification {}
}
