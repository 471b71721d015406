package io.tidemill.standalone.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** One service as its own Quarkus application, as a cluster runs it: told by settings where the broker is. */
final class ServiceProcess implements AutoCloseable {
    private static final Duration STARTING = Duration.ofMinutes(10);

    private final String name;
    private final Process process;
    private final Path output;
    private final String url;

    private ServiceProcess(String name, Process process, Path output, String url) {
        this.name = name;
        this.process = process;
        this.output = output;
        this.url = url;
    }

    /** @param module folder of the service, whose packaged application is started */
    static ServiceProcess start(Path scratch, String module, int port, Map<String, String> settings)
            throws IOException {
        Path application = Path.of(System.getProperty("tidemill.application"))
                .resolve("../../../../..")
                .resolve(module)
                .resolve("target/quarkus-app/quarkus-run.jar")
                .normalize();
        assertThat(application)
                .as("the services are packaged before these tests")
                .exists();
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-Dquarkus.http.port=" + port));
        settings.forEach((key, value) -> command.add("-D" + key + "=" + value));
        command.addAll(List.of("-jar", application.toString()));
        Path output = scratch.resolve(module + ".txt");
        Process process = new ProcessBuilder(command)
                .directory(Files.createDirectories(scratch.resolve(module)).toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        return new ServiceProcess(module, process, output, "http://127.0.0.1:" + port);
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    ServiceProcess awaitReady(HttpClient http) {
        HttpRequest health = HttpRequest.newBuilder(URI.create(url + "/q/health/ready"))
                .timeout(Duration.ofSeconds(10))
                .build();
        await().alias(name + " is ready").atMost(STARTING).ignoreExceptions().until(() -> {
            if (!process.isAlive()) {
                throw new AssertionError(name + " has ended:\n" + output());
            }
            return http.send(health, BodyHandlers.discarding()).statusCode() == 200;
        });
        return this;
    }

    String url() {
        return url;
    }

    String output() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(45, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
    }
}
