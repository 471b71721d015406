package io.tidemill.standalone.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** Memory of this process as the operating system counts it, native libraries included. */
final class ProcessMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ProcessMemory() {}

    /** Largest resident size so far; MiB. Empty where the system does not tell. */
    static OptionalLong peakMebibytes() {
        return field("VmHWM:");
    }

    /** Resident size now; MiB. */
    static OptionalLong residentMebibytes() {
        return field("VmRSS:");
    }

    private static OptionalLong field(String name) {
        try {
            return Files.readAllLines(STATUS, US_ASCII).stream()
                    .filter(line -> line.startsWith(name))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024)
                    .findFirst();
        } catch (IOException notLinux) {
            return OptionalLong.empty();
        }
    }
}
