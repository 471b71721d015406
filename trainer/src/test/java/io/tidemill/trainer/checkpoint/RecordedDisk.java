package io.tidemill.trainer.checkpoint;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardOpenOption;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A directory that remembers every write, flush, new name and deletion in order, and can say what a power cut after any of
 * them may leave: a disk keeps what was flushed, and of the rest what it likes.
 *
 * <p>The model: data of a file is safe once the file was flushed, names in a directory once the directory was. Of data that
 * was not flushed all, nothing or a half is there, or as many zeros; of names that were not flushed all or none. Names in
 * different directories are kept or lost together.
 */
public final class RecordedDisk {
    private final Path real;
    private final Recorder recorder = new Recorder();
    private final FileSystem system = new RecordedSystem();
    private final List<Operation> operations = new ArrayList<>();

    /** @param real an empty directory */
    public RecordedDisk(Path real) {
        this.real = real.toAbsolutePath();
    }

    /** Where to write, so that it is recorded. */
    public Path root() {
        return new RecordedPath(real);
    }

    /** How many operations there were so far: a power cut may come after each. */
    public int length() {
        return operations.size();
    }

    /** What happened n-th, for messages. */
    public String operation(int n) {
        return operations.get(n).toString();
    }

    /** What becomes of data that was not flushed. */
    private enum Unflushed {
        LOST,
        KEPT,
        HALF,
        ZEROS
    }

    /** Looks at a directory that a power cut left. */
    @FunctionalInterface
    public interface Inspection {
        void of(Path survived, String cut) throws IOException;
    }

    /** Shows what power cuts after the first n operations may leave, each in a directory of its own. */
    public int afterCut(int n, Path scratch, Inspection inspection) throws IOException {
        int states = 0;
        for (boolean names : new boolean[] {false, true}) {
            for (Unflushed data : Unflushed.values()) {
                Path survived = scratch.resolve(n + "-" + (names ? "names-" : "no-names-") + data);
                Files.createDirectories(survived);
                survive(n, names, data).write(survived);
                inspection.of(
                        survived,
                        "power cut after " + n + " of " + length() + " operations, the last " + operation(n - 1)
                                + "; unflushed names " + (names ? "kept" : "lost") + ", unflushed data " + data);
                Durable.deleteTree(survived);
                states++;
            }
        }
        return states;
    }

    // ---- the model --------------------------------------------------------------------------------------------------

    /** Something that was done, in terms of nodes: a name may be another node's later. */
    private record Operation(
            Kind kind, Node node, Node parent, String name, Node from, String oldName, long at, byte[] bytes) {
        enum Kind {
            CREATE,
            WRITE,
            CUT,
            FLUSH,
            RENAME,
            DELETE
        }

        @Override
        public String toString() {
            String what = name.isEmpty() ? node.label : name;
            return kind + " " + what + (kind == Kind.WRITE ? " " + bytes.length + " bytes" : "");
        }
    }

    /** A file or a directory, whatever it is called. */
    private static final class Node {
        private final boolean directory;
        private final Map<String, Node> names = new TreeMap<>();
        private final String label;
        private byte[] data = new byte[0];

        Node(boolean directory, String label) {
            this.directory = directory;
            this.label = label;
        }

        void write(Path to) throws IOException {
            if (directory) {
                Files.createDirectories(to);
                for (Map.Entry<String, Node> entry : names.entrySet()) {
                    entry.getValue().write(to.resolve(entry.getKey()));
                }
            } else {
                Files.write(to, data);
            }
        }
    }

    private Node survive(int n, boolean keepNames, Unflushed unflushed) {
        Map<Node, Node> copies = new HashMap<>();
        Node root = copy(copies, recorder.root);
        for (int i = 0; i < n; i++) {
            Operation operation = operations.get(i);
            switch (operation.kind) {
                case CREATE, RENAME, DELETE -> {
                    if (keepNames || isFlushed(operation.parent, i, n)) {
                        apply(copies, operation);
                    }
                }
                default -> {}
            }
        }
        copies.forEach((node, copy) -> {
            if (!node.directory) {
                copy.data = data(node, n, unflushed);
            }
        });
        return root;
    }

