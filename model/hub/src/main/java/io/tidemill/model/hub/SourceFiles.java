package io.tidemill.model.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;

/**
 * Finds files of a model by name: in a directory, beside a file, or in a zip or jar, from which they are unpacked; also
 * in a zip inside one, whatever that is called. Of a path in an archive only the last part is used.
 */
final class SourceFiles {
    private static final byte[] ZIP = {'P', 'K', 3, 4};
    private static final int DEPTH = 3; // directories below the given one
    private static final int MOST_ENTRIES = 100_000;
    private static final int BUFFER_BYTES = 1 << 16;
    private static final long SPARE_BYTES = 64L << 20; // left free on the disk

    private final Path scratch;
    private final Predicate<String> wanted;
    private int entries;

    private SourceFiles(Path scratch, Predicate<String> wanted) {
        this.scratch = scratch;
        this.wanted = wanted;
    }

    /**
     * The wanted files.
     *
     * @param wanted  by their plain names
     * @param scratch an empty directory, for what is unpacked
     */
    static List<Path> find(Path from, Path scratch, Predicate<String> wanted) throws IOException {
        if (Files.isDirectory(from)) {
            return inside(from, DEPTH, wanted);
        }
        if (!Files.isRegularFile(from)) {
            throw new IllegalArgumentException(from + " is not there");
        }
        byte[] start = new byte[ZIP.length];
        try (InputStream in = Files.newInputStream(from)) {
            if (in.readNBytes(start, 0, start.length) < start.length || !Arrays.equals(start, ZIP)) {
                return inside(from.toAbsolutePath().getParent(), 1, wanted);
            }
        }
        try (InputStream in = Files.newInputStream(from)) {
            new SourceFiles(scratch, wanted).unpack(in, 0);
        } catch (ZipException | java.io.EOFException | IllegalArgumentException e) {
            throw new IllegalArgumentException(from + " cannot be unpacked: " + e.getMessage(), e);
        }
        return inside(scratch, 1, wanted);
    }

    private static List<Path> inside(Path directory, int depth, Predicate<String> wanted) throws IOException {
        try (Stream<Path> files = Files.walk(directory, depth)) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> wanted.test(file.getFileName().toString()))
                    .sorted()
                    .toList();
        } catch (java.io.UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private void unpack(InputStream archive, int depth) throws IOException {
        ZipInputStream zip = new ZipInputStream(archive);
        for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
            if (++entries > MOST_ENTRIES) {
                throw new IllegalArgumentException("it has more than " + MOST_ENTRIES + " entries");
            }
            String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
            if (Names.isPlain(name) && wanted.test(name)) {
                store(zip, scratch.resolve(name));
            } else if (depth == 0 && !entry.isDirectory()) {
                Rest rest = new Rest(zip);
                if (rest.isZip()) {
                    unpack(rest, depth + 1);
                }
            }
        }
    }

    private void store(InputStream in, Path file) throws IOException {
        if (Files.exists(file)) {
            throw new IllegalArgumentException("it has two files " + file.getFileName());
        }
        long left = file.getParent().toFile().getUsableSpace() - SPARE_BYTES;
        byte[] buffer = new byte[BUFFER_BYTES];
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                left -= n;
                if (left < 0) {
                    throw new IOException("The disk of " + scratch.getParent() + " has no room to unpack "
                            + file.getFileName() + "; make some, or unpack it elsewhere");
                }
                out.write(buffer, 0, n);
            }
        }
    }

    /** An entry whose first bytes have been looked at. */
    private static final class Rest extends FilterInputStream {
        private final byte[] start;
        private int at;

        Rest(InputStream entry) throws IOException {
            super(entry);
            start = entry.readNBytes(ZIP.length);
        }

        boolean isZip() {
            return Arrays.equals(start, ZIP);
        }

        @Override
        public int read() throws IOException {
            return at < start.length ? start[at++] & 0xFF : super.read();
        }

        @Override
        public int read(byte[] into, int from, int count) throws IOException {
            if (at == start.length) {
                return super.read(into, from, count);
            }
            int some = Math.min(count, start.length - at);
            System.arraycopy(start, at, into, from, some);
            at += some;
            return some;
        }

        @Override
        public void close() {} // the archive around it goes on
    }
}
