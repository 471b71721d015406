package io.tidemill.trainer.round;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** How much memory this process may still take. */
public interface HostMemory {
    /**
     * An amount with where it comes from.
     *
     * @param source as an error message names it
     */
    record Available(long bytes, String source) {}

    /** Empty where nothing tells, or nothing is to be compared. */
    Optional<Available> available();

    /** A stated amount. */
    static HostMemory of(long bytes, String source) {
        return () -> Optional.of(new Available(bytes, source));
    }

    /**
     * What Linux says: the least of what the machine and the control group have left, memory that only caches files
     * counted as free. Nothing elsewhere.
     *
     * @param root "/"
     */
    static HostMemory ofLinux(Path root) {
        return () -> Stream.of(
                        machine(root),
                        group(root, "memory.max", "memory.current", "inactive_file"),
                        group(
                                root,
                                "memory/memory.limit_in_bytes",
                                "memory/memory.usage_in_bytes",
                                "total_inactive_file"))
                .flatMap(Optional::stream)
                .min(java.util.Comparator.comparingLong(Available::bytes));
    }

    private static Optional<Available> machine(Path root) {
        OptionalLong kibibytes = field(root.resolve("proc/meminfo"), "MemAvailable:");
        return kibibytes.isPresent()
                ? Optional.of(new Available(1024 * kibibytes.getAsLong(), "MemAvailable of /proc/meminfo"))
                : Optional.empty();
    }

    private static Optional<Available> group(Path root, String limit, String used, String cached) {
        Path group = root.resolve("sys/fs/cgroup");
        OptionalLong most = number(group.resolve(limit)); // "max" where there is none
        OptionalLong now = number(group.resolve(used));
        if (most.isEmpty() || now.isEmpty()) {
            return Optional.empty();
        }
        long files = field(group.resolve(used).resolveSibling("memory.stat"), cached + " ")
                .orElse(0);
        return Optional.of(new Available(
                Math.max(0, most.getAsLong() - now.getAsLong() + files),
                "/sys/fs/cgroup/" + limit + " less what is used"));
    }

    private static OptionalLong number(Path file) {
        try {
            return OptionalLong.of(Long.parseLong(Files.readString(file).strip()));
        } catch (IOException | NumberFormatException absent) {
            return OptionalLong.empty();
        }
    }

    private static OptionalLong field(Path file, String name) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(name))
                    .mapToLong(line -> Long.parseLong(
                            line.substring(name.length()).replace("kB", "").strip()))
                    .findFirst();
        } catch (IOException | NumberFormatException absent) {
            return OptionalLong.empty();
        }
    }
}