    private static Node copy(Map<Node, Node> copies, Node node) {
        return copies.computeIfAbsent(node, original -> new Node(original.directory, original.label));
    }

    private static void apply(Map<Node, Node> copies, Operation operation) {
        Node parent = copy(copies, operation.parent);
        switch (operation.kind) {
            case CREATE -> parent.names.put(operation.name, copy(copies, operation.node));
            case DELETE -> parent.names.remove(operation.name);
            default -> {
                copy(copies, operation.from).names.remove(operation.oldName);
                parent.names.put(operation.name, copy(copies, operation.node));
            }
        }
    }

    private boolean isFlushed(Node node, int after, int n) {
        for (int i = after + 1; i < n; i++) {
            Operation later = operations.get(i);
            if (later.kind == Operation.Kind.FLUSH && later.node == node) {
                return true;
            }
        }
        return false;
    }

    private byte[] data(Node node, int n, Unflushed unflushed) {
        byte[] safe = new byte[0];
        byte[] now = new byte[0];
        for (int i = 0; i < n; i++) {
            Operation operation = operations.get(i);
            if (operation.node != node) {
                continue;
            }
            switch (operation.kind) {
                case WRITE -> {
                    int end = (int) operation.at + operation.bytes.length;
                    now = Arrays.copyOf(now, Math.max(now.length, end));
                    System.arraycopy(operation.bytes, 0, now, (int) operation.at, operation.bytes.length);
                }
                case CUT -> now = Arrays.copyOf(now, (int) operation.at);
                case FLUSH -> safe = now;
                default -> {}
            }
        }
        return switch (unflushed) {
            case LOST -> safe;
            case KEPT -> now;
            case HALF -> Arrays.equals(safe, now) ? safe : Arrays.copyOf(now, now.length / 2);
            case ZEROS -> Arrays.equals(safe, now) ? safe : new byte[now.length];
        };
    }

    // ---- recording --------------------------------------------------------------------------------------------------

    private final class Recorder extends FileSystemProvider {
        private final Node root = new Node(true, "root");

        private Node node(Path path) {
            Node node = root;
            for (Path name : real.relativize(path)) {
                node = name.toString().isEmpty() ? node : node.names.get(name.toString());
            }
            return node;
        }

        private void record(Operation.Kind kind, Node node, Node parent, String name) {
            operations.add(new Operation(kind, node, parent, name, null, "", 0, null));
        }

        private void created(Path path, boolean directory) {
            String name = path.getFileName().toString();
            Node parent = node(path.getParent());
            Node node = new Node(directory, name);
            parent.names.put(name, node);
            record(Operation.Kind.CREATE, node, parent, name);
        }

        @Override
        public String getScheme() {
            return "recorded";
        }

        @Override
        public FileSystem newFileSystem(URI uri, Map<String, ?> env) {
            throw new UnsupportedOperationException();
        }

        @Override
        public FileSystem getFileSystem(URI uri) {
            return system;
        }

        @Override
        public Path getPath(URI uri) {
            throw new UnsupportedOperationException();
        }

        @Override
        public SeekableByteChannel newByteChannel(
                Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes) throws IOException {
            return newFileChannel(path, options, attributes);
        }

        @Override
        public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
                throws IOException {
            Path file = real(path);
            boolean existed = Files.exists(file);
            FileChannel channel = FileChannel.open(file, options, attributes);
            if (!existed) {
                created(file, false);
            } else if (options.contains(StandardOpenOption.TRUNCATE_EXISTING)) {
                operations.add(new Operation(Operation.Kind.CUT, node(file), null, "", null, "", 0, null));
            }
            return new RecordedChannel(channel, node(file));
        }

