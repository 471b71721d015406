package io.tidemill.ingest.upload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Document;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

class KafkaEventLogTest {
    @Test
    void withoutABrokerItGivesUpWithinItsTimeout() throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", "127.0.0.1:" + portWithoutAnybody());
        try (KafkaEventLog log = new KafkaEventLog(settings, Duration.ofMillis(300), 1_000_000)) {
            CompletableFuture<Void> kept = log.append(
                    new TopicCatalogue("t.").documents(), "d-1", Document.getDefaultInstance(), Optional.empty());
            assertThatThrownBy(() -> kept.get(10, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(TimeoutException.class)
                    .hasMessageContaining("300 ms");
        }
        assertThat(settings).hasSize(1);
    }

    private static int portWithoutAnybody() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
