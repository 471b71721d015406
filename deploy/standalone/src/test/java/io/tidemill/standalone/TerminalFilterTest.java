package io.tidemill.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

class TerminalFilterTest {
    private static boolean isShown(String logger, String message) {
        LogRecord record = new LogRecord(Level.SEVERE, message);
        record.setLoggerName(logger);
        return new TerminalFilter().isLoggable(record);
    }

    @Test
    void aRequestThatFailsBecauseTheMillIsBeingStoppedIsNoErrorOnTheTerminal() {
        String handler = "io.quarkus.vertx.http.runtime.QuarkusErrorHandler";
        assertThat(isShown(handler, "HTTP Request to %s failed, error id: %s [Error Occurred After Shutdown]"))
                .isFalse();
        assertThat(isShown(handler, "HTTP Request to %s failed, error id: %s")).isTrue();
        assertThat(isShown("io.tidemill.trainer", "not closed [Error Occurred After Shutdown]"))
                .isTrue();
    }

    @Test
    void whatTheBrokerCallsAnErrorIsForTheFile() {
        assertThat(isShown("org.apache.kafka.clients.Metadata", "again")).isFalse();
        assertThat(isShown("kafka.server.KafkaApis", "again")).isFalse();
        assertThat(isShown("io.tidemill.trainer", null)).isTrue();
    }
}
