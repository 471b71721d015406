package io.tidemill.trainer.rollout;

import java.util.Arrays;
import java.util.Locale;

/**
 * What is done about answers that were drawn with probabilities a little other than those that training computes: another
 * order of sums, another number type. Each token's loss is weighted with
 *
 * <pre>  w = π_training(token) / π_generation(token)  </pre>
 *
 * <p>or with the product of it over the answer, where w is kept below a maximum (truncated), or what is above it counts
 * nothing (masked). With the same number type in both, w is 1 within rounding; the figures say by how much it is not.
 *
 * <p>Source: Yao et al., "Your Efficient RL Framework Secretly Brings You Off-Policy RL Training" (2025); the four forms as
 * TRL's {@code vllm_importance_sampling_mode}. Differs: the divergence of GRPO's loss is not weighted, because the weight goes
 * into the advantages.
 *
 * @param maximum of w; TRL's {@code vllm_importance_sampling_clip_max}
 */
public record ImportanceCorrection(Form form, double maximum) {
    /** Over what w is taken, and what becomes of one that is too large. */
    public enum Form {
        NONE,
        TOKEN_TRUNCATE,
        TOKEN_MASK,
        SEQUENCE_TRUNCATE,
        SEQUENCE_MASK;

        /** As recipes write it, such as {@code token-truncate}. */
        public static Form of(String text) {
            return Arrays.stream(values())
                    .filter(form -> form.text().equals(text))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("The importance correction must be one of "
                            + Arrays.stream(values()).map(Form::text).toList() + ", but was " + text));
        }

        private String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** As TRL has it when nobody says. */
    public static final ImportanceCorrection USUAL = new ImportanceCorrection(Form.SEQUENCE_MASK, 3);

    public ImportanceCorrection {
        if (!(maximum >= 1) || Double.isInfinite(maximum)) {
            throw new IllegalArgumentException(
                    "The largest importance weight must be at least 1 and finite, but was " + maximum);
        }
    }

    /** w of each token. */
    double[] weights(RolledAnswer answer) {
        int n = answer.tokens().length;
        double[] logRatios = new double[n];
        Arrays.setAll(logRatios, t -> answer.sampled()[t] - answer.generated()[t]);
        double[] weights = new double[n];
        switch (form) {
            case NONE -> Arrays.fill(weights, 1);
            case TOKEN_TRUNCATE, TOKEN_MASK -> Arrays.setAll(weights, t -> limited(Math.exp(logRatios[t])));
            case SEQUENCE_TRUNCATE, SEQUENCE_MASK ->
                Arrays.fill(weights, limited(Math.exp(Arrays.stream(logRatios).sum())));
        }
        return weights;
    }

    private double limited(double weight) {
        boolean masks = form == Form.TOKEN_MASK || form == Form.SEQUENCE_MASK;
        return weight <= maximum ? weight : masks ? 0 : maximum;
    }
}
