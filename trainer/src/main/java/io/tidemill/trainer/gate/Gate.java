package io.tidemill.trainer.gate;

import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.SuiteResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Compares a candidate with the champion, and with a pinned ancestor against slow drift, suite by suite, on the same
 * examples.
 *
 * <p>A suite is passed if the candidate is shown not to be worse by the margin or more: the hypothesis "worse by at
 * least the margin" is rejected by a paired bootstrap, with {@link Holm}'s correction over all suites judged. A suite
 * with too few examples is told and decides nothing.
 */
public final class Gate {
    /**
     * How sure one must be.
     *
     * @param resamples of the bootstrap
     * @param alpha     highest chance of letting through a candidate that is worse by the margin in some suite
     */
    public record Settings(int resamples, double alpha) {
        public Settings {
            if (resamples < 100 || !(alpha > 0 && alpha < 1)) {
                throw new IllegalArgumentException("resamples must be at least 100 and alpha between 0 and 1, but were "
                        + resamples + " and " + alpha);
            }
        }
    }

    /**
     * A suite with the scores of the candidate and of what it is compared with.
     *
     * @param against name of the pinned ancestor; empty where it is the champion
     * @param margin  how much worse is still accepted; in the suite's unit
     */
    public record Measured(Suite<?> suite, String against, double margin, Scores before, Scores after) {
        /** Compared with the champion, by the suite's own margin. */
        public static Measured withChampion(Suite<?> suite, Scores before, Scores after) {
            return new Measured(suite, "", suite.margin(), before, after);
        }

        boolean judged() {
            return before.size() >= Math.max(1, suite.minimum());
        }
    }

    private final Settings settings;

    public Gate(Settings settings) {
        this.settings = settings;
    }

    /**
     * The verdict over all suites.
     *
     * @param seed of the resampling
     */
    public GateVerdict judge(List<Measured> measured, long seed) {
        List<Measured> judged = measured.stream().filter(Measured::judged).toList();
        List<PairedBootstrap> bootstraps = measured.stream()
                .map(one -> one.before().size() == 0
                        ? new PairedBootstrap(new double[] {0}, new double[] {0})
                        : PairedBootstrap.of(one.before(), one.after(), settings.resamples(), seed))
                .toList();
        double[] pValues = judged.stream()
                .mapToDouble(one -> bootstraps
                        .get(measured.indexOf(one))
                        .probabilityOfInferiority(one.margin(), one.suite().sign()))
                .toArray();
        List<Holm.Decision> decisions = Holm.decide(pValues, settings.alpha());

        List<SuiteResult> results = new ArrayList<>();
        for (int i = 0; i < measured.size(); i++) {
            Measured one = measured.get(i);
            int place = judged.indexOf(one);
            results.add(
                    place < 0
                            ? result(one, bootstraps.get(i), true, notJudged(one))
                            : result(
                                    one,
                                    bootstraps.get(i),
                                    decisions.get(place).rejected(),
                                    rule(one, pValues[place], decisions.get(place))));
        }
        boolean passed = results.stream().allMatch(SuiteResult::getPassed);
        return GateVerdict.newBuilder()
                .setPassed(passed)
                .addAllSuites(results)
                .setSummary(summary(passed, results, judged.size()))
                .build();
    }

    private static SuiteResult result(Measured one, PairedBootstrap bootstrap, boolean passed, String rule) {
        SuiteResult.Builder result = SuiteResult.newBuilder()
                .setSuite(one.suite().name())
                .setUnit(one.suite().unit())
                .setAgainst(one.against())
                .setMargin(one.margin())
                .setExamples(one.before().size())
                .setPassed(passed)
                .setRule(rule);
        if (one.before().size() > 0) {
            Interval difference = Interval.ofPercentiles(bootstrap.differences());
            Interval after = one.suite().interval(one.after(), bootstrap.afters());
            result.setBefore(one.before().mean())
                    .setAfter(one.after().mean())
                    .setDifference(one.after().mean() - one.before().mean())
                    .setDifferenceLow(difference.low())
                    .setDifferenceHigh(difference.high())
                    .setAfterLow(after.low())
                    .setAfterHigh(after.high());
        }
        return result.build();
    }

    private static String notJudged(Measured one) {
        return String.format(
                Locale.ROOT,
                "not judged: %d examples, at least %d are needed",
                one.before().size(),
                one.suite().minimum());
    }

    private static String rule(Measured one, double p, Holm.Decision decision) {
        return String.format(
                Locale.ROOT,
                "%s than %s by %s %s or more: p = %.4f %s %.4f (paired bootstrap over %d examples, Holm)",
                decision.rejected() ? "not worse" : "cannot be excluded to be worse",
                one.against().isEmpty() ? "the champion" : one.against(),
                one.margin(),
                one.suite().unit(),
                p,
                p <= decision.threshold() ? "≤" : ">",
                decision.threshold(),
                one.before().size());
    }

    private static String summary(boolean passed, List<SuiteResult> results, int judged) {
        if (judged == 0) {
            return "Passed unjudged: no suite has enough held-out examples yet.";
        }
        return (passed ? "Passed: " : "Refused: ")
                + results.stream()
                        .filter(result -> result.getExamples() > 0)
                        .map(result -> String.format(
                                Locale.ROOT,
                                "%s%s %.4f → %.4f (%+.4f, 95 %% from %+.4f to %+.4f)%s",
                                result.getSuite(),
                                result.getAgainst().isEmpty() ? "" : " since " + result.getAgainst(),
                                result.getBefore(),
                                result.getAfter(),
                                result.getDifference(),
                                result.getDifferenceLow(),
                                result.getDifferenceHigh(),
                                result.getPassed() ? "" : " failed"))
                        .collect(Collectors.joining("; "));
    }
}
