package io.tidemill.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code ./tidemill} among programs that pretend to be Java and Maven. */
@DisabledOnOs(OS.WINDOWS)
class LauncherTest {
    private static final List<String> TOOLS =
            List.of("bash", "env", "dirname", "sed", "find", "touch", "cat", "mktemp", "mv", "rm");

    @TempDir
    Path root;

    private Path tools;
    private Path jdk;
    private Path application;

    record Ended(int status, String out) {}

    @BeforeEach
    void aCheckoutWithNothingBuilt() throws IOException {
        tools = Files.createDirectory(root.resolve("tools"));
        for (String tool : TOOLS) {
            Files.createSymbolicLink(tools.resolve(tool), which(tool));
        }
        jdk = Files.createDirectories(root.resolve("jdk/bin")).getParent();
        Path source = Path.of("../../tidemill").toAbsolutePath().normalize();
        script(root.resolve("tidemill"), Files.readString(source));
        Path pom = Files.writeString(root.resolve("pom.xml"), "<project/>");
        Files.setLastModifiedTime(pom, FileTime.from(Instant.now().minusSeconds(60)));
        for (String folder :
                List.of("proto", "model", "ingest", "preprocess-stream", "trainer", "feedback", "deploy")) {
            Files.createDirectories(root.resolve(folder).resolve("src/main"));
        }
        application = root.resolve("deploy/standalone/target/quarkus-app/quarkus-run.jar");
    }

    @Test
    void aJavaThatIsTooOldIsNamed() throws Exception {
        fakeJava("11", 0);
        assertThat(run("up"))
                .isEqualTo(new Ended(
                        1,
                        "tidemill: " + jdk + "/bin/java is Java 11, but Tidemill needs a JDK 17 or newer;"
                                + " point JAVA_HOME at one.\n"));
    }

    @Test
    void anEmptyJavaHomeIsNamed() throws Exception {
        assertThat(run("up"))
                .isEqualTo(new Ended(
                        1,
                        "tidemill: JAVA_HOME is " + jdk + ", but there is no bin/java in it;"
                                + " point it at a JDK 17 or newer.\n"));
    }

    @Test
    void withoutMavenThereIsNothingToBuildWith() throws Exception {
        fakeJava("17", 0);
        assertThat(run("up"))
                .isEqualTo(new Ended(
                        1,
                        "tidemill: Tidemill is not built yet and there is no mvn to build it;"
                                + " install Maven 3.8.7 or newer.\n"));
    }

    @Test
    void whatIsNotBuiltIsBuiltAndThenRun() throws Exception {
        fakeJava("17", 0);
        fakeMaven(0);
        Ended ended = run("up", "--port", "1");
        assertThat(ended.status()).isZero();
        assertThat(ended.out()).contains("Building Tidemill", "maven ran", "-jar " + application + " up --port 1");
    }

    @Test
    void whatIsBuiltIsRunAtOnceAndItsExitStatusPassedOn() throws Exception {
        fakeJava("21", 7);
        built();
        Ended ended = run("demo");
        assertThat(ended.status()).isEqualTo(7);
        assertThat(ended.out()).doesNotContain("uilding").endsWith("-jar " + application + " demo\n");
    }

    @Test
    void theFirstStartOfABuildPreparesTheFollowingOnes() throws Exception {
        fakeJava("17", 0);
        built();
        Path archive = application.getParent().resolveSibling("classes-17.0.1+2_x.jsa");

        assertThat(run("up", "--help").out()).doesNotContain("Preparing");
        assertThat(archive).doesNotExist();
        assertThat(run("up").out()).contains("Preparing quick starts").contains("-XX:SharedArchiveFile=" + archive);
        assertThat(archive).hasContent("classes");
        assertThat(run("up").out()).doesNotContain("Preparing").contains("-XX:SharedArchiveFile=" + archive);

        Files.setLastModifiedTime(application, FileTime.from(Instant.now().plusSeconds(60)));
        assertThat(run("up").out()).as("after another build").contains("Preparing quick starts");
    }

    @Test
    void aPreparationThatFailsKeepsNothingFromStarting() throws Exception {
        fakeJava("17", 3);
        built();
        Ended ended = run("up");
        assertThat(ended.status()).isEqualTo(3);
        assertThat(ended.out()).doesNotContain("SharedArchiveFile").endsWith("-jar " + application + " up\n");
        assertThat(application.getParent().getParent()).isDirectoryNotContaining("glob:**.jsa*");
    }

    @Test
    void aSourceThatIsNewerThanTheBuildIsBuiltAgain() throws Exception {
        fakeJava("17", 0);
        fakeMaven(0);
        built();
        Path source = Files.writeString(root.resolve("trainer/src/main/New.java"), "");
        Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(60)));
        assertThat(run("up").out()).contains("Sources have changed", "maven ran");
    }

    @Test
    void aBuildThatFailsEndsIt() throws Exception {
        fakeJava("17", 0);
        fakeMaven(1);
        Ended ended = run("up");
        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.out()).endsWith("tidemill: The build failed; the lines above say why.\n");
    }

    private void fakeJava(String version, int status) throws IOException {
        script(
                jdk.resolve("bin/java"),
                """
                #!/usr/bin/env bash
                if [ "$1" = -XshowSettings:properties ]; then
                  echo "    java.home = %s" >&2
                  echo "    java.specification.version = %s" >&2
                  echo "    java.vm.version = 17.0.1+2 x" >&2
                  exit 0
                fi
                for option in "$@"; do
                  case $option in -XX:ArchiveClassesAtExit=*) printf classes > "${option#*=}" ;; esac
                done
                echo "$@"
                exit %d
                """
                        .formatted(jdk, version, status));
    }

    private void fakeMaven(int status) throws IOException {
        script(
                tools.resolve("mvn"),
                """
                #!/usr/bin/env bash
                echo maven ran
                mkdir=%s; "$mkdir" -p %s; : > %s
                exit %d
                """
                        .formatted(which("mkdir"), application.getParent(), application, status));
    }

    private void built() throws IOException {
        Files.createDirectories(application.getParent());
        Files.createFile(application);
        Files.setLastModifiedTime(application, FileTime.from(Instant.now().minusSeconds(1)));
    }

    private Ended run(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(root.resolve("tidemill").toString()));
        command.addAll(List.of(arguments));
        Path out = root.resolve("out.txt");
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("TIDEMILL"));
        builder.environment().putAll(Map.of("PATH", tools.toString(), "JAVA_HOME", jdk.toString()));
        Process process = builder.start();
        assertThat(process.waitFor(Duration.ofSeconds(60).toMillis(), TimeUnit.MILLISECONDS))
                .isTrue();
        return new Ended(process.exitValue(), Files.readString(out, StandardCharsets.UTF_8));
    }

    private static void script(Path file, String text) throws IOException {
        Files.writeString(file, text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
    }

    private static Path which(String tool) {
        for (String folder : System.getenv("PATH").split(":", -1)) {
            Path candidate = Path.of(folder, tool);
            if (Files.isExecutable(candidate)) {
                return candidate;
            }
        }
        throw new IllegalStateException("no " + tool + " on the PATH");
    }
}
