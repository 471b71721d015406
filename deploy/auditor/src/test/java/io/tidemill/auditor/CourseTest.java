package io.tidemill.auditor;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.auditor.Course.Kind;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.Lineage;
import io.tidemill.proto.v1.SliceRange;
import io.tidemill.proto.v1.VersionState;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Offsets of one partition, by a letter each: s slice, q quarantine, r waits for its retry, w waits, x passed over, ? nowhere. */
class CourseTest {
    private final List<CheckpointEvent> events = new ArrayList<>();

    @BeforeEach
    void base() {
        say(0, -1, VersionState.PROMOTED, 0, 0);
    }

    @Test
    void slicesFollowEachOther() {
        say(1, 0, VersionState.PROMOTED, 0, 3);
        say(2, 1, VersionState.PROMOTED, 3, 5);
        assertThat(places()).isEqualTo("ssssswww");
    }

    @Test
    void aRefusedRangeIsTriedAgainInHalvesAndThenQuarantined() {
        say(1, 0, VersionState.REFUSED, 0, 4);
        assertThat(places()).isEqualTo("rrrrwwww");
        say(2, 0, VersionState.REFUSED, 0, 2);
        assertThat(places()).isEqualTo("qqrrwwww");
        say(3, 0, VersionState.PROMOTED, 2, 4);
        say(4, 3, VersionState.PROMOTED, 4, 6);
        assertThat(places()).isEqualTo("qqssssww");
    }

    @Test
    void aRangeThatWasTriedAgainTogetherWithNewDataIsQuarantinedAlone() {
        say(1, 0, VersionState.REFUSED, 0, 3);
        say(2, 0, VersionState.REFUSED, 0, 5);
        assertThat(places()).isEqualTo("qqqrrwww");
    }

    @Test
    void aRolledBackVersionGivesItsSliceBackOnce() {
        say(1, 0, VersionState.PROMOTED, 0, 2);
        say(2, 1, VersionState.PROMOTED, 2, 5);
        say(2, 1, VersionState.ROLLED_BACK, 2, 5);
        assertThat(places()).isEqualTo("ssrrrwww");
        say(3, 1, VersionState.PROMOTED, 2, 5);
        assertThat(places()).isEqualTo("ssssswww");
        say(3, 1, VersionState.ROLLED_BACK, 2, 5);
        assertThat(places()).isEqualTo("ssqqqwww");
    }

    @Test
    void aVersionThatIsPromotedByHandTakesItsSliceBack() {
        say(1, 0, VersionState.PROMOTED, 0, 2);
        say(2, 1, VersionState.PROMOTED, 2, 4);
        say(0, -1, VersionState.PROMOTED, 0, 0);
        assertThat(places()).isEqualTo("rrrrwwww");
        say(2, 1, VersionState.PROMOTED, 2, 4);
        assertThat(places()).isEqualTo("sssswwww");
    }

    @Test
    void aCandidateOnTrialHasNotTakenItsSlice() {
        say(1, 0, VersionState.CANARY, 0, 2);
        assertThat(places()).isEqualTo("rrwwwwww");
        say(1, 0, VersionState.PROMOTED, 0, 2);
        assertThat(places()).isEqualTo("sswwwwww");
    }

    @Test
    void newDataBeforeWhatIsOwedPassesItOver() {
        say(1, 0, VersionState.REFUSED, 0, 2);
        say(2, 0, VersionState.PROMOTED, 2, 4);
        assertThat(places()).isEqualTo("xxsswwww");
    }

    @Test
    void aGapIsNowhereAndAnOverlapIsAFlaw() {
        say(1, 0, VersionState.PROMOTED, 1, 3);
        assertThat(places()).isEqualTo("?sswwwww");
        assertThat(course().flaws()).isEmpty();
        say(2, 1, VersionState.PROMOTED, 2, 4);
        assertThat(course().flaws())
                .containsExactly(
                        "m-000002 has read t-0:2..4, of which an ancestor had read t-0:1..3: each offset belongs to"
                                + " one slice at most.");
    }

    private void say(int round, int parent, VersionState state, long from, long to) {
        events.add(CheckpointEvent.newBuilder()
                .setVersion(name(round))
                .setParent(parent < 0 ? "" : name(parent))
                .setState(state)
                .setLineage(Lineage.newBuilder()
                        .setRound(round)
                        .addSlices(SliceRange.newBuilder()
                                .setTopic("t")
                                .setFromOffset(from)
                                .setToOffset(to)))
                .build());
    }

    private static String name(int round) {
        return String.format("m-%06d", round);
    }

    private Course course() {
        return Course.of(events, topic -> true);
    }

    private String places() {
        Course course = course();
        StringBuilder places = new StringBuilder();
        for (long offset = 0; offset < 8; offset++) {
            Kind kind = course.place(new TopicPartition("t", 0), offset).kind();
            places.append(
                    switch (kind) {
                        case SLICE -> 's';
                        case QUARANTINED -> 'q';
                        case RETRY -> 'r';
                        case WAITING -> 'w';
                        case PASSED_OVER -> 'x';
                        case NOWHERE -> '?';
                    });
        }
        return places.toString();
    }
}
