package io.tidemill.standalone.torture;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A JVM with a part of this very program; all that it says goes into a file. */
final class Child implements AutoCloseable {
    /** As the launcher sets them: see {@code tidemill}. */
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "OPT_OUT_TRACKING", "true",
            "OMP_WAIT_POLICY", "PASSIVE",
            "MALLOC_ARENA_MAX", "1");

    private static final int KILLED = 137;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Process process;
    private final Path output;
    private long read;
    private String half = "";

    private Child(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    /** The jar or the class path that this program runs from. */
    static String application() {
        return System.getProperty("tidemill.application", System.getProperty("java.class.path"));
    }

    /** Starts a main class. */
    static Child main(Path output, List<String> options, Class<?> main, List<String> arguments) throws IOException {
        List<String> rest = new ArrayList<>(options);
        rest.addAll(List.of("-cp", application(), main.getName()));
        rest.addAll(arguments);
        return start(output, rest);
    }

    /** Starts the command line, as a person would. */
    static Child tidemill(Path output, List<String> options, List<String> arguments) throws IOException {
        List<String> rest = new ArrayList<>(options);
        rest.addAll(List.of("-jar", application()));
        rest.addAll(arguments);
        return start(output, rest);
    }

    private static Child start(Path output, List<String> rest) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC"));
        command.addAll(rest);
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        ENVIRONMENT.forEach(builder.environment()::putIfAbsent);
        return new Child(builder.start(), output);
    }

    long pid() {
        return process.pid();
    }

    boolean alive() {
        return process.isAlive();
    }

    /** Exit status of one that has ended. */
    int status() {
        return process.exitValue();
    }

    /** Whole lines that were said since the last call. */
    List<String> news() throws IOException {
        List<String> lines = new ArrayList<>();
        try (var channel = Files.newByteChannel(output)) {
            long size = channel.size();
            if (size > read) {
                channel.position(read);
                var bytes = java.nio.ByteBuffer.allocate((int) (size - read));
                while (bytes.hasRemaining() && channel.read(bytes) >= 0) {}
                read += bytes.position();
                String text = half + new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
                int end = text.lastIndexOf('\n');
                half = text.substring(end + 1);
                if (end >= 0) {
                    lines.addAll(text.substring(0, end).lines().toList());
                }
            }
        }
        return lines;
    }

    /** The last lines of all that it said. */
    String lastWords() throws IOException {
        List<String> lines = Files.readAllLines(output);
        return String.join(" | ", lines.subList(Math.max(0, lines.size() - 12), lines.size()));
    }

    void stop() throws IOException, InterruptedException {
        signal("STOP");
    }

    void go() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        kill.waitFor();
    }

    /** {@code kill -9}: nothing of it runs any more when this returns. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /** Asks it to end, and waits; one that does not is killed. */
    void terminate() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
            kill();
        }
    }

    /** Did it end by itself? */
    boolean endedByItself() {
        return !alive() && status() != KILLED;
    }

    /** Closes what it reads from: the mains of this package end with whoever started them. */
    @Override
    public void close() throws IOException, InterruptedException {
        try (OutputStream input = process.getOutputStream()) {
            kill();
        }
    }
}
