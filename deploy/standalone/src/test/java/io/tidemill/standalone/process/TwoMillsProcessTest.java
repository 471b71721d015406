package io.tidemill.standalone.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two mills, one broker: {@code --bootstrap-servers} and {@code --model} together. */
@Timeout(1200)
class TwoMillsProcessTest {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    @TempDir
    Path scratch;

    @Test
    void aSecondMillGrindsAnotherModelOnTheFirstOnesBrokerAndNeitherStopsTheOther() throws Exception {
        Path first = TinyModel.writeTo(scratch.resolve("first"));
        Path second = TinyModel.writeTo(scratch.resolve("second"));
        try (MillProcess owner = up("owner", first, "--kafka-port", "0").awaitReady();
                MillProcess guest = up("guest", second, "--bootstrap-servers", owner.bootstrapServers())
                        .awaitReady()) {
            assertThat(guest.bootstrapServers()).isEqualTo(owner.bootstrapServers());
            MillClient ownerClient = new MillClient(owner.url());
            MillClient guestClient = new MillClient(guest.url());
            assertThat(guestClient.chatVersion("second")).isEqualTo("second-000000");

            // The same tokenizer, so the two share all of preprocessing, and each makes a version of every text.
            assertThat(ownerClient.post("/v1/documents", Examples.documents("a", 20, 1)))
                    .isEqualTo(202);
            assertThat(guestClient.post("/v1/preferences", Examples.pairs("a", 40, 2)))
                    .isEqualTo(202);
            awaitVersion(ownerClient, "first", "first-000001");
            awaitVersion(guestClient, "second", "second-000001");

            aThirdMillOfTheSameModelIsTurnedAway(owner, first);

            guest.kill();
            assertThat(ownerClient.post("/v1/preferences", Examples.pairs("b", 40, 3)))
                    .isEqualTo(202);
            awaitVersion(ownerClient, "first", "first-000002");
            assertThat(owner.output()).doesNotContain("tidemill:");
        }
    }

    private void aThirdMillOfTheSameModelIsTurnedAway(MillProcess owner, Path model) throws Exception {
        try (MillProcess third = up("third", model, "--bootstrap-servers", owner.bootstrapServers())) {
            assertThat(third.exitStatus(Duration.ofMinutes(2)))
                    .as(third.output())
                    .isEqualTo(1);
            assertThat(third.output().lines().filter(line -> !line.contains("not ready after")))
                    .singleElement()
                    .asString()
                    .startsWith("tidemill: Topic tidemill.checkpoints says that first-00000")
                    .contains("does not have it", "tidemill.model");
        }
    }

    private static void awaitVersion(MillClient client, String model, String version) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(client.chatVersion(model)).isEqualTo(version));
    }

    private MillProcess up(String data, Path model, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "up",
                "--data",
                scratch.resolve(data).toString(),
                "--port",
                "0",
                "--model",
                model.toString(),
                "-Dtrainer.round.minimum-preferences=30",
                "-Dtrainer.round.minimum-sequences=1000",
                "-Dtrainer.round.maximum-wait=PT1H",
                // Only that a version comes is looked at: every candidate passes.
                "-Dtrainer.gate.held-out-margin=100",
                "-Dtrainer.gate.old-data-margin=100",
                "-Dtrainer.gate.preference-margin=1"));
        arguments.addAll(List.of(more));
        return MillProcess.start(scratch, arguments.toArray(String[]::new));
    }
}
