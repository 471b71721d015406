package io.tidemill.proto.checkpoint;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDelta;
import io.tidemill.proto.v1.FileDigest;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Fetches a published version's files over HTTP: each is verified while it comes in, all are written aside, and only a
 * complete directory gets its name. A failure leaves what was there before. What the parent's directory beside it has
 * is not fetched again, and what changed little comes as a delta against it, if the event announces one.
 */
public final class CheckpointClient {
    private static final Logger LOG = System.getLogger(CheckpointClient.class.getName());
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final long SLOWEST_BYTES_PER_SECOND = 50_000;
    private static final String ADAPTER = "adapter";
    private static final String MERGED = ".merged";
    private static final int BUFFER_BYTES = 1 << 16;

    private final HttpClient http;
    private final Optional<URI> storeUrl;
    private final Optional<AdapterMerger> merger;

    /**
     * A client that keeps no state.
     *
     * @param storeUrl base address of the store, instead of the one that events name
     */
    public CheckpointClient(HttpClient http, Optional<URI> storeUrl) {
        this(http, storeUrl, Optional.empty());
    }

    /** @param merger makes the weights of a version that has an adapter, if the parent is there, so that they need not be fetched */
    public CheckpointClient(HttpClient http, Optional<URI> storeUrl, Optional<AdapterMerger> merger) {
        this.http = http;
        this.storeUrl = storeUrl;
        this.merger = merger;
    }

    /**
     * Makes the wanted files of a version present and verified in {@code parentDirectory/<version>}. Files that are
     * there and intact are not fetched again. Directories of other versions in {@code parentDirectory} are read.
     *
     * @param wanted which of the event's files, by relative path
     * @return the version's directory
     * @throws IOException when a file does not come or is not what the event announced; names file and values
     */
    public Path download(CheckpointEvent event, Path parentDirectory, Predicate<String> wanted) throws IOException {
        VersionId version = version(event);
        Path target = parentDirectory.resolve(version.toString());
        List<FileDigest> files = event.getFilesList().stream()
                .filter(f -> wanted.test(f.getPath()))
                .toList();
        if (Files.isDirectory(target) && files.stream().allMatch(file -> intact(target, file))) {
            return target;
        }
        Files.createDirectories(parentDirectory);
        Path aside = Files.createDirectory(parentDirectory.resolve("." + version + "." + UUID.randomUUID() + ".part"));
        try {
            for (FileDigest file : weightsLast(event)) {
                Path to = FileDigests.inside(aside, file.getPath());
                if (Files.exists(to)) {
                    continue; // merged with a file before it
                }
                if (intact(target, file)) {
                    Files.createDirectories(to.getParent());
                    Files.copy(FileDigests.inside(target, file.getPath()), to);
                } else if (files.contains(file) && !merged(event, file, files, parentDirectory, aside)) {
                    Files.createDirectories(to.getParent());
                    bring(event, file, parentDirectory, to);
                }
            }
            replace(target, aside);
            return target;
        } finally {
            deleteTree(aside);
        }
    }

    /** So that an adapter is there when the weights are made with it. */
    private static List<FileDigest> weightsLast(CheckpointEvent event) {
        return event.getFilesList().stream()
                .sorted(Comparator.comparing(CheckpointClient::isWeights))
                .toList();
    }

    /** Of the model itself, not of what stands beside it. */
    private static boolean isWeights(FileDigest file) {
        return file.getPath().endsWith(".safetensors") && !file.getPath().contains("/");
    }

