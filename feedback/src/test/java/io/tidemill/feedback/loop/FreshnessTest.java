package io.tidemill.feedback.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SliceAccount;
import java.time.Instant;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class FreshnessTest {
    private static final Instant NOW = Instant.ofEpochSecond(1_000);

    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private final Freshness freshness = new Freshness(metrics);

    @Test
    void everyTrainedExampleCountsAsTheHundredthThatItIsIn() {
        // 101 hundredths from 0 s to 1,000 s after the epoch, at 1,000 s: 1,000 s, 990 s, …, 0 s
        freshness.serves(version("m-000001", 202), NOW);
        DistributionSummary seconds = metrics.get("feedback_freshness_seconds").summary();
        assertThat(seconds.count()).isEqualTo(202);
        assertThat(seconds.max()).isEqualTo(1_000);
        assertThat(seconds.mean()).isCloseTo(500, within(1e-9));
    }

    @Test
    void aVersionCountsOnceAndOneThatServedBeforeNotAtAll() {
        freshness.known(List.of(version("m-000000", 10)));
        freshness.serves(version("m-000000", 10), NOW);
        freshness.serves(version("m-000001", 10), NOW);
        freshness.serves(version("m-000000", 10), NOW);
        freshness.serves(version("m-000001", 10), NOW);
        freshness.serves(CheckpointEvent.newBuilder().setVersion("m-000002").build(), NOW);
        assertThat(metrics.get("feedback_freshness_seconds").summary().count()).isEqualTo(10);
    }

    private static CheckpointEvent version(String version, long trained) {
        return CheckpointEvent.newBuilder()
                .setVersion(version)
                .setAccount(SliceAccount.newBuilder()
                        .setTrained(trained)
                        .addAllCameInMillis(LongStream.rangeClosed(0, 100)
                                .mapToObj(i -> i * 10_000)
                                .toList()))
                .build();
    }
}
