package io.tidemill.standalone;

import io.quarkus.logging.LoggingFilter;
import java.util.logging.Filter;
import java.util.logging.LogRecord;

/**
 * Keeps off the terminal what is nobody's concern; the file has it. The broker calls an error what its clients retry as a
 * matter of course, such as a transaction that begins while the one before is still being written; and requests that come
 * while the mill is being stopped fail, as their clients see.
 */
@LoggingFilter(name = "terminal")
public final class TerminalFilter implements Filter {
    private static final String HTTP_ERRORS = "io.quarkus.vertx.http.runtime.QuarkusErrorHandler";

    /** Quarkus appends it before this filter is asked. */
    private static final String STOPPING = "[Error Occurred After Shutdown]";

    @Override
    public boolean isLoggable(LogRecord record) {
        String logger = record.getLoggerName();
        boolean refusedWhileStopping = logger.equals(HTTP_ERRORS)
                && String.valueOf(record.getMessage()).endsWith(STOPPING);
        return !refusedWhileStopping && !logger.startsWith("org.apache.kafka.") && !logger.startsWith("kafka.");
    }
}
