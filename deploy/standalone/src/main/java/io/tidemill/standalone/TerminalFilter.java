package io.tidemill.standalone;

import io.quarkus.logging.LoggingFilter;
import java.util.logging.Filter;
import java.util.logging.LogRecord;

/**
 * Keeps Kafka's own errors off the terminal; the file has them. The broker calls an error what its clients retry as a
 * matter of course, such as a transaction that begins while the one before is still being written.
 */
@LoggingFilter(name = "terminal")
public final class TerminalFilter implements Filter {
    @Override
    public boolean isLoggable(LogRecord record) {
        String logger = record.getLoggerName();
        return !logger.startsWith("org.apache.kafka.") && !logger.startsWith("kafka.");
    }
}
