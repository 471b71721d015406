package io.tidemill.trainer.gate;

import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.SuiteResult;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Compares a candidate with the champion, and with a pinned ancestor against slow drift, suite by suite, on the same
 * examples.
 *
 * <p>A suite is passed if what its {@link Rule} asks is shown: the opposite, such as "worse by at least the margin", is
 * rejected by a paired bootstrap, with {@link Holm}'s correction over all suites that are tested so. A suite with too few
 * examples is told and decides nothing, unless the policy requires it: then it refuses the candidate.
 */
public final class Gate {
    /** Of those whose answers became worse, so many are named. */
    private static final int NAMED = 5;

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
     * What is asked beyond the suites' own rules; by names of suites.
     *
     * @param required without whose judgement nothing is promoted
     * @param superior in which the candidate must be shown to be better than the champion
     * @param operator whose examples are the operator's own
     */
    public record Policy(Set<String> required, Set<String> superior, Set<String> operator) {
        public static final Policy NONE = new Policy(Set.of(), Set.of(), Set.of());

        public Policy {
            required = Set.copyOf(required);
            superior = Set.copyOf(superior);
            operator = Set.copyOf(operator);
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
            return suite.decides() && before.size() >= Math.max(1, suite.minimum());
        }

        private String opponent() {
            return against.isEmpty() ? "the champion" : against;
        }

        /** Examples that were passed whole before and are not now. */
        private List<String> regressions() {
            return IntStream.range(0, before.size())
                    .filter(i ->
                            before.values()[i] >= before.weights()[i] && !(after.values()[i] >= before.values()[i]))
                    .mapToObj(suite::label)
                    .toList();
        }
    }

    /** What is asked of one suite, and what its examples say. */
    private record Asked(Measured measured, Rule rule, double margin, PairedBootstrap bootstrap) {
        static Asked of(Measured measured, Policy policy, int resamples, long seed) {
            boolean better = measured.against().isEmpty()
                    && policy.superior().contains(measured.suite().name());
            PairedBootstrap bootstrap = measured.before().size() == 0
                    ? new PairedBootstrap(new double[] {0}, new double[] {0})
                    : PairedBootstrap.of(measured.before(), measured.after(), resamples, seed);
            return better
                    ? new Asked(measured, Rule.SUPERIORITY, 0, bootstrap)
                    : new Asked(measured, measured.suite().rule(), measured.margin(), bootstrap);
        }

        boolean tested() {
            return measured.judged() && rule != Rule.NO_REGRESSION;
        }

        double pValue() {
            return rule.pValue(bootstrap, margin, measured.suite().sign());
        }
    }

    private final Settings settings;
    private final Policy policy;

    public Gate(Settings settings) {
        this(settings, Policy.NONE);
    }

    public Gate(Settings settings, Policy policy) {
        this.settings = settings;
        this.policy = policy;
    }

    /**
     * The verdict over all suites.
     *
     * @param seed of the resampling
     */
    public GateVerdict judge(List<Measured> measured, long seed) {
        List<Asked> asked = measured.stream()
                .map(one -> Asked.of(one, policy, settings.resamples(), seed))
                .toList();
        double[] pValues =
                asked.stream().filter(Asked::tested).mapToDouble(Asked::pValue).toArray();
        Iterator<Holm.Decision> decisions =
                Holm.decide(pValues, settings.alpha()).iterator();

        List<SuiteResult> results = new ArrayList<>();
        for (Asked one : asked) {
            results.add(
                    one.tested()
                            ? tested(one, decisions.next())
                            : one.measured().judged() ? counted(one) : notJudged(one));
        }
        results.addAll(missing(measured));
        boolean passed = results.stream().allMatch(SuiteResult::getPassed);
        return GateVerdict.newBuilder()
                .setPassed(passed)
                .addAllSuites(results)
                .setSummary(summary(passed, results))
                .build();
    }

    // ---- one suite --------------------------------------------------------------------------------------------------

    private SuiteResult tested(Asked asked, Holm.Decision decision) {
        Measured measured = asked.measured();
        double p = asked.pValue();
        String margin = asked.rule() == Rule.SUPERIORITY
                ? ""
                : String.format(
                        Locale.ROOT,
                        " by %s %s or more",
                        rounded(asked.margin()),
                        measured.suite().unit());
        String rule = String.format(
                Locale.ROOT,
                "%s than %s%s: p = %.4f %s %.4f (paired bootstrap over %d examples, Holm)",
                asked.rule().words(decision.rejected()),
                measured.opponent(),
                margin,
                p,
                p <= decision.threshold() ? "≤" : ">",
                decision.threshold(),
                measured.before().size());
        return result(asked)
                .setJudged(true)
                .setPassed(decision.rejected())
                .setRule(rule)
                .build();
    }

