package io.tidemill.proto.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDelta;
import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointClientTest {
    @TempDir
    Path directory;

    private final Map<String, byte[]> served = new ConcurrentHashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private HttpServer server;
    private CheckpointEvent event;
    private CheckpointClient client;

    @BeforeEach
    void publish() throws IOException {
        Path published = directory.resolve("published");
        Files.createDirectories(published.resolve("sub dir"));
        byte[] weights = new byte[200_000];
        Arrays.fill(weights, (byte) 7);
        Files.write(published.resolve("model.safetensors"), weights);
        Files.writeString(published.resolve("config.json"), "{}");
        Files.writeString(published.resolve("sub dir/notes é.txt"), "notes");
        CheckpointEvent.Builder builder =
                CheckpointEvent.newBuilder().setModel("m").setVersion("m-000001");
        try (Stream<Path> files = Files.walk(published)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                builder.addFiles(FileDigests.of(published, file));
                served.put("/v1/checkpoints/m-000001/files/" + published.relativize(file), Files.readAllBytes(file));
            }
        }
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
        String store = "http://127.0.0.1:" + server.getAddress().getPort();
        event = builder.setFilesUrl(store + "/v1/checkpoints/m-000001/files/").build();
        client = new CheckpointClient(HttpClient.newHttpClient(), Optional.empty());
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void everyFileArrivesAndASecondDownloadAsksForNothing() throws IOException {
        Path version = client.download(event, directory.resolve("got"), file -> true);
        assertThat(version).isEqualTo(directory.resolve("got/m-000001"));
        FileDigests.verify(version, event.getFilesList());
        asked.clear();
        client.download(event, directory.resolve("got"), file -> true);
        assertThat(asked).isEmpty();
    }

    @Test
    void onlyWantedFilesComeAndLaterOnesAreAdded() throws IOException {
        Path version = client.download(event, directory.resolve("got"), file -> file.equals("config.json"));
        assertThat(version.resolve("model.safetensors")).doesNotExist();
        asked.clear();
        client.download(event, directory.resolve("got"), file -> file.endsWith(".safetensors"));
        assertThat(asked).hasSize(1);
        assertThat(version.resolve("config.json")).exists();
        assertThat(version.resolve("model.safetensors")).exists();
    }

    @Test
    void theStoreMayBeElsewhereThanTheEventSays() throws IOException {
        CheckpointEvent unreachable =
                event.toBuilder().setFilesUrl("http://trainer.invalid/files/").build();
        URI store = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        Path version = new CheckpointClient(HttpClient.newHttpClient(), Optional.of(store))
                .download(unreachable, directory.resolve("got"), file -> true);
        FileDigests.verify(version, event.getFilesList());
    }

    @Test
    void aDamagedFileIsNamedWithBothDigestsAndLeavesNothing() {
        byte[] damaged =
                served.get("/v1/checkpoints/m-000001/files/model.safetensors").clone();
        damaged[100_000] ^= 1;
        served.put("/v1/checkpoints/m-000001/files/model.safetensors", damaged);
        assertRefused("model.safetensors has SHA-256 ", "instead of");
    }

    /** Every bit and every length of the small files, a sample of 500 bits and 100 lengths of the weights (200,000 bytes). */
    @Test
    void everyBitThatChangesAndEveryTruncationIsRefused() throws IOException {
        Random random = new Random(20_261_129);
        for (FileDigest file : event.getFilesList()) {
            String path = "/v1/checkpoints/m-000001/files/" + file.getPath();
            byte[] whole = served.get(path);
            boolean small = whole.length < 1_000;
            IntStream bits = small ? IntStream.range(0, 8 * whole.length) : random.ints(500, 0, 8 * whole.length);
            bits.forEach(bit -> {
                byte[] damaged = whole.clone();
                damaged[bit / 8] ^= (byte) (1 << bit % 8);
                served.put(path, damaged);
                assertRefused(file);
            });
            IntStream lengths = small ? IntStream.range(0, whole.length) : random.ints(100, 0, whole.length);
            lengths.forEach(length -> {
                served.put(path, Arrays.copyOf(whole, length));
                assertRefused(file);
            });
            served.put(path, whole);
        }
        client.download(event, directory.resolve("got"), file -> true);
    }

    private void assertRefused(FileDigest file) {
        assertThatThrownBy(() -> client.download(event, directory.resolve("got"), file.getPath()::equals))
                .isInstanceOf(IOException.class);
        assertThat(directory.resolve("got")).isEmptyDirectory();
    }

    @Test
    void aTruncatedFileIsNamedWithBothLengthsAndLeavesNothing() {
        byte[] whole = served.get("/v1/checkpoints/m-000001/files/model.safetensors");
        served.put("/v1/checkpoints/m-000001/files/model.safetensors", Arrays.copyOf(whole, 150_000));
        assertRefused("model.safetensors has 150000 bytes instead of 200000");
    }

    @Test
    void aFileThatDoesNotEndIsCutOff() {
        served.put("/v1/checkpoints/m-000001/files/model.safetensors", new byte[5_000_000]);
        assertRefused("model.safetensors has at least ", "instead of 200000");
    }

    @Test
    void aMissingFileIsNamedWithTheStatusAndLeavesNothing() {
        served.remove("/v1/checkpoints/m-000001/files/config.json");
        assertRefused("config.json was answered with status 404");
    }

    @Test
    void aFileDamagedOnDiskIsFetchedAgainAndAFailureLeavesTheRest() throws IOException {
        Path version = client.download(event, directory.resolve("got"), file -> true);
        Files.writeString(version.resolve("config.json"), "[]");
        byte[] config = served.remove("/v1/checkpoints/m-000001/files/config.json");
        assertThatThrownBy(() -> client.download(event, directory.resolve("got"), file -> true))
                .hasMessageContaining("404");
        assertThat(version.resolve("model.safetensors")).exists();
        served.put("/v1/checkpoints/m-000001/files/config.json", config);
        client.download(event, directory.resolve("got"), file -> true);
        FileDigests.verify(version, event.getFilesList());
    }

    @Test
    void aPathOrVersionThatLeadsElsewhereIsRefused() {
        CheckpointEvent escaping = event.toBuilder()
                .setFiles(0, event.getFiles(0).toBuilder().setPath("../../outside.txt"))
                .build();
        assertThatThrownBy(() -> client.download(escaping, directory.resolve("got"), file -> true))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("'../../outside.txt' does not name a file inside");
        CheckpointEvent elsewhere = event.toBuilder().setVersion("../m-000001").build();
        assertThatThrownBy(() -> client.download(elsewhere, directory.resolve("got"), file -> true))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("'../m'");
    }

    @Test
    void whatTheParentHasIsNotFetchedAndWhatChangedComesAsADelta() throws IOException {
        CheckpointEvent child = child();
        client.download(event, directory.resolve("got"), file -> true);
        asked.clear();
        Path version = client.download(child, directory.resolve("got"), file -> true);
        FileDigests.verify(version, child.getFilesList());
        assertThat(asked).containsExactly("/v1/checkpoints/m-000002/files/deltas/model.safetensors.delta");
        assertThat(version.resolve("deltas")).doesNotExist();
        assertThat(filesIn(version)).hasSameSizeAs(child.getFilesList());
    }

    @Test
    void withoutTheParentOrWithADamagedOneTheWholeFileIsFetched() throws IOException {
        CheckpointEvent child = child();
        Path version = client.download(child, directory.resolve("alone"), file -> true);
        FileDigests.verify(version, child.getFilesList());
        assertThat(asked).hasSize(child.getFilesCount()).noneMatch(path -> path.contains("delta"));
        Path parent = client.download(event, directory.resolve("got"), file -> true);
        Files.write(parent.resolve("model.safetensors"), new byte[200_000]);
        asked.clear();
        client.download(child, directory.resolve("got"), file -> true);
        assertThat(asked).containsExactly("/v1/checkpoints/m-000002/files/model.safetensors");
    }

    @Test
    void aDeltaThatIsMissingDamagedOrOfSomethingElseGivesWayToTheWholeFile() throws IOException {
        CheckpointEvent child = child();
        client.download(event, directory.resolve("got"), file -> true);
        String path = "/v1/checkpoints/m-000002/files/deltas/model.safetensors.delta";
        byte[] whole = served.get(path);
        byte[] damaged = whole.clone();
        damaged[130] ^= 1;
        served.put(path, damaged);
        assertFetchedWhole(child);
        served.remove(path);
        assertFetchedWhole(child);
        // Announced as it is, and yet no delta of these files.
        served.put(path, damaged);
        Path announced = Files.write(directory.resolve("announced"), damaged);
        CheckpointEvent.Builder lying = child.toBuilder();
        lying.getDeltasBuilder(0)
                .setDelta(FileDigests.of(directory, announced).toBuilder().setPath("deltas/model.safetensors.delta"));
        assertFetchedWhole(lying.build());
        lying.getDeltasBuilder(0).setBaseVersion("../m-000001");
        assertFetchedWhole(lying.build());
    }

    @Test
    void weightsThatTheAdapterGivesAreNotFetchedAndOthersDoNotCount() throws IOException {
        Path published = directory.resolve("adapted");
        Path weights = published.resolve("model.safetensors");
        Path adapter = published.resolve("adapter/adapter_model.safetensors");
        Files.createDirectories(adapter.getParent());
        Files.write(weights, new byte[100_000]);
        Files.writeString(adapter, "adapter");
        String files = "/v1/checkpoints/m-000002/files/";
        CheckpointEvent child = event.toBuilder()
                .setVersion("m-000002")
                .setParent("m-000001")
                .clearFiles()
                .addFiles(FileDigests.of(published, weights))
                .addFiles(FileDigests.of(published, adapter))
                .setFilesUrl(event.getFilesUrl().replace("m-000001", "m-000002"))
                .build();
        served.put(files + "model.safetensors", Files.readAllBytes(weights));
        served.put(files + "adapter/adapter_model.safetensors", Files.readAllBytes(adapter));
        Path got = directory.resolve("got");
        AdapterMerger right = (parent, beside, merged) -> {
            assertThat(parent).isEqualTo(got.resolve("m-000001"));
            assertThat(beside.resolve("adapter_model.safetensors")).hasContent("adapter");
            Files.write(Files.createDirectory(merged).resolve("model.safetensors"), new byte[100_000]);
            Files.writeString(merged.resolve("config.json"), "another");
        };
        AdapterMerger wrong = (parent, beside, merged) ->
                Files.write(Files.createDirectory(merged).resolve("model.safetensors"), new byte[99_999]);
        AdapterMerger unable = (parent, beside, merged) -> {
            throw new IllegalStateException("no memory");
        };
        assertThat(asked(child, right)).hasSize(2); // without the parent
        client.download(event, got, file -> true);
        for (AdapterMerger failing : List.of(wrong, unable)) {
            assertThat(asked(child, failing))
                    .containsExactly(files + "adapter/adapter_model.safetensors", files + "model.safetensors");
        }
        assertThat(asked(child, right)).containsExactly(files + "adapter/adapter_model.safetensors");
    }

    /** Fetches it anew; it has the announced files and no more. */
    private List<String> asked(CheckpointEvent child, AdapterMerger merger) throws IOException {
        Path got = directory.resolve("got");
        Path version = got.resolve("m-000002");
        Files.deleteIfExists(version.resolve("model.safetensors"));
        Files.deleteIfExists(version.resolve("adapter/adapter_model.safetensors"));
        asked.clear();
        new CheckpointClient(HttpClient.newHttpClient(), Optional.empty(), Optional.of(merger))
                .download(child, got, file -> true);
        FileDigests.verify(version, child.getFilesList());
        assertThat(filesIn(version)).hasSameSizeAs(child.getFilesList());
        return List.copyOf(asked);
    }

    private void assertFetchedWhole(CheckpointEvent child) throws IOException {
        asked.clear();
        Path version = client.download(child, directory.resolve("got"), file -> true);
        FileDigests.verify(version, child.getFilesList());
        assertThat(filesIn(version)).hasSameSizeAs(child.getFilesList());
        assertThat(asked).endsWith("/v1/checkpoints/m-000002/files/model.safetensors");
        Files.delete(version.resolve("model.safetensors"));
    }

    private static List<Path> filesIn(Path version) throws IOException {
        try (Stream<Path> files = Files.walk(version)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    /** m-000002: the weights differ in one byte, for which there is a delta. */
    private CheckpointEvent child() throws IOException {
        Path published = directory.resolve("child");
        CheckpointEvent.Builder child = CheckpointEvent.newBuilder()
                .setModel("m")
                .setVersion("m-000002")
                .setParent("m-000001")
                .setFilesUrl(event.getFilesUrl().replace("m-000001", "m-000002"));
        for (FileDigest file : event.getFilesList()) {
            byte[] content = served.get("/v1/checkpoints/m-000001/files/" + file.getPath())
                    .clone();
            if (file.getPath().equals("model.safetensors")) {
                content[100]++;
            }
            Path written = published.resolve(file.getPath());
            Files.createDirectories(written.getParent());
            child.addFiles(FileDigests.of(published, Files.write(written, content)));
            served.put("/v1/checkpoints/m-000002/files/" + file.getPath(), content);
        }
        return child.addDeltas(delta(published, child.getFilesList())).build();
    }

    private FileDelta delta(Path published, List<FileDigest> files) throws IOException {
        FileDigest base = weights(event.getFilesList());
        Path written = published.resolve("deltas/model.safetensors.delta");
        Files.createDirectories(written.getParent());
        DeltaFile.write(directory.resolve("published"), base, published, weights(files), written, 100_000);
        served.put("/v1/checkpoints/m-000002/files/deltas/model.safetensors.delta", Files.readAllBytes(written));
        return FileDelta.newBuilder()
                .setPath("model.safetensors")
                .setBaseVersion("m-000001")
                .setBaseSha256(base.getSha256())
                .setDelta(FileDigests.of(published, written))
                .build();
    }

    private static FileDigest weights(List<FileDigest> files) {
        return files.stream()
                .filter(file -> file.getPath().equals("model.safetensors"))
                .findFirst()
                .orElseThrow();
    }

    private void assertRefused(String... words) {
        Path got = directory.resolve("got");
        assertThatThrownBy(() -> client.download(event, got, file -> true))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(words);
        assertThat(got).isEmptyDirectory();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            asked.add(path);
            byte[] body = served.get(path);
            if (body == null) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
