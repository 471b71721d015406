package io.tidemill.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.checkpoint.VersionFiles;
import io.tidemill.trainer.slice.Slice;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgGroupSpec;
import picocli.CommandLine.Model.OptionSpec;

class CommandLineTest {
    @TempDir
    Path parent;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void everyCommandHasHelp() {
        assertThat(run("--help")).isZero();
        for (String command : List.of(
                "up",
                "demo",
                "checkpoints",
                "verify",
                "rebuild",
                "rollback",
                "promote",
                "round",
                "quarantine",
                "audit",
                "explain",
                "where",
                "erase",
                "torture",
                "pull",
                "import",
                "program",
                "pretrain",
                "train",
                "data")) {
            assertThat(out.toString()).contains("  " + command + " ");
            assertThat(run(command, "--help")).isZero();
            assertThat(out.toString()).contains("Usage: tidemill " + command);
        }
        assertThat(run("help", "up")).isZero();
    }

    @Test
    void aKindOfFaultThatThereIsNotOrThatNeverHappensToTheTargetIsToldWithThoseThatDo() {
        assertThat(run("torture", "--kinds", "kill,flood")).isEqualTo(2);
        assertThat(err.toString())
                .contains("--kinds: 'flood' is no kind of fault; there are kill, rollback, pause, take-over");
        assertThat(run("torture", "--target", "system", "--kinds", "take-over")).isEqualTo(2);
        assertThat(err.toString())
                .contains("--kinds take-over: none of them happens to --target system, to which kill, pause,");
    }

