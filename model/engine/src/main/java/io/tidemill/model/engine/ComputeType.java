package io.tidemill.model.engine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The number type of the matrix products. Weights, residual stream, softmax and loss are float32 in both. */
public enum ComputeType {
    FLOAT32,
    BFLOAT16;

    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");
    private static final ComputeType BEST = detect(CPU_INFO);

    /** BFLOAT16 where the processor multiplies it in hardware (AVX512-BF16 or AMX, asked of Linux), else FLOAT32. */
    public static ComputeType best() {
        return BEST;
    }

    static ComputeType detect(Path cpuInfo) {
        try {
            for (String line : Files.readAllLines(cpuInfo, StandardCharsets.ISO_8859_1)) {
                if (line.startsWith("flags") || line.startsWith("Features")) {
                    List<String> flags =
                            List.of(line.substring(line.indexOf(':') + 1).trim().split("\\s+"));
                    return flags.contains("avx512_bf16") || flags.contains("amx_bf16") ? BFLOAT16 : FLOAT32;
                }
            }
        } catch (IOException absent) {
            return FLOAT32; // not Linux: float32 is right everywhere
        }
        return FLOAT32;
    }
}
