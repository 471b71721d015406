package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.engine.ComputeType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryNeedTest {
    private static final long MILLION = 1_000_000;

    @TempDir
    Path root;

    private HostMemory.Available left() {
        return HostMemory.ofLinux(root).available().orElseThrow();
    }

    private void file(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    @Test
    void allWeightsAreThereSixTimesInFloat32AndAnAdapterNeedsThree() {
        // champion 4, masters, gradients and two moments 16, the copy at the end of a stage 4 bytes a weight
        assertThat(new MemoryNeed(MILLION, ComputeType.FLOAT32, false, false).bytes())
                .isEqualTo(24 * MILLION);
        // 2 more for each of the three where they are multiplied in bfloat16
        assertThat(new MemoryNeed(MILLION, ComputeType.BFLOAT16, false, false).bytes())
                .isEqualTo(30 * MILLION);
        // champion, merged and as written: 3 times 4
        assertThat(new MemoryNeed(MILLION, ComputeType.FLOAT32, true, false).bytes())
                .isEqualTo(12 * MILLION);
        // masters of their own
        assertThat(new MemoryNeed(MILLION, ComputeType.FLOAT32, true, true).bytes())
                .isEqualTo(16 * MILLION);
    }

    @Test
    void whatDoesNotFitIsToldWithItsNumbersAndWhatWould() {
        MemoryNeed need = new MemoryNeed(134 * MILLION, ComputeType.FLOAT32, false, false); // 3,216 million bytes
        assertThat(need.refusal("big-000001", new HostMemory.Available(3_216 * MILLION, "here")))
                .isEmpty();
        assertThat(need.refusal("big-000001", new HostMemory.Available(1_608 * MILLION, "here"))
                        .orElseThrow())
                .startsWith(
                        "big-000001 has 134,000,000 weights: training all of them needs 3,068 MiB for them before any"
                                + " activation, but there are 1,534 MiB (here).")
                .contains("at most some 67,000,000 weights would fit")
                .contains("trainer.adapter.rank), which needs 1,534 MiB")
                .contains("trainer.memory-megabytes");
        assertThat(need.refusal("big-000001", new HostMemory.Available(1_600 * MILLION, "here"))
                        .orElseThrow())
                .doesNotContain("trainer.adapter.rank");
    }

    @Test
    void theLeastOfMachineAndControlGroupCounts() throws IOException {
        assertThat(HostMemory.ofLinux(root).available()).isEmpty();
        file("proc/meminfo", "MemTotal:        8000 kB\nMemFree:  1 kB\nMemAvailable:    4000 kB\n");
        assertThat(left()).isEqualTo(new HostMemory.Available(4_096_000, "MemAvailable of /proc/meminfo"));

        file("sys/fs/cgroup/memory.max", "max\n");
        file("sys/fs/cgroup/memory.current", "3000000\n");
        assertThat(left().bytes()).isEqualTo(4_096_000);

        file("sys/fs/cgroup/memory.max", "5000000\n");
        file("sys/fs/cgroup/memory.stat", "anon 2500000\ninactive_file 500000\nactive_file 1\n");
        assertThat(left())
                .isEqualTo(new HostMemory.Available(2_500_000, "/sys/fs/cgroup/memory.max less what is used"));
    }

    @Test
    void theOlderControlGroupsAreReadToo() throws IOException {
        file("sys/fs/cgroup/memory/memory.limit_in_bytes", "5000000\n");
        file("sys/fs/cgroup/memory/memory.usage_in_bytes", "3000000\n");
        file("sys/fs/cgroup/memory/memory.stat", "cache 7\ntotal_inactive_file 500000\n");
        assertThat(left().bytes()).isEqualTo(2_500_000);
    }
}
