package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Lineage;
import io.tidemill.proto.v1.SliceAccount;
import io.tidemill.proto.v1.SliceRange;
import io.tidemill.proto.v1.TopicAccount;
import io.tidemill.proto.v1.VersionState;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConservationTest {
    private static final String TOPIC = "preferences";

    @Test
    void liveVersionsAndWhatWaitsHaveOneOutcomeForEachRecord() {
        Conservation.Topic topic = Conservation.of(
                        List.of(
                                event(0, VersionState.PROMOTED, 0, 0),
                                event(1, VersionState.PROMOTED, 0, 10, "preference", 7L, "held-out", 3L),
                                event(2, VersionState.PROMOTED, 10, 20, "preference", 4L, "repeated", 6L)),
                        Map.of(TOPIC, 5L))
                .topics()
                .get(TOPIC);
        assertThat(topic.received()).isEqualTo(25);
        assertThat(topic.outcomes())
                .isEqualTo(Map.of("preference", 11L, "held-out", 3L, "repeated", 6L, "waiting", 5L));
        assertThat(topic.difference()).isZero();
    }

    @Test
    void aRecordWhoseFateIsUnknownIsTheDifference() {
        assertThat(Conservation.of(
                                List.of(
                                        event(0, VersionState.PROMOTED, 0, 0),
                                        event(1, VersionState.PROMOTED, 0, 10, "preference", 8L)),
                                Map.of())
                        .topics()
                        .get(TOPIC)
                        .difference())
                .isEqualTo(2);
    }

    @Test
    void whatWasRefusedOnceWaitsAndWhatWasRefusedTwiceIsQuarantined() {
        Conservation.Topic topic = Conservation.of(
                        List.of(
                                event(0, VersionState.PROMOTED, 0, 0),
                                event(1, VersionState.REFUSED, 0, 10, "preference", 10L),
                                event(2, VersionState.REFUSED, 0, 5, "preference", 5L)),
                        Map.of(TOPIC, 5L)) // the other half
                .topics()
                .get(TOPIC);
        assertThat(topic.received()).isEqualTo(10);
        assertThat(topic.outcomes()).isEqualTo(Map.of("quarantined", 5L, "waiting", 5L));
    }

    @Test
    void whatARolledBackVersionHadLearnedIsNotTrained() {
        assertThat(Conservation.of(
                                List.of(
                                        event(0, VersionState.PROMOTED, 0, 0),
                                        event(1, VersionState.PROMOTED, 0, 10, "preference", 10L),
                                        event(1, VersionState.ROLLED_BACK, 0, 10, "preference", 10L)),
                                Map.of(TOPIC, 10L))
                        .topics()
                        .get(TOPIC)
                        .outcomes())
                .isEqualTo(Map.of("waiting", 10L));
    }

    private static CheckpointEvent event(int round, VersionState state, long from, long to, Object... outcomes) {
        TopicAccount.Builder account = TopicAccount.newBuilder().setTopic(TOPIC).setRecords(to - from);
        for (int i = 0; i < outcomes.length; i += 2) {
            account.putOutcomes((String) outcomes[i], (Long) outcomes[i + 1]);
        }
        return CheckpointEvent.newBuilder()
                .setModel("m")
                .setVersion("m-00000" + round)
                .setParent(round == 0 ? "" : "m-00000" + (state == VersionState.REFUSED ? 0 : round - 1))
                .setState(state)
                .setLineage(Lineage.newBuilder()
                        .addSlices(SliceRange.newBuilder()
                                .setTopic(TOPIC)
                                .setFromOffset(from)
                                .setToOffset(to)
                                .setRecords(to - from)))
                .setAccount(SliceAccount.newBuilder().addTopics(account))
                .build();
    }
}
