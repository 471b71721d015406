package io.tidemill.standalone.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The built application as a child process. */
final class MillProcess implements AutoCloseable {
    private static final Duration STARTING = Duration.ofMinutes(10);
    private static final Duration STOPPING = Duration.ofSeconds(45);
    private static final Pattern PAGE = Pattern.compile("page and REST +(\\S+)");
    private static final Pattern KAFKA = Pattern.compile("Kafka +(\\S+)");

    private final Process process;
    private final Path output;

    private MillProcess(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /** Starts it; its terminal is a file beside the other files of the test. */
    static MillProcess start(Path scratch, String... arguments) throws IOException {
        Path application = Path.of(System.getProperty("tidemill.application"));
        assertThat(application)
                .as("the application is packaged before these tests")
                .exists();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-jar",
                application.toString()));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile(scratch, "terminal-", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(scratch.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        return new MillProcess(builder.start(), output);
    }

    MillProcess awaitReady() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + STARTING.toNanos();
        while (!output().contains("READY")) {
            assertThat(process.isAlive()).as("it still runs:%n%s", output()).isTrue();
            assertThat(System.nanoTime())
                    .as("READY within %s:%n%s", STARTING, output())
                    .isLessThan(deadline);
            Thread.sleep(50);
        }
        while (find(KAFKA).isEmpty()) { // the lines after the first
            assertThat(System.nanoTime()).isLessThan(deadline);
            Thread.sleep(10);
        }
        return this;
    }

    String url() throws IOException {
        return find(PAGE).orElseThrow();
    }

    String bootstrapServers() throws IOException {
        return find(KAFKA).orElseThrow();
    }

    String output() throws IOException {
        return Files.readString(output, StandardCharsets.UTF_8);
    }

    /** As Ctrl-C's sibling does: asks it to stop, and waits for it. */
    int terminate() throws IOException, InterruptedException {
        process.destroy();
        return exitStatus(STOPPING);
    }

    /** {@code kill -9}: nothing of it runs any more when this returns. */
    void kill() throws IOException, InterruptedException {
        process.destroyForcibly();
        exitStatus(STOPPING);
    }

    int exitStatus(Duration patience) throws IOException, InterruptedException {
        assertThat(process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS))
                .as("it ends within %s:%n%s", patience, output())
                .isTrue();
        return process.exitValue();
    }

    private Optional<String> find(Pattern pattern) throws IOException {
        Matcher matcher = pattern.matcher(output());
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
    }

    @Override
    public void close() throws IOException, InterruptedException {
        if (process.isAlive()) {
            kill();
        }
    }
}
