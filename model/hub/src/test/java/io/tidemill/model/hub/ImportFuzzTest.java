package io.tidemill.model.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged files, made from good ones by changes that a seed decides. Each is read or refused with a sentence, never
 * anything else, and never with more memory than files of some kilobytes earn.
 */
class ImportFuzzTest {
    private static final int MUTATIONS = 6_000; // of each kind
    private static final int OF_ARCHIVES = 1_000;
    private static final int LOADED = 500; // mutations after which all classes are, which allocates too
    private static final long MOST_BYTES = 8 << 20;
    private static final long[] NUMBERS = {
        0, 1, 2, 7, 127, 128, 255, 4096, 65_535, Integer.MAX_VALUE, 1L << 31, 1L << 32, 1L << 61, Long.MAX_VALUE, -1, -8
    };

    @TempDir
    Path directory;

    private final ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private List<JsonNode> configs;
    private JsonNode tokenizer;
    private int read;

    private interface Take {
        void take(byte[] bytes) throws IOException;
    }

    @BeforeEach
    void configs() throws IOException {
        configs = List.of(new ObjectMapper().readTree("{\"num_attention_heads\": 2}"));
        tokenizer = TinyBert.tokenizer();
    }

    @Test
    void noDamagedIndexDoesAnythingButBeReadOrRefused() throws IOException {
        TinyCheckpoint good = TinyCheckpoint.of("module/", true, true);
        good.write(directory);
        fuzz(good.index, MUTATIONS, true, this::takeCheckpoint);
        assertThat(read).isLessThan(MUTATIONS / 2);
    }

    @Test
    void noDamagedFileOfTensorsIsTakenForAGoodOne() throws IOException {
        TinyCheckpoint good = TinyCheckpoint.of("", true, true);
        good.write(directory);
        Path data = directory.resolve("variables.data-00000-of-00001");
        fuzz(good.data, MUTATIONS, false, bytes -> {
            Files.write(data, bytes);
            takeCheckpoint(good.index);
            // Only what belongs to no weight may differ: the step at the end, and what comes after it.
            int ours = good.data.length - 8;
            assertThat(Arrays.equals(bytes, 0, ours, good.data, 0, ours)).isTrue();
        });
    }

    @Test
    void noDamagedOnnxFileDoesAnythingButBeReadOrRefused() throws IOException {
        fuzz(TinyOnnx.of(true), MUTATIONS, false, bytes -> {
            BertWeights weights = OnnxImport.check(OnnxFile.read("fuzzed.onnx", ByteBuffer.wrap(bytes)), tokenizer);
            readAll(weights);
        });
        // Damage of the numbers alone is not to be seen: there are no checksums.
        assertThat(read).isBetween(MUTATIONS / 100, MUTATIONS - MUTATIONS / 10);
    }

    @Test
    void noDamagedArchiveDoesAnythingButBeUnpackedOrRefused() throws IOException {
        Path good = Files.createDirectory(directory.resolve("good"));
        TinyCheckpoint.of("", true, true).write(good);
        byte[] inner = zip(good);
        Path archive = directory.resolve("fuzzed.jar");
        Path scratch = Files.createDirectory(directory.resolve("scratch"));
        fuzz(
                zipOf("inner", inner),
                OF_ARCHIVES,
                false,
                bytes -> {
                    Files.write(archive, bytes);
                    for (Path file : SourceFiles.find(archive, scratch, name -> name.endsWith(".index"))) {
                        if (file.startsWith(scratch)) {
                            Files.delete(file);
                        }
                    }
                    NewDirectory.deleteTree(scratch.resolve("variables.index"));
                },
                () -> NewDirectory.deleteTree(scratch.resolve("variables.index")));
        assertThat(read).isPositive();
    }

    private void takeCheckpoint(byte[] index) throws IOException {
        Path file = directory.resolve("variables.index");
        Files.write(file, index);
        try (TensorBundle bundle = TensorBundle.open(file)) {
            readAll(BertImport.check(bundle, TinyBert.TOKENS, configs));
        }
    }

    private static void readAll(BertWeights weights) throws IOException {
        for (StoredTensor tensor : weights.taken()) {
            int length = Math.toIntExact(tensor.length());
            tensor.read(0, new float[length], length);
        }
    }

    private interface Cleaning {
        void clean() throws IOException;
    }

    private void fuzz(byte[] good, int mutations, boolean sealed, Take take) throws IOException {
        fuzz(good, mutations, sealed, take, () -> {});
    }

