package io.tidemill.trainer.reward;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What an answer is worth.
 *
 * @param total what is learned from: Σ weight · part, within the limits set
 * @param parts what each reward said, by its name, before weights and limits; one without an opinion is not there
 */
public record Judgement(double total, Map<String, Double> parts) {
    public Judgement {
        parts = Collections.unmodifiableMap(new TreeMap<>(parts));
    }
}
