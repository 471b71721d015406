package io.tidemill.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this process has used. Memory as Linux counts it. */
final class Usage {
    private static final Path STATUS = Path.of("/proc/self/status");

    private Usage() {}

    static double cpuSeconds() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime() / 1e9;
    }

    static double residentMebibytes() throws IOException {
        return status("VmRSS:");
    }

    /** The most that was resident since {@link #forgetPeak}. */
    static double peakMebibytes() throws IOException {
        return status("VmHWM:");
    }

    static void forgetPeak() throws IOException {
        Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    }

    private static double status(String field) throws IOException {
        String line = Files.readAllLines(STATUS).stream()
                .filter(each -> each.startsWith(field))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024.0;
    }
}
