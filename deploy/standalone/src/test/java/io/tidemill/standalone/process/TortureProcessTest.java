package io.tidemill.standalone.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The short form of the fault harness; {@code ./tidemill torture} is the long one. */
@Timeout(3600)
class TortureProcessTest {
    private static final Duration PATIENCE = Duration.ofMinutes(25);

    @TempDir
    Path scratch;

    @Test
    void twentyFaultsLoseNothingChangeNothingAndAreRecoveredFrom() throws Exception {
        Path ledger = scratch.resolve("ledger.jsonl");
        torture(ledger, "trainer", 14);
        torture(ledger, "system", 6);

        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(ledger)) {
            lines.add(new ObjectMapper().readTree(line));
        }
        assertThat(lines.stream().filter(line -> line.has("outcome")))
                .hasSizeGreaterThanOrEqualTo(20)
                .allSatisfy(line -> assertThat(line.path("result").asText()).isIn("recovered", "overtaken"));
        assertThat(lines.stream().filter(line -> line.has("proof"))).hasSize(2).allSatisfy(proof -> {
            assertThat(proof.path("proof").asText()).isEqualTo("holds");
            assertThat(proof.path("accepted").asInt()).isPositive();
            assertThat(proof.path("rebuilt").asInt())
                    .isBetween(1, proof.path("versions").asInt() - 1); // all but the base and what was refused
        });
    }

    private void torture(Path ledger, String target, int faults) throws IOException, InterruptedException {
        try (MillProcess harness = MillProcess.start(
                scratch,
                "torture",
                "--target",
                target,
                "--faults",
                Integer.toString(faults),
                "--seed",
                "5",
                "--ledger",
                ledger.toString(),
                "--data",
                scratch.resolve("torture").toString())) {
            int status = harness.exitStatus(PATIENCE);
            assertThat(status).as(harness.output()).isZero();
        }
    }
}
