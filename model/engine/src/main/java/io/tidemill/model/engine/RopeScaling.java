package io.tidemill.model.engine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How the frequencies of the rotary embedding are changed for texts longer than those first trained on. Each kind
 * computes what transformers computes; {@code f_i = θ^(−2i/D)} is the frequency of element i, {@code λ = 2π/f_i} its
 * wavelength in tokens.
 *
 * <p>Letters: θ base, D head size, s factor, M positions of the first training.
 */
public sealed interface RopeScaling {
    /** As trained. */
    RopeScaling NONE = new None();

    /** What each of the D/2 frequencies is multiplied with; empty when none changes. */
    List<Double> factors(double theta, int headSize);

    /** What cosine and sine are multiplied with. */
    default double magnitude() {
        return 1;
    }

    /** {@code rope_type} and its settings, as {@code rope_parameters} holds them. */
    void write(ObjectNode json);

    record None() implements RopeScaling {
        @Override
        public List<Double> factors(double theta, int headSize) {
            return List.of();
        }

        @Override
        public void write(ObjectNode json) {
            json.put("rope_type", "default");
        }
    }

    /** Every frequency divided by s. Source: Chen et al. (2023), arXiv:2306.15595. */
    record Linear(double factor) implements RopeScaling {
        public Linear {
            atLeastOne(factor);
        }

        @Override
        public List<Double> factors(double theta, int headSize) {
            return each(headSize, i -> 1 / factor);
        }

        @Override
        public void write(ObjectNode json) {
            json.put("rope_type", "linear").put("factor", factor);
        }
    }

    /**
     * A larger base once a text is longer than {@code max_position_embeddings}, and nothing before. This engine reads no
     * longer texts, so here it changes nothing; it is kept for those that do.
     */
    record Dynamic(double factor) implements RopeScaling {
        public Dynamic {
            atLeastOne(factor);
        }

        @Override
        public List<Double> factors(double theta, int headSize) {
            return List.of();
        }

        @Override
        public void write(ObjectNode json) {
            json.put("rope_type", "dynamic").put("factor", factor);
        }
    }

    /**
     * Long waves divided by s, short ones kept, a straight line between. Source: the Llama 3.1 reference.
     *
     * @param low  waves longer than M/low are divided
     * @param high waves shorter than M/high are kept
     */
    record Llama3(double factor, double low, double high, int originalPositions) implements RopeScaling {
        public Llama3 {
            atLeastOne(factor);
            if (!(low > 0) || !(high > low) || originalPositions < 1) {
                throw new IllegalArgumentException("high_freq_factor must be above low_freq_factor, which must be"
                        + " positive, and original_max_position_embeddings at least 1, but were " + high + ", " + low
                        + " and " + originalPositions);
            }
        }

        @Override
        public List<Double> factors(double theta, int headSize) {
            return each(headSize, i -> {
                double wavelength = 2 * Math.PI * Math.pow(theta, 2.0 * i / headSize);
                double kept = (originalPositions / wavelength - low) / (high - low);
                return mix(Math.min(1, Math.max(0, kept)), factor);
            });
        }

        @Override
        public void write(ObjectNode json) {
            json.put("rope_type", "llama3")
                    .put("factor", factor)
                    .put("low_freq_factor", low)
                    .put("high_freq_factor", high)
                    .put("original_max_position_embeddings", originalPositions);
        }
    }

    /**
     * As {@link Llama3}, but the line runs over the elements of a head, between those that turn {@code betaFast} and
     * {@code betaSlow} times within M positions; and attention becomes sharper. Source: Peng et al. (2023),
     * arXiv:2309.00071, sections 3.2 to 3.4.
     *
     * @param magnitude {@code attention_factor}
     * @param truncate  the ends of the line are whole elements
     */
    record Yarn(
            double factor, double betaFast, double betaSlow, int originalPositions, double magnitude, boolean truncate)
            implements RopeScaling {
        public Yarn {
            atLeastOne(factor);
            if (!(betaSlow > 0) || !(betaFast >= betaSlow) || originalPositions < 1 || !(magnitude > 0)) {
                throw new IllegalArgumentException("beta_fast must be at least beta_slow, which must be positive, as"
                        + " must attention_factor and original_max_position_embeddings, but were " + betaFast + ", "
                        + betaSlow + ", " + magnitude + " and " + originalPositions);
            }
        }

        /** {@code attention_factor} where the file gives none: {@code 0.1·ln s + 1}. */
        static double usualMagnitude(double factor, double weight) {
            return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
        }

        @Override
        public List<Double> factors(double theta, int headSize) {
            double first = element(betaFast, theta, headSize);
            double last = element(betaSlow, theta, headSize);
            double low = Math.max(truncate ? Math.floor(first) : first, 0);
            double high = Math.min(truncate ? Math.ceil(last) : last, headSize - 1);
            double width = high == low ? 0.001 : high - low;
            return each(headSize, i -> mix(1 - Math.min(1, Math.max(0, (i - low) / width)), factor));
        }

        /** Where in a head the element is that turns so often within M positions. */
        private double element(double turns, double theta, int headSize) {
            return headSize * Math.log(originalPositions / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
        }

        @Override
        public void write(ObjectNode json) {
            json.put("rope_type", "yarn")
                    .put("factor", factor)
                    .put("beta_fast", betaFast)
                    .put("beta_slow", betaSlow)
                    .put("original_max_position_embeddings", originalPositions)
                    .put("attention_factor", magnitude)
                    .put("truncate", truncate);
        }
    }

    /** A frequency of which the share {@code kept} stays and the rest is divided by s. */
    private static double mix(double kept, double factor) {
        return kept + (1 - kept) / factor;
    }

    private static List<Double> each(int headSize, java.util.function.IntToDoubleFunction factor) {
        return IntStream.range(0, headSize / 2).mapToDouble(factor).boxed().toList();
    }

    private static void atLeastOne(double factor) {
        if (!(factor >= 1) || Double.isInfinite(factor)) {
            throw new IllegalArgumentException("factor of rope_parameters must be 1 or more, but was " + factor);
        }
    }
}
