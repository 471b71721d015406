package io.tidemill.standalone.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.Lineage;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.proto.v1.VersionState;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class ReportTest {
    private static final RoundResult FIRST =
            promoted(1, loss(4.00, 3.95, -0.06, -0.04), accuracy(0.50, 0.58, 0.05, 0.11));
    private static final RoundResult SECOND =
            promoted(2, loss(3.95, 3.94, -0.03, 0.01), accuracy(0.58, 0.60, 0.01, 0.03));
    private static final RoundResult SECOND_WITH_START =
            promoted(2, loss(3.95, 3.94, -0.03, 0.01), since("tidemill-000000", loss(4.00, 3.94, -0.08, -0.04)));
    private static final RoundResult REFUSED = refused(3);

    @Test
    void theTableHasALineForEachRound() {
        assertThat(report(List.of(FIRST, REFUSED)).lines())
                .anySatisfy(line -> assertThat(line)
                        .contains(
                                "tidemill-000001",
                                "preference 1000, pretrain 72",
                                "4.0000 → 3.9500",
                                "50.0 % → 58.0 % [56.0, 60.0] of 1274",
                                "promoted",
                                "93.5"))
                .anySatisfy(line -> assertThat(line).contains("tidemill-000003", "refused"))
                .contains("tidemill-000001 is in " + Path.of("/mill/store/tidemill/tidemill-000001"))
                .contains("  refused: preference-accuracy fell");
    }

    @Test
    void aPlaceThatGoesWithTheDemoIsSaidToGo() {
        String goes = "  a temporary directory, removed when the demo ends; --data DIR keeps it";
        assertThat(report(List.of(FIRST), false).lines()).contains(goes);
        assertThat(report(List.of(FIRST), true).lines()).doesNotContain(goes);
    }

    @Test
    void theTrendIsTheLastPromotedVersionAgainstTheFirstOne() {
        Trend trend = Trend.of(RoundResult.HELD_OUT_LOSS, List.of(FIRST, SECOND_WITH_START, REFUSED))
                .orElseThrow();
        assertThat(trend).isEqualTo(new Trend(4.00, 3.94, 3.94 - 4.00, -0.08, -0.04, 1274));
        assertThat(trend.fell()).isTrue();
        assertThat(trend.rose()).isFalse();
    }

    @Test
    void theTableComparesEachVersionWithTheOneBefore() {
        assertThat(report(List.of(SECOND_WITH_START)).lines())
                .anySatisfy(line -> assertThat(line).contains("tidemill-000002", "3.9500 → 3.9400"));
    }

    @Test
    void itSaysThatTheModelGotBetter() {
        assertThat(report(List.of(FIRST)).lines())
                .contains(
                        "Held-out loss fell: 4.0000 → 3.9500, difference -0.0500 [-0.0600, -0.0400] by paired bootstrap"
                                + " over 1274 examples.")
                .contains("Held-out preference accuracy rose: 50.0 % → 58.0 %, difference +8.0 [+5.0, +11.0] points by"
                        + " paired bootstrap over 1274 pairs.");
    }

    @Test
    void itSaysThatTheModelDidNotGetBetter() {
        assertThat(report(List.of(SECOND)).lines())
                .anySatisfy(line -> assertThat(line).startsWith("Held-out loss did not fall beyond chance: "));
        assertThat(report(List.of(REFUSED)).lines())
                .contains("Held-out loss did not fall: no round was promoted with a figure for it.")
                .contains("first refresh  no version was promoted");
    }

    private static Report report(List<RoundResult> rounds) {
        return report(rounds, true);
    }

    private static Report report(List<RoundResult> rounds, boolean kept) {
        boolean anyPromoted = rounds.stream().anyMatch(RoundResult::promoted);
        return new Report(
                rounds,
                Path.of("/mill/store/tidemill"),
                kept,
                Duration.ofMillis(5200),
                anyPromoted ? Optional.of(Duration.ofSeconds(120)) : Optional.empty(),
                OptionalLong.of(1234),
                OptionalLong.of(420),
                50,
                0);
    }

    private static RoundResult promoted(long round, SuiteResult... suites) {
        return new RoundResult(
                event(round)
                        .setState(VersionState.PROMOTED)
                        .setVerdict(GateVerdict.newBuilder().setPassed(true).addAllSuites(List.of(suites)))
                        .build(),
                Optional.of(Duration.ofMillis(93_500)));
    }

    private static RoundResult refused(long round) {
        return new RoundResult(
                event(round)
                        .setState(VersionState.REFUSED)
                        .setVerdict(GateVerdict.newBuilder().setSummary("preference-accuracy fell"))
                        .build(),
                Optional.empty());
    }

    private static CheckpointEvent.Builder event(long round) {
        String version = "tidemill-00000" + round;
        return CheckpointEvent.newBuilder()
                .setVersion(version)
                .setFilesUrl("http://127.0.0.1:8080/v1/checkpoints/" + version + "/files/")
                .setLineage(Lineage.newBuilder()
                        .setRound(round)
                        .putExamples("pretrain", 72)
                        .putExamples("preference", 1000));
    }

    private static SuiteResult loss(double before, double after, double low, double high) {
        return suite("held-out-loss", before, after, low, high);
    }

    private static SuiteResult accuracy(double before, double after, double low, double high) {
        return suite("preference-accuracy", before, after, low, high);
    }

    private static SuiteResult suite(String name, double before, double after, double low, double high) {
        return SuiteResult.newBuilder()
                .setSuite(name)
                .setBefore(before)
                .setAfter(after)
                .setDifference(after - before)
                .setDifferenceLow(low)
                .setDifferenceHigh(high)
                .setAfterLow(after - 0.02)
                .setAfterHigh(after + 0.02)
                .setExamples(1274)
                .build();
    }

    private static SuiteResult since(String version, SuiteResult result) {
        return result.toBuilder().setAgainst(version).build();
    }
}
