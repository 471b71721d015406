package io.tidemill.model.engine;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * libtorch was refused memory. What the call had taken is free again, and weights are as they were before it unless it
 * was an optimizer step; gradients may be half added and are to be discarded.
 */
public final class NativeMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** c10/core/impl/alloc_cpu.cpp: "can't allocate memory", elsewhere "not enough memory". */
    private static final Pattern HOST =
            Pattern.compile("DefaultCPUAllocator: .{0,40}memory: you tried to allocate (\\d+) bytes");
    /** c10/cuda/CUDACachingAllocator.cpp. */
    private static final Pattern CUDA =
            Pattern.compile("CUDA out of memory\\. Tried to allocate ([\\d.]+) (bytes|KiB|MiB|GiB)");
    /** The C++ library, cuBLAS and the driver; they do not say how much. */
    private static final Pattern UNTOLD =
            Pattern.compile("std::bad_alloc|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED");

    private final long bytesAsked;

    /** @param bytesAsked by the allocation that failed; 0 where libtorch does not say */
    public NativeMemoryException(long bytesAsked, Throwable cause) {
        super("libtorch got no memory" + (bytesAsked == 0 ? "" : " when it asked for " + megabytes(bytesAsked)), cause);
        this.bytesAsked = bytesAsked;
    }

    /** By the allocation that failed; empty where libtorch does not say. */
    public OptionalLong bytesAsked() {
        return bytesAsked == 0 ? OptionalLong.empty() : OptionalLong.of(bytesAsked);
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }

    /** What libtorch threw, as this exception if it is about memory. */
    static Optional<NativeMemoryException> of(RuntimeException thrown) {
        String message = String.valueOf(thrown.getMessage());
        Matcher host = HOST.matcher(message);
        if (host.find()) {
            return Optional.of(new NativeMemoryException(Long.parseLong(host.group(1)), thrown));
        }
        Matcher cuda = CUDA.matcher(message);
        if (cuda.find()) {
            int shift =
                    switch (cuda.group(2)) {
                        case "KiB" -> 10;
                        case "MiB" -> 20;
                        case "GiB" -> 30;
                        default -> 0;
                    };
            long bytes = (long) (Double.parseDouble(cuda.group(1)) * (1L << shift));
            return Optional.of(new NativeMemoryException(bytes, thrown));
        }
        return UNTOLD.matcher(message).find() ? Optional.of(new NativeMemoryException(0, thrown)) : Optional.empty();
    }
}