    /** Makes all wanted weights with the adapter; those that are not as announced do not count. */
    private boolean merged(
            CheckpointEvent event, FileDigest first, List<FileDigest> wanted, Path parentDirectory, Path aside)
            throws IOException {
        Path adapter = aside.resolve(ADAPTER);
        Path parent = parentDirectory.resolve(event.getParent());
        if (merger.isEmpty()
                || !isWeights(first)
                || !isPlain(event.getParent())
                || !first.equals(firstWeights(wanted))
                || !Files.isDirectory(adapter)
                || !Files.isRegularFile(parent.resolve(first.getPath()))) {
            return false;
        }
        Path made = aside.resolve(MERGED);
        try {
            merger.get().merge(parent, adapter, made);
            FileDigests.verify(made, List.of(first));
            for (FileDigest file : wanted) {
                if (isWeights(file) && intact(made, file)) {
                    Files.move(FileDigests.inside(made, file.getPath()), FileDigests.inside(aside, file.getPath()));
                }
            }
            LOG.log(
                    Level.INFO,
                    "version={0} weights made of {1} and the adapter",
                    event.getVersion(),
                    event.getParent());
            return true;
        } catch (IOException | RuntimeException e) {
            LOG.log(
                    Level.WARNING,
                    "version={0} weights are not made of {1} and the adapter: {2}",
                    event.getVersion(),
                    event.getParent(),
                    e.getMessage());
            return false;
        } finally {
            deleteTree(made);
        }
    }

    private static FileDigest firstWeights(List<FileDigest> wanted) {
        return wanted.stream().filter(CheckpointClient::isWeights).findFirst().orElseThrow();
    }

    /** From the parent where it has the same, by a delta where it has what that starts from, or as a whole. */
    private void bring(CheckpointEvent event, FileDigest file, Path parentDirectory, Path to) throws IOException {
        Path parent = parentDirectory.resolve(event.getParent());
        if (!event.getParent().isEmpty() && isPlain(event.getParent()) && intact(parent, file)) {
            Files.copy(FileDigests.inside(parent, file.getPath()), to);
            return;
        }
        for (FileDelta delta : event.getDeltasList()) {
            if (delta.getPath().equals(file.getPath()) && restored(event, delta, file, parentDirectory, to)) {
                return;
            }
        }
        fetch(address(event, file), file, to);
    }

    /** Names of versions are those of directories. */
    private static boolean isPlain(String version) {
        try {
            return VersionId.parse(version).toString().equals(version);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** A delta saves bytes and no more: whatever is wrong with it, the file is fetched as a whole. */
    private boolean restored(CheckpointEvent event, FileDelta delta, FileDigest file, Path parentDirectory, Path to) {
        if (!isPlain(delta.getBaseVersion()) || delta.getDelta().getLength() >= file.getLength()) {
            return false;
        }
        Path base = parentDirectory.resolve(delta.getBaseVersion());
        FileDigest from =
                file.toBuilder().setSha256(delta.getBaseSha256()).build(); // a delta does not change the length
        if (!intact(base, from)) {
            return false;
        }
        Path fetched = to.resolveSibling(to.getFileName() + ".delta");
        try {
            fetch(address(event, delta.getDelta()), delta.getDelta(), fetched);
            DeltaFile.restore(fetched, FileDigests.inside(base, file.getPath()), to, file);
            LOG.log(
                    Level.INFO,
                    "version={0} file={1} made of that of {2} by a delta of {3} of {4} bytes",
                    event.getVersion(),
                    file.getPath(),
                    delta.getBaseVersion(),
                    Long.toString(delta.getDelta().getLength()),
                    Long.toString(file.getLength()));
            return true;
        } catch (IOException e) {
            LOG.log(
                    Level.WARNING,
                    "version={0} file={1} is fetched as a whole: {2}",
                    event.getVersion(),
                    file.getPath(),
                    e.getMessage());
            return false;
        } finally {
            deleteQuietly(fetched);
        }
    }

    /** What stays is in the directory aside, and goes with it. */
    private static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot delete " + file + ".", e);
        }
    }

    private static VersionId version(CheckpointEvent event) throws IOException {
        try {
            return VersionId.parse(event.getVersion());
        } catch (IllegalArgumentException e) {
            throw new IOException("The event's version cannot be a directory's name: " + e.getMessage(), e);
        }
    }

