package io.tidemill.standalone.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.proto.v1.VersionState;
import org.junit.jupiter.api.Test;

class CheckpointLinesTest {
    private static SuiteResult suite(String name, String against, long examples) {
        return SuiteResult.newBuilder()
                .setSuite(name)
                .setAgainst(against)
                .setExamples(examples)
                .setBefore(0.25)
                .setAfter(0.75)
                .build();
    }

    private static String line(SuiteResult... suites) {
        CheckpointEvent.Builder event =
                CheckpointEvent.newBuilder().setVersion("tiny-000001").setState(VersionState.PROMOTED);
        for (SuiteResult suite : suites) {
            event.getVerdictBuilder().addSuites(suite);
        }
        return CheckpointLines.of(event.build());
    }

    @Test
    void theAccuracyIsThatOfPreferencesOrOfLabels() {
        assertThat(line(suite("held-out-loss", "", 5), suite("preference-accuracy", "", 5)))
                .contains("0.2500 → 0.7500", "25.0 → 75.0 %");
        assertThat(line(suite("held-out-loss", "", 5), suite("label-accuracy", "", 5)))
                .contains("0.2500 → 0.7500", "25.0 → 75.0 %");
    }

    @Test
    void aSuiteWithoutExamplesAndAComparisonWithAnAncestorTellNothing() {
        assertThat(line(suite("held-out-loss", "", 0), suite("preference-accuracy", "tiny-000000", 5)))
                .doesNotContain("→")
                .contains("–");
    }
}
