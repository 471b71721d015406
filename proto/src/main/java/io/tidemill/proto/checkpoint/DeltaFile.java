package io.tidemill.proto.checkpoint;

import io.tidemill.proto.v1.FileDigest;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * A file told by what differs from another of the same length, block by block.
 *
 * <pre>
 *   magic "TMDELTA" 0 │ format int32 │ bytes of a block int32 │ length int64 │ SHA-256 of base │ SHA-256 of result
 *   for each changed block, ascending:  its number int32 │ form int8 │ n int32 │ n bytes ({@link ChangedBlock})
 *   −1 int32 │ changed blocks int32 │ SHA-256 of all before it
 * </pre>
 *
 * <p>Numbers are big-endian. Reading and writing stream: two blocks are in memory, never a file. A delta is a function of the
 * two files and of the platform's deflate.
 */
public final class DeltaFile {
    private static final byte[] MAGIC = {'T', 'M', 'D', 'E', 'L', 'T', 'A', 0};
    private static final int FORMAT = 1;
    private static final int END = -1;
    private static final int SHA256_BYTES = 32;
    private static final int HEADER_BYTES = MAGIC.length + 4 + 4 + 8 + 2 * SHA256_BYTES;
    private static final int DEFLATE_LEVEL = 4;

    /** Blocks of a long file that are looked at before all are. */
    private static final int SAMPLED = 8;

    /** Of so many changed blocks one is tried in every form; those behind it take the form that was smallest. */
    private static final int TRIED = 16;

    private DeltaFile() {}