    /** Three digits are enough for a margin that was computed. */
    private static String rounded(double margin) {
        return Double.toString(Math.round(margin * 1e4) / 1e4);
    }

    private SuiteResult counted(Asked asked) {
        Measured measured = asked.measured();
        List<String> regressions = measured.regressions();
        String rule = String.format(
                Locale.ROOT,
                "%s %s passed: %d of %d%s",
                asked.rule().words(regressions.isEmpty()),
                measured.opponent(),
                regressions.size(),
                measured.before().size(),
                regressions.isEmpty()
                        ? ""
                        : regressions.stream()
                                .limit(NAMED)
                                .collect(Collectors.joining(", ", " (", regressions.size() > NAMED ? ", …)" : ")")));
        return result(asked)
                .setJudged(true)
                .setPassed(regressions.isEmpty())
                .setRule(rule)
                .build();
    }

    private SuiteResult notJudged(Asked asked) {
        Measured measured = asked.measured();
        boolean required = required(measured);
        String why = measured.suite().decides()
                ? String.format(
                        Locale.ROOT,
                        "%d examples, at least %d are needed",
                        measured.before().size(),
                        Math.max(1, measured.suite().minimum()))
                : "a margin of " + measured.margin() + " decides nothing";
        String rule = (required ? "required, but not judged: " : "not judged: ") + why;
        return result(asked).setPassed(!required).setRule(rule).build();
    }

    private boolean required(Measured measured) {
        return measured.against().isEmpty()
                && policy.required().contains(measured.suite().name());
    }

    /** Suites that the policy requires, and this round does not have. */
    private List<SuiteResult> missing(List<Measured> measured) {
        Set<String> missing = new TreeSet<>(policy.required());
        measured.forEach(one -> missing.remove(one.suite().name()));
        return missing.stream()
                .map(name -> SuiteResult.newBuilder()
                        .setSuite(name)
                        .setRequired(true)
                        .setOperator(policy.operator().contains(name))
                        .setRule("required, but not judged: this round has no such suite")
                        .build())
                .toList();
    }

    private SuiteResult.Builder result(Asked asked) {
        Measured one = asked.measured();
        SuiteResult.Builder result = SuiteResult.newBuilder()
                .setSuite(one.suite().name())
                .setUnit(one.suite().unit())
                .setAgainst(one.against())
                .setMargin(asked.margin())
                .setKind(asked.rule().label())
                .setRequired(required(one))
                .setOperator(policy.operator().contains(one.suite().name()))
                .setExamples(one.before().size());
        if (one.before().size() > 0) {
            Interval difference = Interval.ofPercentiles(asked.bootstrap().differences());
            Interval after = one.suite().interval(one.after(), asked.bootstrap().afters());
            result.setBefore(one.before().mean())
                    .setAfter(one.after().mean())
                    .setDifference(one.after().mean() - one.before().mean())
                    .setDifferenceLow(difference.low())
                    .setDifferenceHigh(difference.high())
                    .setAfterLow(after.low())
                    .setAfterHigh(after.high());
        }
        return result;
    }

    // ---- all of them ------------------------------------------------------------------------------------------------

    private static String summary(boolean passed, List<SuiteResult> results) {
        if (passed && results.stream().noneMatch(SuiteResult::getJudged)) {
            return "Passed unjudged: no suite has enough held-out examples yet.";
        }
        return (passed ? "Passed: " : "Refused: ")
                + results.stream()
                        .filter(result -> result.getExamples() > 0 || !result.getPassed())
                        .map(Gate::summary)
                        .collect(Collectors.joining("; "));
    }

    private static String summary(SuiteResult result) {
        if (result.getExamples() == 0) {
            return result.getSuite() + " " + result.getRule();
        }
        return String.format(
                Locale.ROOT,
                "%s%s %.4f → %.4f (%+.4f, 95 %% from %+.4f to %+.4f)%s",
                result.getSuite(),
                result.getAgainst().isEmpty() ? "" : " since " + result.getAgainst(),
                result.getBefore(),
                result.getAfter(),
                result.getDifference(),
                result.getDifferenceLow(),
                result.getDifferenceHigh(),
                result.getPassed() ? "" : " failed");
    }
}
