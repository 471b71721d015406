package io.tidemill.trainer.rollout;

import io.tidemill.trainer.objective.AdaptiveKl;
import io.tidemill.trainer.objective.KlPenalty;
import java.util.Map;

/** What a nat of divergence from the reference costs, and how that changes. Keeps nothing: it goes through the stage's memory. */
public interface KlControl {
    /** With which a harvest's rewards are made; a function of the memory when it was drawn. */
    double coefficient(Map<String, Double> memory);

    /** What is to be remembered after a harvest. */
    Map<String, Double> after(Harvest harvest);

    /** Always the same. */
    static KlControl fixed(double coefficient) {
        if (!(coefficient >= 0) || Double.isInfinite(coefficient)) {
            throw new IllegalArgumentException(
                    "The coefficient of the divergence must be 0 or more and finite, but was " + coefficient);
        }
        return new KlControl() {
            @Override
            public double coefficient(Map<String, Double> memory) {
                return coefficient;
            }

            @Override
            public Map<String, Double> after(Harvest harvest) {
                return Map.of();
            }
        };
    }

    /** By what it should be: the coefficient goes from harvest to harvest through the stage's memory. */
    static KlControl adaptive(AdaptiveKl control) {
        return new KlControl() {
            private static final String NAME = "kl_coefficient";

            @Override
            public double coefficient(Map<String, Double> memory) {
                return memory.getOrDefault(NAME, control.initial());
            }

            @Override
            public Map<String, Double> after(Harvest harvest) {
                double beta = coefficient(harvest.before());
                double sum = 0;
                long answers = 0;
                for (Rollout rollout : harvest.rollouts()) {
                    for (RolledAnswer answer : rollout.answers()) {
                        sum += KlPenalty.divergence(answer.sampled(), answer.reference());
                        answers++;
                    }
                }
                return Map.of(NAME, answers == 0 ? beta : control.after(beta, sum / answers, answers));
            }
        };
    }
}
