package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Notice;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.RoundEvent.Phase;
import io.tidemill.trainer.slice.Slice;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RoundReporterTest {
    private final AtomicLong nanos = new AtomicLong();
    private final List<RoundEvent> log = new ArrayList<>();
    private final RoundReporter reporter = new RoundReporter(
            "tiny", log::add, log::add, Clock.fixed(Instant.parse("2026-11-30T14:03:00Z"), ZoneOffset.UTC), nanos::get);

    @Test
    void whatBecameOfACommandIsToldThroughThePhasesOfRoundsForAQuarterOfAnHour() {
        reporter.phase(Phase.TRAINING, "stage preference, 4 steps");
        reporter.notDone(command("a-rollback"), "cannot roll back from tiny-000003");
        assertThat(newest().getPhase()).isEqualTo(Phase.TRAINING);
        assertThat(newest().getMessage()).isEqualTo("stage preference, 4 steps");
        Notice told = newest().getNotice();
        assertThat(told.getCommandId()).isEqualTo("a-rollback");
        assertThat(told.getDone()).isFalse();
        assertThat(told.getText()).isEqualTo("cannot roll back from tiny-000003");
        assertThat(told.getEventTime().getSeconds()).isEqualTo(1796047380);

        nanos.addAndGet(Duration.ofMinutes(10).toNanos());
        reporter.idle(Phase.WAITING, "waiting for new examples");
        assertThat(newest().getNotice()).isEqualTo(told);
        reporter.begin(plan());
        assertThat(newest().getPhase()).isEqualTo(Phase.READING);
        assertThat(newest().getNotice()).isEqualTo(told);

        nanos.addAndGet(Duration.ofMinutes(5).toNanos());
        reporter.tick();
        assertThat(newest().hasNotice()).isFalse();
    }

    @Test
    void theNewestOfTwoCommandsIsTold() {
        reporter.notDone(command("a"), "cannot release 'nothing'");
        nanos.addAndGet(Duration.ofMinutes(10).toNanos());
        reporter.done(command("b"), "12 records wait again");
        nanos.addAndGet(Duration.ofMinutes(10).toNanos());
        reporter.tick();
        assertThat(newest().getNotice().getText()).isEqualTo("12 records wait again");
        assertThat(newest().getNotice().getDone()).isTrue();
    }

    private RoundEvent newest() {
        RoundEvent newest = log.get(log.size() - 1);
        assertThat(reporter.newest()).isEqualTo(newest);
        return newest;
    }

    private static Command command(String id) {
        return Command.newBuilder().setModel("tiny").setCommandId(id).build();
    }

    private static RoundPlan plan() {
        return new RoundPlan("tiny-000004", "tiny-000003", "", 7, Slice.EMPTY, Slice.EMPTY, null, "by a test", 0, null);
    }
}
