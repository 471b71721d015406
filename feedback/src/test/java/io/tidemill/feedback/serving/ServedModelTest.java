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
    void aLeaseThatWasGivenBackGivesNoEngine() {
        served.swap(first);
        ServedModel.Lease lease = served.acquire().orElseThrow();
        lease.close();
        assertThatThrownBy(lease::engine).isInstanceOf(IllegalStateException.class);
    }
}
