package io.tidemill.feedback.serving;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.feedback.answer.Engine;
import io.tidemill.feedback.answer.EngineLoader.Tolerance;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Compares what a loaded version computes with what its trainer wrote down in {@code probe.json}:
 * {@code {"ids": […], "logits": […]}}, the logits being those of {@link Engine#probeLogits}.
 */
final class ProbeCheck {
    static final String FILE = "probe.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    private ProbeCheck() {}

    /** Returns when the logits agree. */
    static void compare(Engine engine, Path directory, Tolerance tolerance) throws IOException, Mismatch {
        Path file = directory.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            throw new Mismatch(engine.version() + " has no " + FILE + ", so it cannot be checked; publish it again.");
        }
        JsonNode probe = JSON.readTree(file.toFile());
        int[] ids = JSON.convertValue(probe.path("ids"), int[].class);
        double[] expected = JSON.convertValue(probe.path("logits"), double[].class);
        if (ids == null || ids.length == 0 || expected == null || expected.length == 0) {
            throw new Mismatch(engine.version() + ": " + FILE + " must hold ids and logits, but has neither or one.");
        }
        compare(engine.version(), expected, engine.probeLogits(ids), tolerance);
    }

    static void compare(String version, double[] expected, float[] actual, Tolerance tolerance) throws Mismatch {
        if (actual.length != expected.length) {
            throw new Mismatch(version + " computes " + actual.length + " logits, its " + FILE + " has "
                    + expected.length + ": version and probe are of different models.");
        }
        double largest = 0;
        for (double logit : expected) {
            largest = Math.max(largest, Math.abs(logit));
        }
        double allowed = tolerance.absolute() + tolerance.relative() * Math.max(1, largest);
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs(actual[i] - expected[i]);
            // Written so that NaN fails too.
            if (!(difference <= allowed)) {
                throw new Mismatch(String.format(
                        Locale.ROOT,
                        "%s: logit %d is %.6g, its %s says %.6g; they may differ by %.3g.",
                        version,
                        i,
                        actual[i],
                        FILE,
                        expected[i],
                        allowed));
            }
        }
    }

    /** The loaded version is not the one that was published. */
    static final class Mismatch extends Exception {
        private static final long serialVersionUID = 1L;

        Mismatch(String message) {
            super(message);
        }
    }
}
