package io.tidemill.feedback.serving;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.feedback.answer.EngineLoader.Tolerance;
import io.tidemill.feedback.testing.FakeEngine;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProbeCheckTest {
    private static final Tolerance FLOAT32 = new Tolerance(1e-3, 0);

    @TempDir
    Path directory;

    @Test
    void logitsWithinTheToleranceAgree() throws Exception {
        Files.writeString(directory.resolve(ProbeCheck.FILE), "{\"ids\": [1, 2], \"logits\": [0.5, -2.0]}");
        assertThatCode(() -> ProbeCheck.compare(new FakeEngine("m-000001", 0.5009f, -2f), directory, FLOAT32))
                .doesNotThrowAnyException();
    }

    @Test
    void oneLogitTooFarNamesTokenAndBothValues() {
        double[] expected = {0.5, -2.0};
        assertThatThrownBy(() -> ProbeCheck.compare("m-000001", expected, new float[] {0.5f, -2.0021f}, FLOAT32))
                .isInstanceOf(ProbeCheck.Mismatch.class)
                .hasMessage("m-000001: logit 1 is -2.00210, its probe.json says -2.00000; they may differ by"
                        + " 0.00100.");
    }

    @Test
    void aRelativeToleranceGoesByTheLargestLogit() {
        // 2 % of 10 is 0.2: 0.15 off passes even at a small logit, 0.25 off does not.
        Tolerance bfloat16 = new Tolerance(0, 0.02);
        double[] expected = {10, 0.1};
        assertThatCode(() -> ProbeCheck.compare("m", expected, new float[] {10, 0.25f}, bfloat16))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> ProbeCheck.compare("m", expected, new float[] {10, 0.35f}, bfloat16))
                .isInstanceOf(ProbeCheck.Mismatch.class);
    }

    @Test
    void notANumberNeverAgrees() {
        assertThatThrownBy(() -> ProbeCheck.compare("m", new double[] {1}, new float[] {Float.NaN}, FLOAT32))
                .isInstanceOf(ProbeCheck.Mismatch.class);
    }

    @Test
    void anotherVocabularyIsNamed() {
        assertThatThrownBy(() -> ProbeCheck.compare("m", new double[2], new float[3], FLOAT32))
                .hasMessageContaining("3 logits")
                .hasMessageContaining("has 2");
    }

    @Test
    void aVersionWithoutAProbeIsRefused() {
        assertThatThrownBy(() -> ProbeCheck.compare(new FakeEngine("m-000001", 1f), directory, FLOAT32))
                .isInstanceOf(ProbeCheck.Mismatch.class)
                .hasMessageContaining("no probe.json");
    }
}
