package io.tidemill.standalone;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;

/**
 * A mill whose services all say that they are ready.
 *
 * @param settings         what it runs with
 * @param bootstrapServers address of its Kafka
 * @param startup          from the start of the JVM to readiness
 */
public record RunningMill(MillSettings settings, String bootstrapServers, Duration startup) {
    public void print(PrintStream out) {
        out.printf(Locale.ROOT, "READY in %.1f s%n", startup.toMillis() / 1000.0);
        out.println("  page and REST   " + settings.url());
        out.println("  Kafka           " + bootstrapServers);
        out.println("  data            " + settings.data());
        out.println("  log             " + settings.data().resolve("tidemill.log"));
        out.flush();
    }
}