    private static boolean intact(Path directory, FileDigest file) {
        try {
            FileDigests.verify(directory, List.of(file));
            return true;
        } catch (IOException missingOrDamaged) {
            return false;
        }
    }

    private URI address(CheckpointEvent event, FileDigest file) throws IOException {
        String base = storeUrl.map(
                        url -> withSlash(url.toString()) + "v1/checkpoints/" + event.getVersion() + "/files/")
                .orElseGet(() -> withSlash(event.getFilesUrl()));
        StringBuilder path = new StringBuilder();
        for (String segment : file.getPath().split("/", -1)) {
            path.append(path.isEmpty() ? "" : "/")
                    .append(URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20"));
        }
        try {
            return new URI(base + path);
        } catch (URISyntaxException e) {
            throw new IOException("'" + base + path + "' is no address. Set tidemill.store-url.", e);
        }
    }

    private static String withSlash(String url) {
        return url.endsWith("/") ? url : url + "/";
    }

    private void fetch(URI from, FileDigest expected, Path to) throws IOException {
        HttpRequest request;
        try {
            request = HttpRequest.newBuilder(from).timeout(ANSWER).GET().build();
        } catch (IllegalArgumentException e) {
            throw new IOException("'" + from + "' is no HTTP address. Set tidemill.store-url.", e);
        }
        HttpResponse<InputStream> response;
        try {
            response = http.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("Fetching " + from + " was interrupted.");
        } catch (IOException e) {
            throw new IOException("Fetching " + from + " failed: " + e, e);
        }
        try (InputStream body = response.body()) {
            if (response.statusCode() != 200) {
                throw new IOException("Fetching " + from + " was answered with status " + response.statusCode() + ".");
            }
            CompletableFuture<Void> arrived = new CompletableFuture<>();
            // A server that stalls in the middle must not hold us for ever: closing the body ends the read.
            arrived.orTimeout(ANSWER.toSeconds() + expected.getLength() / SLOWEST_BYTES_PER_SECOND, TimeUnit.SECONDS)
                    .exceptionally(late -> closeQuietly(body));
            copy(body, expected, to, from);
            arrived.complete(null);
        }
    }

    private static Void closeQuietly(InputStream body) {
        try {
            body.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return null;
    }

    private static void copy(InputStream body, FileDigest expected, Path to, URI from) throws IOException {
        MessageDigest digest = FileDigests.sha256();
        long length = 0;
        try (FileChannel out = FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            byte[] buffer = new byte[BUFFER_BYTES];
            for (int n = body.read(buffer); n >= 0 && length <= expected.getLength(); n = body.read(buffer)) {
                digest.update(buffer, 0, n);
                length += n;
                ByteBuffer bytes = ByteBuffer.wrap(buffer, 0, n);
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
            }
            out.force(true);
        } catch (IOException e) {
            throw new IOException(
                    "Fetching " + from + " broke off after " + length + " of " + expected.getLength() + " bytes: "
                            + e.getMessage(),
                    e);
        }
        if (length != expected.getLength()) {
            throw new IOException(from + " has " + (length > expected.getLength() ? "at least " : "") + length
                    + " bytes instead of " + expected.getLength() + ".");
        }
        String found = HexFormat.of().formatHex(digest.digest());
        if (!found.equalsIgnoreCase(expected.getSha256())) {
            throw new IOException(from + " has SHA-256 " + found + " instead of " + expected.getSha256() + ".");
        }
    }

    private static void replace(Path target, Path aside) throws IOException {
        Path old = aside.resolveSibling(aside.getFileName() + ".old");
        if (Files.exists(target)) {
            Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
        deleteTree(old);
    }

    private static void deleteTree(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        List<Path> deepestFirst;
        try (Stream<Path> tree = Files.walk(root)) {
            deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : deepestFirst) {
            Files.deleteIfExists(path);
        }
    }
}
