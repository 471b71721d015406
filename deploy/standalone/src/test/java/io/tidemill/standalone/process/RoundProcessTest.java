package io.tidemill.standalone.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(1200)
class RoundProcessTest {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    /** What {@code kill} without -9 leaves as exit status: 128 + 15. */
    private static final int TERMINATED = 143;

    @TempDir
    Path scratch;

    @Test
    void textAndChoicesComeBackAsAVersionThatAnswersAndThatARestartKeeps() throws Exception {
        Path model = TinyModel.writeTo(scratch.resolve("tiny"));
        Path data = scratch.resolve("data");
        String[] up = {
            "up",
            "--data",
            data.toString(),
            "--port",
            "0",
            "--kafka-port",
            "0",
            "--model",
            model.toString(),
            "-Dtrainer.round.minimum-preferences=30",
            "-Dtrainer.round.maximum-wait=PT5S"
        };
        try (MillProcess mill = MillProcess.start(scratch, up).awaitReady()) {
            MillClient client = new MillClient(mill.url());
            assertThat(client.chatVersion("tiny")).isEqualTo("tiny-000000");

            assertThat(client.post("/v1/documents", Examples.documents("a", 20, 1)))
                    .isEqualTo(202);
            assertThat(client.post("/v1/preferences", Examples.pairs("a", 40, 2)))
                    .isEqualTo(202);

            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(client.chatVersion("tiny")).isEqualTo("tiny-000001"));
            JsonNode newest = client.get("/v1/checkpoints/tiny-000001");
            assertThat(newest.path("state").asText()).isEqualTo("PROMOTED");
            assertThat(newest.path("parent").asText()).isEqualTo("tiny-000000");

            aSecondInstanceIsTurnedAway(data);
            aDownloadIsAHuggingFaceDirectory(mill.url());
            theVersionIsRebuiltBesideTheMill(mill.bootstrapServers(), data);
            theLedgerClosesBesideTheMill(mill.bootstrapServers(), data);
            whatTheAlertsAndTheDashboardAskForIsTold(client);
            assertThat(mill.terminate()).isEqualTo(TERMINATED);
        }
        try (MillProcess again = MillProcess.start(scratch, up).awaitReady()) {
            assertThat(new MillClient(again.url()).chatVersion("tiny"))
                    .startsWith("tiny-00000")
                    .isNotEqualTo("tiny-000000");
            commandsTellWhatCameOfThem(again.url());
            assertThat(again.terminate()).isEqualTo(TERMINATED);
        }
    }

    /** The prompt, the tokens, the end of turn and the version: all of it has to be the same at both ends of the loop. */
    @Test
    void whatServingLoggedStandsForTheReference() throws Exception {
        Path model = TinyModel.writeTaughtTo(scratch.resolve("tiny"));
        try (MillProcess mill = MillProcess.start(
                        scratch,
                        "up",
                        "--data",
                        scratch.resolve("logged").toString(),
                        "--port",
                        "0",
                        "--kafka-port",
                        "0",
                        "--model",
                        model.toString(),
                        "-Dtrainer.compute=float32",
                        "-Dfeedback.compute=float32",
                        "-Dtrainer.round.minimum-preferences=20",
                        "-Dtrainer.round.maximum-wait=PT5S")
                .awaitReady()) {
            MillClient client = new MillClient(mill.url());
            assertThat(client.chatVersion("tiny")).isEqualTo("tiny-000000");

            int compared = 0;
            for (int seed = 0; compared < 20; seed += 2) {
                JsonNode turn = client.twoAnswers(TinyModel.QUESTION, "talk-" + seed, seed);
                JsonNode choices = turn.path("choices");
                assertThat(choices).as("%s", turn).hasSize(2);
                if (!choices.get(0).path("message").equals(choices.get(1).path("message"))) {
                    JsonNode ids = turn.path("tidemill").path("completion_ids");
                    assertThat(client.prefer(ids.get(0).asText(), ids.get(1).asText()))
                            .isEqualTo(202);
                    compared++;
                }
            }

            await().atMost(PATIENCE).untilAsserted(() -> assertThat(client.get("/v1/checkpoints/tiny-000001")
                            .path("state")
                            .asText())
                    .isIn("PROMOTED", "REFUSED"));
            JsonNode event = client.get("/v1/checkpoints/tiny-000001");
            long learned =
                    event.path("lineage").path("examples").path("preference").asLong();
            assertThat(learned).isPositive();
            assertThat(event.path("metrics")
                            .path("preference_references_logged")
                            .asLong())
                    .as("%s", event.path("metrics"))
                    .isBetween(
                            learned / 2, learned); // one off the script may be drawn in other tokens than its text has
            assertThat(mill.terminate()).isEqualTo(TERMINATED);
        }
    }

    @Test
    void tryingOutAnInstallationEndsAsSoonAsItIsReady() throws Exception {
        Path data = scratch.resolve("tried");
        try (MillProcess mill = MillProcess.start(
                scratch, "up", "--until-ready", "--data", data.toString(), "--port", "0", "--kafka-port", "0")) {
            assertThat(mill.exitStatus(PATIENCE)).isZero();
            assertThat(mill.output()).startsWith("READY in ");
        }
    }

    private void commandsTellWhatCameOfThem(String url) throws Exception {
        assertThat(asked(1, url, "rollback", "tiny-000099"))
                .startsWith("tidemill: cannot roll back from tiny-00000")
                .contains(" to 'tiny-000099': it is live, or its weights are not in the store");
        assertThat(asked(1, url, "promote", "tiny-000099")).startsWith("tidemill: cannot promote 'tiny-000099': it is");
        assertThat(asked(1, url, "quarantine", "--release", "tiny-000099"))
                .startsWith("tidemill: cannot release 'tiny-000099': it has no records in the quarantine");
        assertThat(asked(0, url, "rollback", "tiny-000000", "--reason", "try"))
                .endsWith(" is rolled back; tiny-000000 is live.");
        assertThat(asked(1, url, "rollback"))
                .isEqualTo("tidemill: cannot roll back from tiny-000000: it is the first version of its lineage");
        assertThat(asked(0, url, "promote", "tiny-000001")).isEqualTo("tiny-000001 is live.");
    }

    private String asked(int status, String url, String... arguments) throws Exception {
        List<String> line = new ArrayList<>(List.of(arguments));
        line.addAll(List.of("--url", url));
        try (MillProcess process = MillProcess.start(scratch, line.toArray(String[]::new))) {
            assertThat(process.exitStatus(Duration.ofMinutes(2)))
                    .as(process.output())
                    .isEqualTo(status);
            return process.output().strip();
        }
    }

    private void aSecondInstanceIsTurnedAway(Path data) throws Exception {
        try (MillProcess second =
                MillProcess.start(scratch, "up", "--data", data.toString(), "--port", "0", "--kafka-port", "0")) {
            assertThat(second.exitStatus(Duration.ofMinutes(2))).isEqualTo(1);
            assertThat(second.output().strip())
                    .isEqualTo("tidemill: Another Tidemill is running on --data " + data
                            + "; stop it, or choose another directory with --data.");
        }
    }

    private void theVersionIsRebuiltBesideTheMill(String kafka, Path data) throws Exception {
        try (MillProcess rebuild = MillProcess.start(
                scratch, "rebuild", "tiny-000001", "--data", data.toString(), "--bootstrap-servers", kafka)) {
            assertThat(rebuild.exitStatus(Duration.ofMinutes(2)))
                    .as(rebuild.output())
                    .isZero();
            assertThat(rebuild.output()).contains("The same weights, bit for bit, from ");
        }
    }

    /** Everything is accounted for while the mill goes on, and the graph is followed from both ends. */
    private void theLedgerClosesBesideTheMill(String kafka, Path data) throws Exception {
        // The documents may have come after the first round's choices: then the second round has them.
        AtomicReference<String> version = new AtomicReference<>();
        await().atMost(PATIENCE).untilAsserted(() -> {
            Matcher seen = Pattern.compile("(trained|held out) by (tiny-00000\\d) \\((pretrain|held-out)\\)")
                    .matcher(audited("where", kafka, data, "a-doc-7"));
            assertThat(seen.find()).isTrue();
            version.set(seen.group(2));
        });
        assertThat(audited("explain", kafka, data, version.get(), "--events"))
                .containsPattern("event +a-doc-7 +at tidemill.documents-[0-3]:[0-9]+ +(pretrain|held-out)");
        assertThat(audited("explain", kafka, data, "tiny-000001", "--events"))
                .contains("parents  tiny-000000")
                .containsPattern("event +\\S+ +at tidemill.feedback-[0-3]:[0-9]+ +(preference|held-out)");

        Path report = scratch.resolve("audit.json");
        String told = audited("audit", kafka, data, "--json", report.toString());
        assertThat(told).contains("documents: 20 received").endsWith("The ledger closes." + System.lineSeparator());
        JsonNode counts = new ObjectMapper().readTree(report.toFile()).path("events");
        assertThat(counts.path("tidemill.documents").path("trained").asLong()).isGreaterThan(10);
        assertThat(counts.path("tidemill.feedback").path("trained").asLong()).isGreaterThan(20);
    }

    private String audited(String command, String kafka, Path data, String... more) throws Exception {
        List<String> arguments =
                new ArrayList<>(List.of(command, "--data", data.toString(), "--bootstrap-servers", kafka));
        arguments.addAll(List.of(more));
        try (MillProcess process = MillProcess.start(scratch, arguments.toArray(String[]::new))) {
            assertThat(process.exitStatus(Duration.ofMinutes(2)))
                    .as(process.output())
                    .isZero();
            return process.output();
        }
    }

    private static void whatTheAlertsAndTheDashboardAskForIsTold(MillClient client) throws Exception {
        Pattern name =
                Pattern.compile("\\b(?:trainer|feedback|ingest|preprocess|http_server|process|system|jvm)_[a-z_]+");
        Set<String> asked = new TreeSet<>();
        for (String file : List.of("prometheus/alerts.yml", "grafana/dashboards/tidemill.json")) {
            name.matcher(Files.readString(Path.of("../observability").resolve(file)))
                    .results()
                    .map(MatchResult::group)
                    .forEach(asked::add);
        }
        assertThat(asked).hasSizeGreaterThan(15);
        String told = client.text("/q/metrics");
        assertThat(asked).allSatisfy(metric -> assertThat(told).containsPattern("(?m)^" + metric + "[{ ]"));
    }

    private void aDownloadIsAHuggingFaceDirectory(String url) throws Exception {
        Path target = scratch.resolve("download");
        try (MillProcess download = MillProcess.start(
                scratch, "checkpoints", "--url", url, "--download", target.toString(), "tiny-000001")) {
            assertThat(download.exitStatus(Duration.ofMinutes(2)))
                    .as(download.output())
                    .isZero();
        }
        for (String file :
                List.of("config.json", "model.safetensors", "tokenizer.json", "README.md", "manifest.json")) {
            assertThat(Files.size(target.resolve("tiny-000001").resolve(file)))
                    .as(file)
                    .isPositive();
        }
        assertThat(target.resolve("tiny-000001/state")).doesNotExist();
    }
}