        @Override
        public DirectoryStream<Path> newDirectoryStream(Path dir, DirectoryStream.Filter<? super Path> filter)
                throws IOException {
            List<Path> found = new ArrayList<>();
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(real(dir))) {
                for (Path path : stream) {
                    Path recorded = new RecordedPath(path);
                    if (filter.accept(recorded)) {
                        found.add(recorded);
                    }
                }
            }
            return new DirectoryStream<>() {
                @Override
                public Iterator<Path> iterator() {
                    return found.iterator();
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public void createDirectory(Path dir, FileAttribute<?>... attributes) throws IOException {
            Files.createDirectory(real(dir), attributes);
            created(real(dir), true);
        }

        @Override
        public void delete(Path path) throws IOException {
            Path file = real(path);
            Files.delete(file);
            Node parent = node(file.getParent());
            String name = file.getFileName().toString();
            record(Operation.Kind.DELETE, parent.names.remove(name), parent, name);
        }

        @Override
        public void copy(Path source, Path target, CopyOption... options) throws IOException {
            Files.write(target, Files.readAllBytes(source));
        }

        @Override
        public void move(Path source, Path target, CopyOption... options) throws IOException {
            Path from = real(source);
            Path to = real(target);
            Files.move(from, to, options);
            Node fromParent = node(from.getParent());
            Node toParent = node(to.getParent());
            Node moved = fromParent.names.remove(from.getFileName().toString());
            toParent.names.put(to.getFileName().toString(), moved);
            operations.add(new Operation(
                    Operation.Kind.RENAME,
                    moved,
                    toParent,
                    to.getFileName().toString(),
                    fromParent,
                    from.getFileName().toString(),
                    0,
                    null));
        }

        @Override
        public boolean isSameFile(Path path, Path path2) throws IOException {
            return Files.isSameFile(real(path), real(path2));
        }

        @Override
        public boolean isHidden(Path path) throws IOException {
            return Files.isHidden(real(path));
        }

        @Override
        public FileStore getFileStore(Path path) throws IOException {
            return Files.getFileStore(real(path));
        }

        @Override
        public void checkAccess(Path path, AccessMode... modes) throws IOException {
            real.getFileSystem().provider().checkAccess(real(path), modes);
        }

        @Override
        public <V extends FileAttributeView> V getFileAttributeView(Path path, Class<V> type, LinkOption... options) {
            return Files.getFileAttributeView(real(path), type, options);
        }

        @Override
        public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
                throws IOException {
            return Files.readAttributes(real(path), type, options);
        }

        @Override
        public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options)
                throws IOException {
            return Files.readAttributes(real(path), attributes, options);
        }

        @Override
        public void setAttribute(Path path, String attribute, Object value, LinkOption... options) throws IOException {
            Files.setAttribute(real(path), attribute, value, options);
        }
    }

    private static Path real(Path path) {
        return ((RecordedPath) path).path;
    }

    /** A file that is open. */
    private final class RecordedChannel extends FileChannel {
        private final FileChannel channel;
        private final Node node;

        RecordedChannel(FileChannel channel, Node node) {
            this.channel = channel;
            this.node = node;
        }

        private void written(long at, ByteBuffer bytes, int count) {
            byte[] copy = new byte[count];
            bytes.duplicate().position(bytes.position() - count).get(copy);
            operations.add(new Operation(Operation.Kind.WRITE, node, null, "", null, "", at, copy));
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            long at = channel.position();
            int count = channel.write(bytes);
            written(at, bytes, count);
            return count;
        }

        @Override
        public int write(ByteBuffer bytes, long position) throws IOException {
            int count = channel.write(bytes, position);
            written(position, bytes, count);
            return count;
        }

        @Override
        public long write(ByteBuffer[] sources, int offset, int length) throws IOException {
            long count = 0;
            for (int i = offset; i < offset + length; i++) {
                count += write(sources[i]);
            }
            return count;
        }

        @Override
        public void force(boolean metaData) throws IOException {
            channel.force(metaData);
            recorder.record(Operation.Kind.FLUSH, node, null, "");
        }

        @Override
        public FileChannel truncate(long size) throws IOException {
            channel.truncate(size);
            operations.add(new Operation(Operation.Kind.CUT, node, null, "", null, "", size, null));
            return this;
        }

        @Override
        public int read(ByteBuffer bytes) throws IOException {
            return channel.read(bytes);
        }

        @Override
        public int read(ByteBuffer bytes, long position) throws IOException {
            return channel.read(bytes, position);
        }