    /** @param sealed whether half of the files get right checksums again, so that what lies behind them is reached */
    private void fuzz(byte[] good, int mutations, boolean sealed, Take take, Cleaning cleaning) throws IOException {
        take.take(good);
        for (int seed = 0; seed < mutations; seed++) {
            byte[] bytes = damaged(good, seed, sealed);
            long before = memory.getCurrentThreadAllocatedBytes();
            try {
                take.take(bytes);
                read++;
            } catch (IllegalArgumentException | IOException e) {
                assertThat(e.getMessage()).as("seed %d", seed).isNotBlank().hasSizeLessThan(2000);
            } catch (Throwable e) { // an Error is just what must not happen
                fail("Seed " + seed, e);
            }
            long allocated = memory.getCurrentThreadAllocatedBytes() - before;
            assertThat(seed < LOADED || allocated < MOST_BYTES)
                    .as("seed %d: %d bytes allocated", seed, allocated)
                    .isTrue();
            cleaning.clean();
        }
    }

    private static byte[] damaged(byte[] good, int seed, boolean sealed) {
        Random random = new Random(seed);
        byte[] bytes = good.clone();
        for (int i = 1 + random.nextInt(3); i > 0 && bytes.length > 0; i--) {
            bytes = mutate(bytes, random);
        }
        return sealed && random.nextBoolean() ? sealed(bytes) : bytes;
    }

    private static byte[] mutate(byte[] bytes, Random random) {
        int at = random.nextInt(bytes.length);
        int end = Math.min(bytes.length, at + 1 + random.nextInt(12));
        return switch (random.nextInt(8)) {
            case 0 -> Arrays.copyOf(bytes, at); // cut
            case 1 -> Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(40));
            case 2 -> splice(bytes, at, end, new byte[0]);
            case 3 -> splice(bytes, at, at, Arrays.copyOfRange(bytes, at, end)); // twice the same
            case 4 -> splice(bytes, at, end, TinyBert.varint(NUMBERS[random.nextInt(NUMBERS.length)]));
            case 5, 6 -> {
                byte[] changed = bytes.clone();
                changed[at] ^= (byte) (1 << random.nextInt(8));
                yield changed;
            }
            default -> {
                byte[] changed = bytes.clone();
                for (int i = at; i < end; i++) {
                    changed[i] = (byte) random.nextInt();
                }
                yield changed;
            }
        };
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte[] middle) {
        return ByteBuffer.allocate(bytes.length - (to - from) + middle.length)
                .put(bytes, 0, from)
                .put(middle)
                .put(bytes, to, bytes.length - to)
                .array();
    }

    /** Right checksums for the blocks that the footer and the index block still lead to. */
    private static byte[] sealed(byte[] bytes) {
        byte[] changed = bytes.clone();
        if (changed.length < 48) {
            return changed;
        }
        ByteBuffer file = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
        file.position(changed.length - 48);
        seal(file, varint(file), varint(file));
        long at = varint(file);
        long length = varint(file);
        seal(file, at, length);
        if (at > 0 && length > 0 && at + length < changed.length) {
            file.position((int) at);
            while (file.position() < at + length - 4) {
                varint(file);
                long own = varint(file);
                varint(file);
                if (own < 0 || own > file.remaining()) {
                    break;
                }
                file.position(file.position() + (int) own);
                seal(file, varint(file), varint(file));
            }
        }
        return changed;
    }

    private static long varint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; shift < 64 && in.hasRemaining(); shift += 7) {
            byte next = in.get();
            value |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                break;
            }
        }
        return value;
    }

    private static void seal(ByteBuffer file, long at, long length) {
        if (at < 0 || length < 0 || at > file.capacity() || length > file.capacity() - 5 - at) {
            return;
        }
        int crc = SortedTable.mask(SortedTable.crc(file.slice((int) at, (int) length + 1)));
        file.putInt((int) (at + length + 1), crc);
    }

    private static byte[] zip(Path from) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out);
                Stream<Path> files = Files.list(from)) {
            for (Path file : files.sorted().toList()) {
                zip.putNextEntry(new ZipEntry("variables/" + file.getFileName()));
                Files.copy(file, zip);
            }
        }
        return out.toByteArray();
    }

    private static byte[] zipOf(String name, byte[] content) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.putNextEntry(new ZipEntry(name));
            zip.write(content);
        }
        return out.toByteArray();
    }
}
