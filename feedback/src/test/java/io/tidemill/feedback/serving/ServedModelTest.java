package io.tidemill.feedback.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.feedback.testing.FakeEngine;
import org.junit.jupiter.api.Test;

class ServedModelTest {
    private final ServedModel served = new ServedModel();
    private final FakeEngine first = new FakeEngine("m-000001");
    private final FakeEngine second = new FakeEngine("m-000002");

    @Test
    void beforeTheFirstVersionThereIsNothingToAcquire() {
        assertThat(served.acquire()).isEmpty();
    }

    @Test
    void theOldVersionIsClosedAfterItsLastLeaseAndNotBefore() {
        served.swap(first);
        ServedModel.Lease one = served.acquire().orElseThrow();
        ServedModel.Lease two = served.acquire().orElseThrow();
        served.swap(second);
        assertThat(served.acquire().orElseThrow().engine()).isSameAs(second);
        one.close();
        one.close();
        assertThat(first.closed()).isFalse();
        assertThat(two.engine()).isSameAs(first);
        two.close();
        assertThat(first.closed()).isTrue();
        assertThat(second.closed()).isFalse();
    }

    @Test
    void aVersionThatNobodyHoldsIsClosedAtTheSwap() {
        served.swap(first);
        served.swap(second);
        assertThat(first.closed()).isTrue();
    }

    @Test
    void aCanaryAnswersItsShareOfTheConversationsAndEachConversationAlwaysTheSame() {
        served.swap(first);
        assertThat(arm("any")).isEqualTo(new Arm("champion", 1, ""));
        served.addCanary(second, 0.1);
        int drawn = 0;
        for (int i = 0; i < 10_000; i++) {
            Arm arm = arm("talk " + i);
            assertThat(arm(("talk " + i))).isEqualTo(arm);
            drawn += arm.equals(new Arm("canary", 0.1, "m-000002")) ? 1 : 0;
            assertThat(arm).isIn(new Arm("canary", 0.1, "m-000002"), new Arm("champion", 0.9, "m-000002"));
        }
        // Binomial with p = 0.1 and n = 10,000: 1,000 with a standard deviation of 30.
        assertThat(drawn).isBetween(880, 1120);
        try (ServedModel.Lease lease = served.draw(conversation("canary")).orElseThrow()) {
            assertThat(lease.engine()).isSameAs(second);
        }
    }

    @Test
    void anotherCanaryIsDrawnByOtherConversations() {
        served.swap(first);
        served.addCanary(second, 0.5);
        int same = 0;
        for (int i = 0; i < 1_000; i++) {
            String before = arm("talk " + i).name();
            FakeEngine third = new FakeEngine("m-000003");
            served.addCanary(third, 0.5);
            same += arm("talk " + i).name().equals(before) ? 1 : 0;
            served.addCanary(new FakeEngine("m-000002"), 0.5);
        }
        assertThat(same).isBetween(400, 600);
    }

    @Test
    void whoNamesAVersionGetsItAndNothingIsDrawn() {
        served.swap(first);
        served.addCanary(second, 0.5);
        try (ServedModel.Lease one = served.acquire("m-000001").orElseThrow();
                ServedModel.Lease two = served.acquire("m-000002").orElseThrow()) {
            assertThat(one.engine()).isSameAs(first);
            assertThat(one.arm()).isEqualTo(new Arm("champion", 1, ""));
            assertThat(two.engine()).isSameAs(second);
            assertThat(two.arm()).isEqualTo(new Arm("canary", 1, ""));
        }
        assertThat(served.acquire("m-000003")).isEmpty();
    }

    @Test
    void aPromotedCanaryGoesOnWithoutBeingLoadedAgainAndARemovedOneIsClosed() {
        served.swap(first);
        served.addCanary(second, 0.5);
        assertThat(served.promoteCanary("m-000001")).isFalse();
        assertThat(served.promoteCanary("m-000002")).isTrue();
        assertThat(served.version()).contains("m-000002");
        assertThat(served.canary()).isEmpty();
        assertThat(first.closed()).isTrue();
        assertThat(second.closed()).isFalse();

        FakeEngine third = new FakeEngine("m-000003");
        served.addCanary(third, 0.5);
        served.removeCanary();
        assertThat(third.closed()).isTrue();
        assertThat(arm("any")).isEqualTo(new Arm("champion", 1, ""));
        served.close();
        assertThat(second.closed()).isTrue();
    }

    @Test
    void theVersionThatWasReplacedLastStaysOnStandbyAndIsRecalledAsItIs() {
        ServedModel keeping = new ServedModel(true);
        FakeEngine third = new FakeEngine("m-000003");
        keeping.swap(first);
        assertThat(keeping.recall("m-000001")).isFalse();
        keeping.swap(second);
        assertThat(first.closed()).isFalse();
        assertThat(keeping.recall("m-000001")).isTrue();
        assertThat(keeping.version()).contains("m-000001");
        assertThat(second.closed()).isFalse();
        assertThat(keeping.recall("m-000002")).isTrue();
        keeping.swap(third);
        assertThat(first.closed()).isTrue();
        assertThat(keeping.recall("m-000001")).isFalse();

        keeping.addCanary(new FakeEngine("m-000004"), 0.5);
        keeping.promoteCanary("m-000004");
        assertThat(second.closed()).isTrue();
        assertThat(third.closed()).isFalse();
        assertThat(keeping.dropStandby()).isTrue();
        assertThat(third.closed()).isTrue();
        assertThat(keeping.dropStandby()).isFalse();
        keeping.close();
    }

    private Arm arm(String conversation) {
        try (ServedModel.Lease lease = served.draw(conversation).orElseThrow()) {
            return lease.arm();
        }
    }

    /** One that is on this arm. */
    private String conversation(String arm) {
        for (int i = 0; ; i++) {
            if (arm("search " + i).name().equals(arm)) {
                return "search " + i;
            }
        }
    }

    @Test
    void aLeaseThatWasGivenBackGivesNoEngine() {
        served.swap(first);
        ServedModel.Lease lease = served.acquire().orElseThrow();
        lease.close();
        assertThatThrownBy(lease::engine).isInstanceOf(IllegalStateException.class);
    }
}