        @Override
        public long read(ByteBuffer[] targets, int offset, int length) throws IOException {
            return channel.read(targets, offset, length);
        }

        @Override
        public long position() throws IOException {
            return channel.position();
        }

        @Override
        public FileChannel position(long newPosition) throws IOException {
            channel.position(newPosition);
            return this;
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
            return channel.transferTo(position, count, target);
        }

        @Override
        public long transferFrom(ReadableByteChannel source, long position, long count) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(count, 1 << 16));
            int read = source.read(bytes);
            return read <= 0 ? 0 : write(bytes.flip(), position);
        }

        @Override
        public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
            if (mode != MapMode.READ_ONLY) {
                throw new UnsupportedOperationException("Writes through a mapping would not be recorded");
            }
            return channel.map(mode, position, size);
        }

        @Override
        public FileLock lock(long position, long size, boolean shared) throws IOException {
            return channel.lock(position, size, shared);
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) throws IOException {
            return channel.tryLock(position, size, shared);
        }

        @Override
        protected void implCloseChannel() throws IOException {
            channel.close();
        }
    }

    // ---- names ------------------------------------------------------------------------------------------------------

    private final class RecordedSystem extends FileSystem {
        @Override
        public FileSystemProvider provider() {
            return recorder;
        }

        @Override
        public void close() {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public boolean isReadOnly() {
            return false;
        }

        @Override
        public String getSeparator() {
            return real.getFileSystem().getSeparator();
        }

        @Override
        public Iterable<Path> getRootDirectories() {
            return List.of(root());
        }

        @Override
        public Iterable<FileStore> getFileStores() {
            return List.of();
        }

        @Override
        public Set<String> supportedFileAttributeViews() {
            return real.getFileSystem().supportedFileAttributeViews();
        }

        @Override
        public Path getPath(String first, String... more) {
            return new RecordedPath(real.getFileSystem().getPath(first, more));
        }

        @Override
        public PathMatcher getPathMatcher(String syntaxAndPattern) {
            throw new UnsupportedOperationException();
        }

        @Override
        public UserPrincipalLookupService getUserPrincipalLookupService() {
            throw new UnsupportedOperationException();
        }

        @Override
        public WatchService newWatchService() {
            throw new UnsupportedOperationException();
        }
    }

    private final class RecordedPath implements Path {
        private final Path path;

        RecordedPath(Path path) {
            this.path = path;
        }

        private Path of(Path other) {
            return other == null ? null : new RecordedPath(other);
        }

        @Override
        public FileSystem getFileSystem() {
            return system;
        }

        @Override
        public boolean isAbsolute() {
            return path.isAbsolute();
        }

        @Override
        public Path getRoot() {
            return of(path.getRoot());
        }

        @Override
        public Path getFileName() {
            return of(path.getFileName());
        }

        @Override
        public Path getParent() {
            return of(path.getParent());
        }

        @Override
        public int getNameCount() {
            return path.getNameCount();
        }

        @Override
        public Path getName(int index) {
            return of(path.getName(index));
        }

        @Override
        public Path subpath(int from, int to) {
            return of(path.subpath(from, to));
        }

        @Override
        public boolean startsWith(Path other) {
            return path.startsWith(real(other));
        }

        @Override
        public boolean endsWith(Path other) {
            return path.endsWith(real(other));
        }

        @Override
        public Path normalize() {
            return of(path.normalize());
        }

        @Override
        public Path resolve(Path other) {
            return of(path.resolve(real(other)));
        }

        @Override
        public Path relativize(Path other) {
            return of(path.relativize(real(other)));
        }

        @Override
        public URI toUri() {
            return path.toUri();
        }

        @Override
        public Path toAbsolutePath() {
            return of(path.toAbsolutePath());
        }

        @Override
        public Path toRealPath(LinkOption... options) throws IOException {
            return of(path.toRealPath(options));
        }

        @Override
        public WatchKey register(WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int compareTo(Path other) {
            return path.compareTo(real(other));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof RecordedPath recorded && recorded.path.equals(path);
        }

        @Override
        public int hashCode() {
            return path.hashCode();
        }

        @Override
        public String toString() {
            return path.toString();
        }
    }
}
