package io.tidemill.preprocess;

import com.sun.net.httpserver.HttpServer;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The trainer's store as this service sees it: files of versions over HTTP, and the events that announce them. */
final class VersionServer implements AutoCloseable {
    private final Path directory;
    private final HttpServer server;

    VersionServer(Path directory) throws IOException {
        this.directory = directory;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/checkpoints/", exchange -> {
            String[] parts = exchange.getRequestURI().getPath().split("/", -1);
            byte[] bytes = Files.readAllBytes(directory.resolve(parts[3]).resolve(parts[5]));
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }

    /** Publishes a version whose tokenizer was trained on a text. */
    CheckpointEvent promote(String version, String text) throws IOException {
        Path files = Files.createDirectories(directory.resolve(version));
        TinyTokenizer.write(files, text);
        CheckpointEvent.Builder event = CheckpointEvent.newBuilder()
                .setModel("tidemill")
                .setVersion(version)
                .setState(VersionState.PROMOTED)
                .setFilesUrl(
                        "http://127.0.0.1:" + server.getAddress().getPort() + "/v1/checkpoints/" + version + "/files/");
        try (Tokenizer tokenizer = Tokenizer.load(files);
                Stream<Path> list = Files.list(files)) {
            event.setTokenizerFingerprint(tokenizer.fingerprint());
            List<Path> paths = list.sorted().toList();
            for (Path path : paths) {
                event.addFiles(FileDigests.of(files, path));
            }
        }
        return event.build();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
