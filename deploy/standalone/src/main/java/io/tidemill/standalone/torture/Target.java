package io.tidemill.standalone.torture;

import java.util.Locale;

/** What is hit. */
enum Target {
    /** The whole mill: broker, preprocessing, trainer and gateway in one process. */
    SYSTEM,
    /** A JVM with the trainer alone, beside a broker in another. */
    TRAINER;

    String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
