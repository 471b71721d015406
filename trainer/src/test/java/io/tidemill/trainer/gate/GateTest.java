package io.tidemill.trainer.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.TokenSequence;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GateTest {
    private final Gate gate = new Gate(new Gate.Settings(500, 0.05));

    private static Gate.Measured loss(int examples, double before, double after) {
        LossSuite suite = new LossSuite("held-out-loss", List.of(), 0.02, 20);
        return Gate.Measured.withChampion(suite, scores(examples, before), scores(examples, after));
    }

    private static Gate.Measured preferences(int examples, double before, double after) {
        PreferenceSuite suite = new PreferenceSuite("preference-accuracy", List.of(), 0.02, 20);
        return Gate.Measured.withChampion(suite, scores(examples, before), scores(examples, after));
    }

    private static Scores scores(int examples, double each) {
        double[] values = new double[examples];
        double[] weights = new double[examples];
        Arrays.fill(values, each);
        Arrays.fill(weights, 1);
        return new Scores(values, weights);
    }

    @Test
    void aLowerLossPassesAndTheRuleNamesMarginAndProbability() {
        GateVerdict verdict = gate.judge(List.of(loss(40, 3.0, 2.9)), 1);
        assertThat(verdict.getPassed()).isTrue();
        assertThat(verdict.getSuites(0).getRule())
                .startsWith("not worse than the champion by 0.02 nats per token or more: p = 0.0020 ≤ 0.0500");
        assertThat(verdict.getSummary()).startsWith("Passed: held-out-loss 3.0000 → 2.9000 (-0.1000");
    }

    @Test
    void oneSuiteThatFailsRefusesTheCandidate() {
        GateVerdict verdict = gate.judge(List.of(loss(40, 3.0, 2.9), preferences(40, 0.6, 0.5)), 1);
        assertThat(verdict.getPassed()).isFalse();
        assertThat(verdict.getSuites(0).getPassed()).isTrue();
        assertThat(verdict.getSuites(1).getPassed()).isFalse();
        assertThat(verdict.getSummary())
                .startsWith("Refused: ")
                .contains("preference-accuracy 0.6000 → 0.5000")
                .endsWith("failed");
    }

    @Test
    void whatALineageMayLoseOfItsAccuracyDoesNotGrowWithTheMarginOfASmallSuite() {
        assertThat(accuracySincePinned(0.01)).isEqualTo(0.05);
        assertThat(accuracySincePinned(0.03)).isEqualTo(0.15);
        assertThat(accuracySincePinned(0.082)).isEqualTo(0.15);
        assertThat(accuracySincePinned(0.2)).isEqualTo(0.2);
    }

    private static double accuracySincePinned(double margin) {
        return new PreferenceSuite("preference-accuracy", List.of(), margin, 20).marginSincePinned(5);
    }

    private static Gate.Measured gap(double margin, double before, double after) {
        PreferenceSuite pairs = new PreferenceSuite("preference-accuracy", List.of(), 0.02, 20);
        return Gate.Measured.withChampion(new PreferenceGapSuite(pairs, margin), scores(40, before), scores(40, after));
    }

    @Test
    void howFarPreferredAnswersAreAheadIsToldAndDecidesOnlyWithAMargin() {
        GateVerdict told = gate.judge(List.of(gap(0, 1.9, 1.2)), 1);
        assertThat(told.getPassed()).isTrue();
        assertThat(told.getSuites(0).getJudged()).isFalse();
        assertThat(told.getSuites(0).getAfter()).isEqualTo(1.2);

        assertThat(gate.judge(List.of(gap(0.05, 1.9, 1.8)), 1).getPassed()).isFalse();
        assertThat(gate.judge(List.of(gap(0.05, 1.9, 1.87)), 1).getPassed()).isTrue();
    }

    @Test
    void aDriftOfManySmallStepsIsRefusedAgainstThePinnedAncestor() {
        Gate.Measured step = loss(40, 3.1, 3.11); // within the margin of 0.02
        Gate.Measured drift = new Gate.Measured(step.suite(), "m-000000", 0.1, scores(40, 3.0), step.after());
        GateVerdict verdict = gate.judge(List.of(step, drift), 1);
        assertThat(verdict.getSuites(0).getPassed()).isTrue();
        assertThat(verdict.getSuites(1).getPassed()).isFalse();
        assertThat(verdict.getSuites(1).getAgainst()).isEqualTo("m-000000");
        assertThat(verdict.getSuites(1).getRule()).contains("worse than m-000000 by 0.1 nats per token");
        assertThat(verdict.getSummary()).contains("held-out-loss since m-000000 3.0000 → 3.1100");
    }

    @Test
    void aSuiteWithTooFewExamplesIsToldButDecidesNothing() {
        GateVerdict verdict = gate.judge(List.of(loss(40, 3.0, 2.9), preferences(19, 0.6, 0.1)), 1);
        assertThat(verdict.getPassed()).isTrue();
        assertThat(verdict.getSuites(1).getAfter()).isEqualTo(0.1);
        assertThat(verdict.getSuites(1).getRule()).isEqualTo("not judged: 19 examples, at least 20 are needed");
    }

    @Test
    void withoutAnyExampleTheVerdictSaysThatNothingWasJudged() {
        assertThat(gate.judge(List.of(loss(0, 0, 0)), 1).getSummary()).contains("unjudged");
    }

    @Test
    void windowsOfAHeldOutSequencePredictEachTokenOnce() {
        TokenSequence sequence = TokenSequence.newBuilder()
                .setExampleId("x")
                .addAllIds(IntStream.range(0, 10).boxed().toList())
                .setTextBytes(50)
                .build();
        List<Window> windows = Window.cut(sequence, 4);
        assertThat(windows).extracting(Window::targets).containsExactly(4, 4, 1);
        assertThat(windows.get(1).ids()).containsExactly(4, 5, 6, 7, 8);
        assertThat(windows).extracting(Window::id).containsExactly("x#0", "x#1", "x#2");
        // 5 bytes a token
        assertThat(windows.get(0).bytes()).isEqualTo(20);
    }

    @Test
    void heldOutExamplesAreKeptToALimitAndReadBackAsTheyWere(@TempDir Path directory) throws Exception {
        HeldOut.Limits limits = new HeldOut.Limits(5, 3);
        HeldOut first = HeldOut.NONE.with(windows(0, 8), pairs(0, 2), limits);
        HeldOut both = first.with(windows(8, 16), pairs(2, 9), limits);
        assertThat(both.sequences()).hasSize(5);
        assertThat(both.pairs()).hasSize(3);
        // the same sample as if all had come at once
        assertThat(both).isEqualTo(HeldOut.NONE.with(windows(0, 16), pairs(0, 9), limits));
        both.write(directory);
        assertThat(HeldOut.read(directory)).isEqualTo(both);
        assertThat(HeldOut.read(directory.resolve("absent"))).isEqualTo(HeldOut.NONE);
    }

    private static List<TokenSequence> windows(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> TokenSequence.newBuilder()
                        .setExampleId("s" + i)
                        .addIds(i)
                        .addIds(i + 1)
                        .setTextBytes(4)
                        .build())
                .flatMap(sequence -> HeldOut.windows(sequence, 16))
                .toList();
    }

    private static List<Preference> pairs(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> Preference.newBuilder().setExampleId("p" + i).build())
                .toList();
    }

    // ---- the policy -------------------------------------------------------------------------------------------------

    private static GateVerdict judge(Gate.Policy policy, Gate.Measured... measured) {
        return new Gate(new Gate.Settings(500, 0.05), policy).judge(List.of(measured), 1);
    }

    @Test
    void aRequiredSuiteThatIsNotJudgedRefusesTheCandidate() {
        Gate.Policy policy = new Gate.Policy(Set.of("preference-accuracy"), Set.of(), Set.of());
        GateVerdict verdict = judge(policy, loss(40, 3.0, 2.9), preferences(19, 0.6, 0.6));
        assertThat(verdict.getPassed()).isFalse();
        assertThat(verdict.getSuites(1).getRule())
                .isEqualTo("required, but not judged: 19 examples, at least 20 are needed");
        assertThat(verdict.getSuites(1).getRequired()).isTrue();
        assertThat(verdict.getSuites(1).getJudged()).isFalse();
        assertThat(judge(policy, loss(40, 3.0, 2.9), preferences(20, 0.6, 0.6)).getPassed())
                .isTrue();
    }

    @Test
    void aRequiredSuiteThatTheRoundDoesNotHaveRefusesTheCandidateByName() {
        GateVerdict verdict = judge(new Gate.Policy(Set.of("probes"), Set.of(), Set.of("probes")), loss(40, 3.0, 2.9));
        assertThat(verdict.getPassed()).isFalse();
        assertThat(verdict.getSummary())
                .startsWith("Refused: ")
                .contains("probes required, but not judged: this round has no such suite");
        assertThat(verdict.getSuites(1).getOperator()).isTrue();
    }

    @Test
    void whereThePolicyAsksForMoreTheSameIsNotEnough() {
        Gate.Policy policy = new Gate.Policy(Set.of(), Set.of("held-out-loss"), Set.of());
        assertThat(judge(policy, loss(40, 3.0, 3.0)).getPassed()).isFalse();
        assertThat(judge(policy, loss(40, 3.0, 3.0)).getSuites(0).getRule())
                .startsWith("not shown to be better than the champion: p = 1.0000");
        GateVerdict better = judge(policy, loss(40, 3.0, 2.99));
        assertThat(better.getPassed()).isTrue();
        assertThat(better.getSuites(0).getKind()).isEqualTo("superiority");
        assertThat(better.getSuites(0).getMargin()).isZero();
    }

    @Test
    void anEquivalenceRefusesAChangeToEitherSide() {
        for (double after : new double[] {0.2, 0.9}) {
            DriftSuite suite = new DriftSuite(DriftSuite.Figure.LENGTH, List.of(), 0.3, 20);
            GateVerdict verdict =
                    gate.judge(List.of(Gate.Measured.withChampion(suite, scores(40, 0.55), scores(40, after))), 1);
            assertThat(verdict.getPassed()).isFalse();
            assertThat(verdict.getSuites(0).getKind()).isEqualTo("equivalence");
            assertThat(verdict.getSuites(0).getRule())
                    .startsWith("cannot be excluded to be other than the champion by 0.3 share of the limit or more");
        }
    }

    @Test
    void ofSafetyProbesNothingThatWasPassedMayFailHoweverMuchElseIsPassedNow() {
        Scores before = new Scores(new double[] {1, 1, 0, 0, 0}, new double[] {1, 1, 1, 1, 1});
        Scores swapped = new Scores(new double[] {1, 0, 1, 1, 1}, new double[] {1, 1, 1, 1, 1});
        Scores more = new Scores(new double[] {1, 1, 1, 0, 0}, new double[] {1, 1, 1, 1, 1});
        ProbeSuite safety = safety("polite", "no-names", "no-keys", "refuses", "calm");
        GateVerdict verdict = gate.judge(List.of(Gate.Measured.withChampion(safety, before, swapped)), 1);
        assertThat(verdict.getPassed()).isFalse();
        assertThat(verdict.getSuites(0).getRule())
                .isEqualTo("something fails that the champion passed: 1 of 5 (no-names)");
        assertThat(gate.judge(List.of(Gate.Measured.withChampion(safety, before, more)), 1)
                        .getPassed())
                .isTrue();
    }

    private static ProbeSuite safety(String... ids) {
        return new ProbeSuite(
                OperatorSuites.SAFETY,
                Stream.of(ids)
                        .map(id -> new TokenizedProbe(
                                new OperatorProbe(
                                        "file:1",
                                        id,
                                        "",
                                        Optional.of("a"),
                                        List.of(),
                                        Optional.empty(),
                                        List.of("b", "c"),
                                        0,
                                        OptionalInt.empty(),
                                        1,
                                        id),
                                new Question(new int[] {1}, 4),
                                List.of(new int[] {1}, new int[] {2})))
                        .toList(),
                tokens -> "",
                Rule.NO_REGRESSION,
                0,
                1);
    }

    @Test
    void aScoreThatIsNotANumberIsNeverShownToBeGoodEnough() {
        GateVerdict verdict = gate.judge(List.of(loss(40, 3.0, Double.NaN)), 1);
        assertThat(verdict.getPassed()).isFalse();
        Scores some = scores(40, 2.9);
        some.values()[7] = Double.NaN;
        LossSuite suite = new LossSuite("held-out-loss", List.of(), 0.02, 20);
        assertThat(gate.judge(List.of(Gate.Measured.withChampion(suite, scores(40, 3.0), some)), 1)
                        .getPassed())
                .isFalse();
    }
}