    @Test
    void theVersionIsTheBuilds() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).containsPattern("Tidemill [0-9]+\\.[0-9]+");
    }

    @Test
    void anUnknownOptionIsNamed() {
        assertThat(run("up", "--quick")).isEqualTo(2);
        assertThat(err.toString()).contains("--quick");
    }

    @Test
    void everyOptionOfEveryCommandTakesItsValue() {
        for (CommandLine command : Tidemill.commandLine().getSubcommands().values()) {
            List<String> arguments = new ArrayList<>(List.of(command.getCommandName()));
            for (OptionSpec option : command.getCommandSpec().options()) {
                if (option.usageHelp() || option.versionHelp() || isAlternative(option)) {
                    continue;
                }
                arguments.add(option.longestName());
                if (option.arity().max() > 0) {
                    arguments.add(value(option));
                }
            }
            command.getCommandSpec().positionalParameters().stream()
                    .filter(parameter -> parameter.arity().min() > 0)
                    .forEach(parameter -> arguments.add("7"));
            assertThatCode(() -> Tidemill.commandLine().parseArgs(arguments.toArray(String[]::new)))
                    .as(String.join(" ", arguments))
                    .doesNotThrowAnyException();
        }
    }

    private static String value(OptionSpec option) {
        if (option.type().isEnum()) {
            return option.completionCandidates().iterator().next();
        }
        return option.isMultiValue() ? "key=7" : "7";
    }

    /** Of options that exclude each other the first stands for all. */
    private static boolean isAlternative(OptionSpec option) {
        ArgGroupSpec group = option.group();
        return group != null && group.exclusive() && !group.options().get(0).equals(option);
    }

    @Test
    void aTakenPortIsNamedAndNothingIsStarted() throws IOException {
        Path data = parent.resolve("data");
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = String.valueOf(other.getLocalPort());
            assertThat(run("up", "--data", data.toString(), "--port", port)).isEqualTo(1);
            assertThat(err.toString())
                    .startsWith("tidemill: Port " + port + " on 127.0.0.1 cannot be opened")
                    .contains("choose another with --port")
                    .hasLineCount(1);
        }
        assertThat(data).doesNotExist();
    }

    @Test
    void aTakenKafkaPortIsNamedAndNothingIsStarted() throws IOException {
        Path data = parent.resolve("data");
        try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String port = String.valueOf(other.getLocalPort());
            assertThat(run("up", "--data", data.toString(), "--port", "0", "--kafka-port", port))
                    .isEqualTo(1);
            assertThat(err.toString())
                    .startsWith("tidemill: Port " + port + " on 127.0.0.1 cannot be opened")
                    .contains("choose another with --kafka-port")
                    .hasLineCount(1);
        }
        assertThat(data).doesNotExist();
    }

    @Test
    void aPortThatIsNoneIsNamed() {
        assertThat(run("up", "--port", "0", "--kafka-port", "70000")).isEqualTo(1);
        assertThat(err.toString())
                .isEqualTo(
                        "tidemill: --kafka-port must be between 0 and 65535, but was 70000." + System.lineSeparator());
    }

    @Test
    void onePortForBothIsRefused() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        assertThat(run("up", "--port", "" + port, "--kafka-port", "" + port)).isEqualTo(1);
        assertThat(err.toString())
                .isEqualTo("tidemill: --port and --kafka-port are both " + port + "; each needs a port of its own."
                        + System.lineSeparator());
    }

    @Test
    void anAddressOfAnotherMachineIsNoInterface() {
        assertThat(run("up", "--data", parent.resolve("data").toString(), "--host", "192.0.2.1", "--api-keys"))
                .isEqualTo(1);
        assertThat(err.toString())
                .isEqualTo("tidemill: --host 192.0.2.1 is not an interface of this machine." + System.lineSeparator());
    }

    @Test
    void aClusterThatIsNotThereIsNamed() {
        for (String address : List.of("127.0.0.1:1", "nonsense", "")) {
            err.getBuffer().setLength(0);
            assertThat(run(
                            "up",
                            "--data",
                            parent.resolve("data").toString(),
                            "--port",
                            "0",
                            "--bootstrap-servers",
                            address))
                    .isEqualTo(1);
            assertThat(err.toString())
                    .startsWith("tidemill: No Kafka answers at --bootstrap-servers '" + address + "' (")
                    .hasLineCount(1);
        }
    }

    @Test
    void commandsThatReadTheLogSayAtOnceThatNobodyAnswers() {
        for (String command : List.of("audit", "quarantine")) {
            err.getBuffer().setLength(0);
            assertThat(run(command, "--bootstrap-servers", "127.0.0.1:1")).isEqualTo(1);
            assertThat(err.toString())
                    .startsWith("tidemill: No Kafka answers at --bootstrap-servers '127.0.0.1:1' (")
                    .endsWith(
                            "start the mill, or give the address that it told as it started." + System.lineSeparator());
        }
    }

    @Test
    void otherMachinesAreNotLetInWithoutKeys() {
        assertThat(run("up", "--data", parent.resolve("data").toString(), "--host", "0.0.0.0"))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("--host 0.0.0.0")
                .contains("--api-keys")
                .hasLineCount(1);
        assertThat(Files.exists(parent.resolve("data"))).isFalse();
    }

    @Test
    void aDirectoryInUseIsNamed() {
        Path data = parent.resolve("data");
        try (DataDirectory first = DataDirectory.open(data)) {
            assertThat(first).isNotNull();
            assertThat(run("up", "--data", data.toString(), "--port", "0", "--kafka-port", "0"))
                    .isEqualTo(1);
            assertThat(err.toString())
                    .isEqualTo("tidemill: Another Tidemill is running on --data " + data
                            + "; stop it, or choose another directory with --data." + System.lineSeparator());
        }
    }

    @Test
    void moreRoundsThanThereIsTextForAreRefused() {
        assertThat(run("demo", "--rounds", "1000")).isEqualTo(1);
        assertThat(err.toString())
                .startsWith("tidemill: --rounds must be at most ")
                .hasLineCount(1);
    }

    @Test
    void aMillThatIsNotThereIsSaidToBeMissing() {
        assertThat(run("checkpoints", "--url", "http://127.0.0.1:1")).isEqualTo(1);
        assertThat(err.toString())
                .contains("http://127.0.0.1:1/v1/checkpoints does not answer")
                .contains("--url");
    }

    @Test
    void whatToEraseHasToBeNamedOnce() {
        assertThat(run("erase")).isEqualTo(2);
        assertThat(err.toString()).contains("Name what to erase: --subject, --document or --source; or --retrain.");
        assertThat(run("erase", "--subject", "anna", "--source", "diary")).isEqualTo(2);
        assertThat(err.toString()).contains("mutually exclusive");
        assertThat(run("erase", "--subject", "anna", "--url", "http://127.0.0.1:1"))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("http://127.0.0.1:1/v1/erasures does not answer")
                .contains("--url names another place");
    }

    @Test
    void aVersionThatCannotBeRebuiltIsNamedWithTheReason() {
        assertThat(run("rebuild", "tiny-000001", "--data", parent.toString())).isEqualTo(1);
        assertThat(err.toString())
                .contains("tiny-000001 cannot be rebuilt: ")
                .contains("There is no checkpoint store of tiny here");
        assertThat(run("rebuild", "the newest", "--data", parent.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("the newest cannot be rebuilt: ");
    }

    @Test
    void theProgramOfTheEmbeddedModelIsWrittenAndItsMethodsAreTold() throws IOException {
        Path file = parent.resolve("base.pt");
        assertThat(run("program", "--model", "embedded", "--output", file.toString()))
                .isZero();
        assertThat(out.toString())
                .startsWith(file + System.lineSeparator() + "7,475,456 weights")
                .contains("  causal_step(master: Tensor, ");

        Path same = parent.resolve("shape.pt");
        assertThat(run("program", "--shape", "base", "--output", same.toString()))
                .isZero();
        assertThat(Files.size(same)).isBetween(10_000L, 1_000_000L);
    }

    @Test
    void aProgramDoesNotTakeThePlaceOfAFileUnasked() throws IOException {
        Path file = Files.writeString(parent.resolve("mine.pt"), "mine");
        String[] command = {"program", "--shape", "tiny", "--output", file.toString()};

        assertThat(run(command)).isEqualTo(1);
        assertThat(err.toString())
                .isEqualTo("tidemill: --output " + file + " is there already; name another file, or give --overwrite."
                        + System.lineSeparator());
        assertThat(file).hasContent("mine");

        assertThat(run("program", "--shape", "tiny", "--overwrite", "--output", file.toString()))
                .isZero();
        assertThat(Files.size(file)).isGreaterThan(10_000);
    }

    @Test
    void aProgramNeedsAModelThatIsThereAndSupported() throws IOException {
        Path mamba = Files.createDirectory(parent.resolve("mamba"));
        Files.writeString(mamba.resolve("config.json"), "{\"model_type\": \"mamba\"}");
        String file = parent.resolve("program.pt").toString();

        assertThat(run("program", "--model", mamba.toString(), "--output", file))
                .isEqualTo(1);
        assertThat(run("program", "--model", parent.resolve("absent").toString(), "--output", file))
                .isEqualTo(1);
        assertThat(run("program", "--shape", "huge", "--output", file)).isEqualTo(1);
        assertThat(err.toString())
                .hasLineCount(3)
                .contains("model_type", "mamba")
                .contains("there is no " + parent.resolve("absent"))
                .contains("Shapes are tiny, base, medium, smol, 1b, but not 'huge'");

        assertThat(run("program", "--output", file)).isEqualTo(2);
        assertThat(run("program", "--shape", "tiny", "--model", "embedded", "--output", file))
                .isEqualTo(2);
        assertThat(err.toString()).contains("Give either --model or --shape.");
        assertThat(Path.of(file)).doesNotExist();
    }

    @Test
    void trainingListsEachKeyStageAndBuiltinData() {
        assertThat(run("train", "--help")).isZero();
        assertThat(out.toString())
                .contains("--learning-rate", "--lora-r", "--save-total-limit", "(default: 42)")
                .contains("Stages:", "  sft: ", "builtin:grammar-corrections: ");
    }

    @Test
    void aRecipeIsFollowedAndWhatIsWrongWithItIsSaid() throws IOException {
        Path recipe = Files.writeString(parent.resolve("recipe.yaml"), "stage: sft\nlerning_rate: 1e-4\n");
        assertThat(run("train", recipe.toString(), "--seed", "-1")).isEqualTo(1);
        assertThat(err.toString())
                .startsWith("tidemill: " + recipe + " has 2 problems:")
                .contains("line 2: there is no key lerning_rate; did you mean learning_rate?")
                .contains("--seed must be a whole number, 0 or more, but was '-1'");
    }

    @Test
    void aVersionIsVerifiedInAStoreOrADownloadAndALineTellsOfEachCheck() throws IOException {
        Path data = parent.resolve("data");
        Path model = data.resolve("store").resolve("tiny");
        Path version = model.resolve("tiny-000000");
        try (CheckpointStore store = CheckpointStore.open(data.resolve("store"), "tiny")) {
            VersionId id = VersionId.parse("tiny-000000");
            Path aside = store.aside(id);
            Files.writeString(aside.resolve("README.md"), "# card");
            new Manifest(
                            CheckpointEvent.newBuilder()
                                    .setModel("tiny")
                                    .setVersion(id.toString())
                                    .setState(VersionState.REFUSED)
                                    .addAllFiles(VersionFiles.digests(aside))
                                    .build(),
                            "embedded",
                            Slice.EMPTY,
                            JsonNodeFactory.instance.objectNode(),
                            JsonNodeFactory.instance.objectNode(),
                            "")
                    .write(aside);
            store.publish(aside, id);

            assertThat(run("verify", "tiny-000000", "--data", data.toString())).isZero();
            assertThat(out.toString())
                    .isEqualToNormalizingNewlines(
                            """
                            manifest   ok           refused, a base
                            signature  not checked  not signed
                            files      ok           1 with length and SHA-256, 6 bytes
                            probe      not checked  a refused version has no weights
                            lineage    ok           the base of its lineage
                            """);
            // where 'checkpoints --download' was told to put it, and the directory itself
            for (Path directory : List.of(model, version)) {
                out.getBuffer().setLength(0);
                assertThat(run("verify", "tiny-000000", "--directory", directory.toString()))
                        .isZero();
                assertThat(out.toString()).contains("lineage    not checked");
            }
        }
        Files.writeString(version.resolve("README.md"), "# cart");
        assertThat(run("verify", "tiny-000000", "--data", data.toString())).isEqualTo(1);
        assertThat(out.toString()).contains("files      FAILED       File README.md");
        assertThat(err.toString()).isEqualTo("tidemill: tiny-000000 does not hold: files." + System.lineSeparator());
    }

    @Test
    void whatCannotBeVerifiedIsNamed() throws IOException {
        String data = parent.resolve("data").toString();
        assertThat(run("verify", "tiny-000001", "--data", data)).isEqualTo(1);
        assertThat(run("verify", "tiny", "--data", data)).isEqualTo(1);
        assertThat(run("verify", "tiny-000001", "--directory", data)).isEqualTo(1);
        Path key = Files.writeString(parent.resolve("key.pem"), "no key");
        assertThat(run("verify", "a-000001", "--directory", parent.toString(), "--public-key", key.toString()))
                .isEqualTo(1);
        assertThat(err.toString())
                .hasLineCount(4)
                .contains("There is no version tiny-000001 in --data " + data + "; it has [] of tiny.")
                .contains("but was 'tiny'")
                .contains("--directory " + data + " is no directory.")
                .contains("No public key, Ed25519 or on P-256, P-384 or P-521, can be read from " + key);
        assertThat(run("verify", "tiny-000001", "--data", data, "--directory", data))
                .isEqualTo(2);
        assertThat(err.toString()).contains("Give either --data or --directory.");
    }

    @Test
    void dataOfThisBuildIsWrittenAsAFile() throws IOException {
        Path file = parent.resolve("grammar.jsonl");
        assertThat(run("data", "grammar-corrections", "--output", file.toString()))
                .isZero();
        assertThat(Files.readAllLines(file)).hasSizeGreaterThan(1000).allMatch(line -> line.startsWith("{\"prompt\":"));
        assertThat(run("data", "grammar-corrections", "--output", file.toString()))
                .isEqualTo(1);
        assertThat(run("data", "nothing")).isEqualTo(1);
        assertThat(err.toString()).contains("is there already").contains("There is no builtin:nothing");
    }

    private int run(String... arguments) {
        CommandLine commandLine = Tidemill.commandLine();
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(arguments);
    }
}
