package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.trainer.gate.GatePolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GateCheckTest {
    @TempDir
    static Path shared;

    private static Path base;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private static RoundSettings.GateSettings gate(
            String probe, String labels, List<String> required, List<String> superior) throws IOException {
        return gate(probe, labels, required, superior, 500);
    }

    private static RoundSettings.GateSettings gate(
            String probe, String labels, List<String> required, List<String> superior, int resamples)
            throws IOException {
        return new RoundSettings.GateSettings(
                0.02,
                0.1,
                0.03,
                0.03,
                0.1,
                "",
                5,
                5,
                5,
                5,
                100,
                20,
                100,
                "",
                resamples,
                0.05,
                new GatePolicy(
                        probe.isEmpty() ? List.of() : List.of(file("probes", probe)),
                        List.of(),
                        labels.isEmpty() ? "" : file("labels", labels),
                        0.1,
                        1,
                        20,
                        new GatePolicy.Drift("", 30, 16, 20, 0.35, 0.25, 0.9),
                        required,
                        superior,
                        false),
                0,
                0);
    }

    private static String file(String name, String line) throws IOException {
        return Files.writeString(shared.resolve(name + ".jsonl"), line + "\n").toString();
    }

    @Test
    void aModelThatCanBeAskedEverythingIsJudged() {
        assertThatCode(() -> GateCheck.check(
                        base,
                        gate(
                                "{\"messages\": [{\"role\": \"user\", \"content\": \"Say yes.\"}], \"choices\": [\"yes\", \"no\"],"
                                        + " \"answer\": 0}",
                                "",
                                List.of("probes", "answer-length", "preference-accuracy"),
                                List.of("held-out-loss"))))
                .doesNotThrowAnyException();
    }

    @Test
    void aSuiteThatIsNotThereIsToldWithThoseThatAre() {
        assertThatThrownBy(() -> GateCheck.check(base, gate("", "", List.of("probes"), List.of())))
                .hasMessage("trainer.gate.required names suite probes, but there are answer-agreement, answer-length,"
                        + " answer-repetition, held-out-loss, old-data-loss, preference-accuracy, preference-gap.");
        assertThatThrownBy(() -> GateCheck.check(base, gate("", "", List.of(), List.of("label-accuracy"))))
                .hasMessageContaining("trainer.gate.superior names suite label-accuracy");
    }

    @Test
    void aProbeThatDoesNotFitTheModelIsToldWithItsLine() {
        String probe = "{\"prompt\": \"a\", \"check\": {\"json\": true}, \"max_tokens\": 4000}";
        assertThatThrownBy(() -> GateCheck.check(base, gate(probe, "", List.of(), List.of())))
                .hasMessageContaining("probes.jsonl:1")
                .hasMessageContaining("but the model has 256 positions");
    }

    @Test
    void aBootstrapThatCouldShowNothingStopsTheStart() throws IOException {
        // seven suites, each compared twice; the lowest p-value 1 / 280 is just 0.05 / 14
        RoundSettings.GateSettings enough = gate("", "", List.of(), List.of(), 279);
        assertThatCode(() -> GateCheck.check(base, enough)).doesNotThrowAnyException();
        RoundSettings.GateSettings few = gate("", "", List.of(), List.of(), 278);
        assertThatThrownBy(() -> GateCheck.check(base, few))
                .hasMessage(
                        "trainer.gate.resamples is 278, but with up to 14 comparisons and trainer.gate.alpha 0.05 no"
                                + " candidate could ever pass with fewer than 279. Raise it.");
    }

    @Test
    void aModelThatWritesIsNotAskedForLabels() {
        assertThatThrownBy(() ->
                        GateCheck.check(base, gate("", "{\"text\": \"a\", \"labels\": [\"b\"]}", List.of(), List.of())))
                .hasMessageContaining("trainer.gate.label-probes are for a classifier");
    }
}
