package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.proto.v1.VersionState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One refresh of each kind, with always the same seeds; {@link GateCampaign} runs many. Flipped labels are not among them: so few
 * pairs move no figure by its margin (docs/gate.md).
 */
class SabotagedRefreshesTest {
    private static final long SEED = 21;

    @TempDir
    static Path directory;

    private static RefreshRig rig;

    @BeforeAll
    static void trainAChampion() throws IOException {
        rig = RefreshRig.in(directory.resolve("rig"), RefreshRig.Size.TEST);
    }

    @AfterAll
    static void close() throws IOException {
        rig.close();
    }

    private static CheckpointEvent refreshed(Sabotage sabotage) throws IOException {
        List<CheckpointEvent> events = rig.refresh(sabotage, SEED);
        return events.get(events.size() - 1);
    }

    private static List<String> refusedBy(CheckpointEvent event) {
        assertThat(event.getState()).as(event.getReason()).isEqualTo(VersionState.REFUSED);
        return event.getVerdict().getSuitesList().stream()
                .filter(suite -> !suite.getPassed())
                .map(SuiteResult::getSuite)
                .toList();
    }

    @Test
    void aRefreshWithAnotherSeedPassesAndEverySuiteWasJudged() throws IOException {
        CheckpointEvent event = refreshed(Sabotage.NONE);
        assertThat(event.getState()).as(event.getReason()).isEqualTo(VersionState.PROMOTED);
        assertThat(event.getVerdict().getSuitesList())
                .allMatch(suite -> suite.getJudged() || suite.getSuite().equals("preference-gap")) // has no margin
                .extracting(SuiteResult::getSuite)
                .contains(
                        "held-out-loss",
                        "old-data-loss",
                        "preference-accuracy",
                        "probes",
                        "answer-length",
                        "answer-repetition",
                        "answer-agreement");
    }

    @Test
    void aLossWithTheWrongSignIsRefused() throws IOException {
        assertThat(refusedBy(refreshed(Sabotage.SIGN_FLIP))).contains("held-out-loss");
    }

    @Test
    void aHundredTimesTheLearningRateIsRefused() throws IOException {
        assertThat(refusedBy(refreshed(Sabotage.LEARNING_RATE_TIMES_100))).contains("old-data-loss");
    }

    @Test
    void whatIsNotANumberIsRefusedBeforeItIsCompared() throws IOException {
        for (long seed = SEED; seed < SEED + 4; seed++) {
            List<CheckpointEvent> events = rig.refresh(Sabotage.NOT_A_NUMBER, seed);
            assertThat(refusedBy(events.get(0))).isEmpty();
        }
    }

    @Test
    void aModelThatSaysOneTokenOverAndOverIsRefusedByWhatItAnswersToo() throws IOException {
        assertThat(refusedBy(refreshed(Sabotage.ONE_TOKEN))).contains("held-out-loss", "answer-agreement");
    }

    @Test
    void manySmallStepsDownAreRefusedLongBeforeTheThirtieth() throws IOException {
        List<CheckpointEvent> events = rig.refresh(Sabotage.SLOW_DRIFT, SEED);
        assertThat(events).hasSizeBetween(2, 29);
        assertThat(refusedBy(events.get(events.size() - 1))).isNotEmpty();
    }
}