    /**
     * Writes what makes the result of the base, flushed; nothing where that is not worth its while.
     *
     * @param base   and result: their lengths and digests
     * @param root   that result and delta stand under
     * @param atMost bytes that the delta may have
     * @return false, and no file, where the lengths differ, the delta would be longer, or the base is damaged
     * @throws IOException also if the result is not what its digest says
     */
    public static boolean write(Path baseRoot, FileDigest base, Path root, FileDigest result, Path delta, long atMost)
            throws IOException {
        if (base.getLength() != result.getLength() || atMost <= HEADER_BYTES) {
            return false;
        }
        Path before = FileDigests.inside(baseRoot, base.getPath());
        Path after = FileDigests.inside(root, result.getPath());
        if (!promises(before, after, result.getLength(), atMost)) {
            return false;
        }
        boolean written = false;
        try (Digesting from = new Digesting(before);
                Digesting to = new Digesting(after);
                FileChannel channel =
                        FileChannel.open(delta, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            DigestOutputStream digested = new DigestOutputStream(
                    new BufferedOutputStream(Channels.newOutputStream(channel)), FileDigests.sha256());
            if (writeBlocks(from, base, to, result, new DataOutputStream(digested), atMost) && from.is(base)) {
                expect("digest of " + result.getPath(), lower(result.getSha256()), hex(to.digest()));
                seal(digested);
                channel.force(true);
                written = true;
            }
        } finally {
            if (!written) {
                Files.deleteIfExists(delta);
            }
        }
        return written;
    }

    private static boolean writeBlocks(
            Digesting from, FileDigest base, Digesting to, FileDigest result, DataOutputStream out, long atMost)
            throws IOException {
        out.write(MAGIC);
        out.writeInt(FORMAT);
        out.writeInt(ChangedBlock.BYTES);
        out.writeLong(result.getLength());
        out.write(HexFormat.of().parseHex(base.getSha256()));
        out.write(HexFormat.of().parseHex(result.getSha256()));
        byte[] before = new byte[ChangedBlock.BYTES];
        byte[] after = new byte[ChangedBlock.BYTES];
        Deflater deflater = deflater();
        try {
            ChangedBlock form = ChangedBlock.FORMS[0];
            int changed = 0;
            long left = result.getLength();
            long size = HEADER_BYTES + 2L * Integer.BYTES + SHA256_BYTES;
            for (int number = 0; left > 0; number++) {
                int length = (int) Math.min(left, ChangedBlock.BYTES);
                if (!from.read(before, length) || !to.read(after, length)) {
                    return false;
                }
                left -= length;
                if (Arrays.equals(before, 0, length, after, 0, length)) {
                    continue;
                }
                if (changed++ % TRIED == 0) {
                    form = smallest(before, after, length, deflater);
                }
                byte[] deflated = form.write(before, after, length, deflater);
                out.writeInt(number);
                out.writeByte(form.number());
                out.writeInt(deflated.length);
                out.write(deflated);
                size += 2L * Integer.BYTES + 1 + deflated.length;
                if (size > atMost) {
                    return false;
                }
            }
            out.writeInt(END);
            out.writeInt(changed);
        } finally {
            deflater.end();
        }
        return true;
    }

    /** Filtered: most bytes are small numbers, and matches of three bytes cost more than they save. */
    private static Deflater deflater() {
        Deflater deflater = new Deflater(DEFLATE_LEVEL, true);
        deflater.setStrategy(Deflater.FILTERED);
        return deflater;
    }

    /** A look at blocks from all over a long file, which costs little where all of it would be in vain. */
    private static boolean promises(Path before, Path after, long length, long atMost) throws IOException {
        long blocks = length / ChangedBlock.BYTES;
        if (blocks < 4 * SAMPLED) {
            return true;
        }
        Deflater deflater = deflater();
        try (FileChannel from = FileChannel.open(before);
                FileChannel to = FileChannel.open(after)) {
            long told = 0;
            for (int i = 0; i < SAMPLED; i++) {
                long at = (2 * i + 1) * blocks / (2 * SAMPLED) * ChangedBlock.BYTES;
                byte[] one = block(from, at);
                byte[] other = block(to, at);
                if (!Arrays.equals(one, other)) {
                    told += smallest(one, other, one.length, deflater).write(one, other, one.length, deflater).length;
                }
            }
            return (double) told / (SAMPLED * ChangedBlock.BYTES) * length <= atMost;
        } finally {
            deflater.end();
        }
    }

    /** Zeros where the file ends before. */
    private static byte[] block(FileChannel file, long at) throws IOException {
        ByteBuffer block = ByteBuffer.allocate(ChangedBlock.BYTES);
        while (block.hasRemaining() && file.read(block, at + block.position()) >= 0) {
            // until it is full
        }
        return block.array();
    }

    private static ChangedBlock smallest(byte[] before, byte[] after, int length, Deflater deflater) {
        ChangedBlock best = ChangedBlock.FORMS[0];
        int least = Integer.MAX_VALUE;
        for (ChangedBlock form : ChangedBlock.FORMS) {
            int size = form.write(before, after, length, deflater).length;
            if (size < least) {
                least = size;
                best = form;
            }
        }
        return best;
    }

    private static void seal(DigestOutputStream out) throws IOException {
        byte[] digest = out.getMessageDigest().digest();
        out.on(false);
        out.write(digest);
        out.flush();
    }

    /**
     * Makes a file of a delta and what it is told by, flushed.
     *
     * @param base   what the delta was made against
     * @param target does not exist yet, and does not afterwards if this fails
     * @param wanted length and digest of what it must become
     * @throws IOException if the delta is not whole, is of other files, or does not give what is wanted
     */
    public static void restore(Path delta, Path base, Path target, FileDigest wanted) throws IOException {
        boolean restored = false;
        try (Digesting from = new Digesting(base);
                DigestInputStream digested = new DigestInputStream(
                        new BufferedInputStream(Files.newInputStream(delta)), FileDigests.sha256());
                FileChannel channel =
                        FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            DigestOutputStream to = new DigestOutputStream(Channels.newOutputStream(channel), FileDigests.sha256());
            restore(digested, from, to, wanted);
            channel.force(true);
            restored = true;
        } catch (EOFException e) {
            throw new IOException("The delta " + delta + " ends too early.", e);
        } catch (IOException e) {
            throw new IOException("The delta " + delta + " cannot be used: " + e.getMessage(), e);
        } finally {
            if (!restored) {
                Files.deleteIfExists(target);
            }
        }
    }

    private static void restore(DigestInputStream delta, Digesting from, DigestOutputStream to, FileDigest wanted)
            throws IOException {
        DataInputStream in = new DataInputStream(delta);
        String base = header(in, wanted);
        restoreBlocks(in, from, to, wanted.getLength());
        byte[] found = delta.getMessageDigest().digest();
        expect("digest of the delta", hex(found), hex(in.readNBytes(SHA256_BYTES)));
        if (in.read() >= 0) {
            throw new IOException("something stands behind its end");
        }
        expect("digest of the base", base, hex(from.digest()));
        expect(
                "digest of the result",
                lower(wanted.getSha256()),
                hex(to.getMessageDigest().digest()));
    }

    /** Returns the digest of the base. */
    private static String header(DataInputStream in, FileDigest wanted) throws IOException {
        byte[] magic = new byte[MAGIC.length];
        in.readFully(magic);
        if (!Arrays.equals(magic, MAGIC)) {
            throw new IOException("it is no delta");
        }
        expect("format", FORMAT, in.readInt());
        expect("bytes of a block", ChangedBlock.BYTES, in.readInt());
        expect("length", wanted.getLength(), in.readLong());
        byte[] base = new byte[SHA256_BYTES];
        in.readFully(base);
        byte[] result = new byte[SHA256_BYTES];
        in.readFully(result);
        expect("digest of the result", lower(wanted.getSha256()), hex(result));
        return hex(base);
    }

    private static void restoreBlocks(DataInputStream in, Digesting from, OutputStream to, long length)
            throws IOException {
        byte[] block = new byte[ChangedBlock.BYTES];
        Inflater inflater = new Inflater(true);
        try {
            int changed = 0;
            int next = in.readInt();
            long left = length;
            for (int number = 0; left > 0; number++) {
                int bytes = (int) Math.min(left, ChangedBlock.BYTES);
                if (!from.read(block, bytes)) {
                    throw new IOException("the base is shorter");
                }
                left -= bytes;
                if (number == next) {
                    readBlock(in, block, bytes, inflater);
                    changed++;
                    next = in.readInt();
                }
                to.write(block, 0, bytes);
            }
            expect("number behind the last block", END, next);
            expect("number of changed blocks", changed, in.readInt());
        } finally {
            inflater.end();
        }
    }

    private static void readBlock(DataInputStream in, byte[] block, int length, Inflater inflater) throws IOException {
        int form = in.readUnsignedByte();
        int bytes = in.readInt();
        if (form >= ChangedBlock.FORMS.length || bytes < 0 || bytes > 4 * ChangedBlock.BYTES) {
            throw new IOException("a block has form " + form + " and " + bytes + " bytes");
        }
        byte[] deflated = new byte[bytes];
        in.readFully(deflated);
        ChangedBlock.FORMS[form].restore(deflated, block, length, inflater);
    }

    private static void expect(String what, Object expected, Object found) throws IOException {
        if (!expected.equals(found)) {
            throw new IOException("its " + what + " is " + found + " instead of " + expected);
        }
    }

    private static String lower(String hex) {
        return hex.toLowerCase(Locale.ROOT);
    }

    private static String hex(byte[] digest) {
        return HexFormat.of().formatHex(digest);
    }

    /** Reads blocks, and knows in the end what it has read. */
    private static final class Digesting implements AutoCloseable {
        private final DigestInputStream in;

        Digesting(Path file) throws IOException {
            this.in = new DigestInputStream(Files.newInputStream(file), FileDigests.sha256());
        }

        /** Returns false where the file ends before. */
        boolean read(byte[] block, int length) throws IOException {
            return in.readNBytes(block, 0, length) == length;
        }

        /** Of the whole file: bytes that were not read count too. */
        byte[] digest() throws IOException {
            in.transferTo(OutputStream.nullOutputStream());
            return in.getMessageDigest().digest();
        }

        boolean is(FileDigest announced) throws IOException {
            return hex(digest()).equalsIgnoreCase(announced.getSha256());
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
