package io.tidemill.trainer.gate;

import java.util.List;

/**
 * What the operator asks of a candidate beyond held-out examples.
 *
 * @param probes              JSONL of {@link OperatorProbe questions with checks}
 * @param safetyProbes        the same; of these nothing that was passed may fail
 * @param labelProbes         JSONL of texts with their labels, for a classifier; empty for none
 * @param probeMargin         accepted fall; share of the probes' weight
 * @param minimumProbes       of a suite of probes
 * @param probeTokens         of an answer to a probe that does not say, at most
 * @param drift               how answers are watched
 * @param required            suites without whose judgement nothing is promoted; the operator's own always are
 * @param superior            suites in which a candidate must be shown to be better
 * @param requireOperatorSuite whether a trainer without any suite of the operator's must not start
 */
public record GatePolicy(
        List<String> probes,
        List<String> safetyProbes,
        String labelProbes,
        double probeMargin,
        int minimumProbes,
        int probeTokens,
        Drift drift,
        List<String> required,
        List<String> superior,
        boolean requireOperatorSuite) {
    /** Asks nothing; what plans of older programs have. */
    public static final GatePolicy NONE =
            new GatePolicy(List.of(), List.of(), "", 0.1, 10, 48, Drift.OFF, List.of(), List.of(), false);

    public GatePolicy {
        probes = List.copyOf(probes);
        safetyProbes = List.copyOf(safetyProbes);
        required = List.copyOf(required);
        superior = List.copyOf(superior);
        requireMargin("probe-margin", probeMargin);
        requireAtLeast("minimum-probes", 1, minimumProbes);
        requireAtLeast("probe-tokens", 1, probeTokens);
        if (requireOperatorSuite && probes.isEmpty() && safetyProbes.isEmpty() && labelProbes.isEmpty()) {
            throw new IllegalArgumentException(
                    "trainer.gate.require-operator-suite is true, but the operator has given no"
                            + " suite. Name a file of questions with checks as trainer.gate.probes or"
                            + " trainer.gate.safety-probes (of a classifier trainer.gate.label-probes), or leave the policy off.");
        }
    }

    /**
     * How the manner of answers is watched: length, repetition, agreement with the parent's.
     *
     * @param prompts          JSONL of questions without checks; empty for those of held-out pairs
     * @param sample           questions, at most; 0 watches nothing
     * @param tokens           of an answer, at most
     * @param minimum          questions, to be judged
     * @param lengthMargin     accepted change; share of {@code tokens}
     * @param repetitionMargin accepted rise; share of an answer's 3-grams
     * @param agreementMargin  accepted loss; share of the parent's answer
     */
    public record Drift(
            String prompts,
            int sample,
            int tokens,
            int minimum,
            double lengthMargin,
            double repetitionMargin,
            double agreementMargin) {
        public static final Drift OFF = new Drift("", 0, 1, 1, 1, 1, 1);

        public Drift {
            requireAtLeast("drift-sample", 0, sample);
            requireAtLeast("drift-tokens", 1, tokens);
            requireAtLeast("minimum-drift", 1, minimum);
            requireMargin("length-margin", lengthMargin);
            requireMargin("repetition-margin", repetitionMargin);
            requireMargin("agreement-margin", agreementMargin);
        }
    }

    private static void requireAtLeast(String key, int least, int value) {
        if (value < least) {
            throw new IllegalArgumentException(
                    "trainer.gate." + key + " must be at least " + least + ", but was " + value);
        }
    }

    private static void requireMargin(String key, double value) {
        if (!(value > 0 && value <= 1)) {
            throw new IllegalArgumentException("trainer.gate." + key
                    + " must be above 0, for no number of examples shows that nothing at all is lost, and at most 1, but"
                    + " was " + value);
        }
    }
}
