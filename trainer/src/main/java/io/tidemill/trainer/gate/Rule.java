package io.tidemill.trainer.gate;

import java.util.Locale;

/** What is asked of the difference that a suite measures. */
public enum Rule {
    /** Not worse by the margin or more. */
    NON_INFERIORITY {
        @Override
        double pValue(PairedBootstrap bootstrap, double margin, int sign) {
            return bootstrap.probabilityOfInferiority(margin, sign);
        }

        @Override
        String words(boolean shown) {
            return shown ? "not worse" : "cannot be excluded to be worse";
        }
    },

    /**
     * Different by less than the margin, upwards and downwards: two one-sided tests, of which the weaker counts. Schuirmann,
     * "A comparison of the two one-sided tests procedure…" (1987).
     */
    EQUIVALENCE {
        @Override
        double pValue(PairedBootstrap bootstrap, double margin, int sign) {
            return Math.max(
                    bootstrap.probabilityOfInferiority(margin, 1), bootstrap.probabilityOfInferiority(margin, -1));
        }

        @Override
        String words(boolean shown) {
            return shown ? "not other" : "cannot be excluded to be other";
        }
    },

    /** Better; the margin is 0. */
    SUPERIORITY {
        @Override
        double pValue(PairedBootstrap bootstrap, double margin, int sign) {
            return bootstrap.probabilityOfInferiority(0, sign);
        }

        @Override
        String words(boolean shown) {
            return shown ? "better" : "not shown to be better";
        }
    },

    /** Nothing that was passed before fails. It is counted, not tested. */
    NO_REGRESSION {
        @Override
        double pValue(PairedBootstrap bootstrap, double margin, int sign) {
            throw new IllegalStateException("What is counted has no p-value");
        }

        @Override
        String words(boolean shown) {
            return shown ? "nothing fails that" : "something fails that";
        }
    };

    /** Probability of seeing this if the opposite were true. */
    abstract double pValue(PairedBootstrap bootstrap, double margin, int sign);

    abstract String words(boolean shown);

    /** As the event writes it. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
