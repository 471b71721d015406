package io.tidemill.standalone.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Asked to stop, at whatever moment, it stops and says nothing about it. */
@Timeout(600)
class StopProcessTest {
    /** What the JVM answers to SIGTERM, which goes the way of Ctrl-C: 128 + 15. */
    private static final int TERMINATED = 143;

    /** What it says if there was nothing to finish, whichever signal it was. */
    private static final int INTERRUPTED = 130;

    private static final Duration PATIENCE = Duration.ofMinutes(10);

    @TempDir
    Path scratch;

    /** The files appear when the directory is held, when the broker starts, and when the services start. */
    @ParameterizedTest
    @ValueSource(strings = {"instance", "kafka/log/meta.properties", "tidemill.log"})
    void whileItStarts(String appears) throws Exception {
        Path data = scratch.resolve("data");
        try (MillProcess mill =
                MillProcess.start(scratch, "up", "--data", data.toString(), "--port", "0", "--kafka-port", "0")) {
            await().atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> Files.exists(data.resolve(appears)));
            assertThat(mill.terminate()).isIn(INTERRUPTED, TERMINATED);
            assertThat(mill.output()).isEmpty();
        }
    }

    @Test
    void whileTextComesInAndARoundTrains() throws Exception {
        Path model = TinyModel.writeTo(scratch.resolve("tiny"));
        try (MillProcess mill = MillProcess.start(
                        scratch,
                        "up",
                        "--data",
                        scratch.resolve("data").toString(),
                        "--port",
                        "0",
                        "--kafka-port",
                        "0",
                        "--model",
                        model.toString(),
                        "-Dtrainer.round.minimum-preferences=30",
                        "-Dtrainer.preference.pairs=1",
                        "-Dtrainer.preference.epochs=10000")
                .awaitReady()) {
            MillClient client = new MillClient(mill.url());
            assertThat(client.post("/v1/preferences", Examples.pairs("a", 40, 1)))
                    .isEqualTo(202);
            await().atMost(PATIENCE)
                    .until(() -> client.get("/v1/rounds").path("step").asLong() > 0);
            Thread traffic = new Thread(() -> push(client), "traffic");
            traffic.setDaemon(true);
            traffic.start();

            assertThat(mill.terminate()).isEqualTo(TERMINATED);
            assertThat(mill.output()).doesNotContain("tidemill:", "ERROR", "Exception");
            traffic.join();
        }
    }

    /** Until nobody takes it any more. */
    private static void push(MillClient client) {
        try {
            for (int i = 0; client.post("/v1/documents", Examples.documents("life-" + i, 5, i)) == 202; i++) {
                Thread.onSpinWait();
            }
        } catch (Exception stopped) {
            // the mill has ended, as it was asked to
        }
    }
}
