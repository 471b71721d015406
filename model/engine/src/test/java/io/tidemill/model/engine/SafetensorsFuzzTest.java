package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Damaged files, made from good ones by changes that a seed decides. Each is either read, and then its tensors fill it
 * to the byte, or refused with its name; never anything else, and never with more memory than a file of its size earns.
 */
class SafetensorsFuzzTest {
    private static final int MUTATIONS = 150_000;
    private static final long MOST_BYTES = 1 << 20; // allocated for one file of at most a few hundred bytes
    private static final int LOADED = 1000; // mutations after which all classes are, which allocates too
    private static final String NAME = "fuzzed.safetensors";
    private static final List<String> NUMBERS = List.of(
            "0",
            "1",
            "-1",
            "2",
            "8",
            "24",
            "255",
            "65536",
            "2147483647",
            "2147483648",
            "4294967296",
            "4611686018427387904",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "1e3",
            "0.5",
            "00",
            "\"4\"",
            "null",
            "[]",
            "1e999999999");
    private static final List<String> WORDS = List.of(
            "\"F32\"",
            "\"BF16\"",
            "\"F16\"",
            "\"I64\"",
            "\"F8_E4M3\"",
            "\"Q4\"",
            "\"dtype\"",
            "\"shape\"",
            "\"data_offsets\"",
            "\"__metadata__\"",
            "\"a\"",
            "\"b\"",
            "{}",
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            " ",
            "\u0000",
            "\"\\ud800\"",
            "[[[[[[[[[[");
    private static final List<byte[]> GOOD = List.of(
            file("{'a':{'dtype':'F32','shape':[2,3],'data_offsets':[0,24]}}", 24),
            file(
                    "{'__metadata__':{'format':'pt'},'a':{'dtype':'BF16','shape':[3],'data_offsets':[4,10]},"
                            + "'b':{'dtype':'F32','shape':[],'data_offsets':[0,4]}}",
                    10),
            file(
                    "{'a':{'dtype':'F16','shape':[0,7],'data_offsets':[0,0]},'b':{'dtype':'F16','shape':[1,2,1],"
                            + "'data_offsets':[0,4]},'c':{'dtype':'I64','shape':[1],'data_offsets':[4,12]}}      ",
                    12),
            file("{}", 0),
            file("{'wörter':{'dtype':'U8','shape':[5],'data_offsets':[0,5]}}", 5));

    private final ThreadMXBean memory = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static byte[] file(String header, int dataBytes) {
        byte[] text = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + text.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text)
                .array();
    }

    @Test
    void noDamagedFileDoesAnythingButBeReadOrRefused() {
        GOOD.forEach(good -> assertThat(take(good)).as("a good file").isTrue());
        int read = 0;
        for (int seed = 0; seed < MUTATIONS; seed++) {
            byte[] bytes = damaged(seed);
            long before = memory.getCurrentThreadAllocatedBytes();
            try {
                read += take(bytes) ? 1 : 0;
                long allocated = memory.getCurrentThreadAllocatedBytes() - before;
                assertThat(seed < LOADED || allocated < MOST_BYTES)
                        .as("%d bytes allocated", allocated)
                        .isTrue();
            } catch (Throwable e) { // an Error is just what must not happen
                fail("Seed %d, file %s".formatted(seed, new String(bytes, StandardCharsets.ISO_8859_1)), e);
            }
        }
        // Both happen: damage of the tensors' bytes alone is not to be seen.
        assertThat(read).isBetween(MUTATIONS / 100, MUTATIONS / 2);
    }

    private static byte[] damaged(int seed) {
        Random random = new Random(seed);
        byte[] bytes = GOOD.get(random.nextInt(GOOD.size()));
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            bytes = mutate(bytes, random);
        }
        return bytes;
    }

    /** Whether it was read. */
    private static boolean take(byte[] bytes) {
        boolean good = true;
        try (Safetensors.Reader reader = Safetensors.open(NAME, new InMemory(bytes))) {
            long tensors = 0;
            for (Safetensors.Entry entry : reader.entries()) {
                tensors += bytesOf(entry);
                if (List.of("F32", "BF16", "F16").contains(entry.type())) {
                    assertThat(reader.floats(entry.name()).length).isEqualTo((int) entry.length());
                }
            }
            long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
            assertThat(8 + header + tensors).isEqualTo(bytes.length);
        } catch (IllegalArgumentException | IOException e) {
            assertThat(e.getMessage()).startsWith(NAME);
            good = false;
        }
        return good;
    }

    private static long bytesOf(Safetensors.Entry entry) {
        return entry.length()
                * switch (entry.type()) {
                    case "F64", "I64", "U64" -> 8;
                    case "F32", "I32", "U32" -> 4;
                    case "F16", "BF16", "I16", "U16" -> 2;
                    default -> 1;
                };
    }

    private static byte[] mutate(byte[] bytes, Random random) {
        if (bytes.length == 0) {
            return new byte[] {(byte) random.nextInt()};
        }
        int at = random.nextInt(bytes.length + 1);
        int end = Math.min(bytes.length, at + 1 + random.nextInt(12));
        return switch (random.nextInt(11)) {
            case 0 -> Arrays.copyOf(bytes, at); // truncated
            case 1 -> Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(40)); // oversized
            case 2 -> splice(bytes, at, end, new byte[0]);
            case 3 -> splice(bytes, at, at, Arrays.copyOfRange(bytes, at, end)); // twice the same
            case 4 -> splice(bytes, at, end, random(random, end - at));
            case 5 -> flip(bytes, random.nextInt(bytes.length), 1 << random.nextInt(8));
            case 6 -> length(bytes, random);
            case 7 ->
                splice(bytes, at, at, WORDS.get(random.nextInt(WORDS.size())).getBytes(StandardCharsets.UTF_8));
            case 8 -> number(bytes, random);
            case 9 -> {
                byte[] other = GOOD.get(random.nextInt(GOOD.size()));
                yield splice(
                        bytes, at, bytes.length, Arrays.copyOfRange(other, Math.min(at, other.length), other.length));
            }
            default -> again(bytes);
        };
    }

    private static byte[] random(Random random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] flip(byte[] bytes, int at, int bit) {
        byte[] changed = bytes.clone();
        changed[at] ^= (byte) bit;
        return changed;
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte[] middle) {
        return ByteBuffer.allocate(Math.max(1, bytes.length - (to - from) + middle.length))
                .put(bytes, 0, from)
                .put(middle)
                .put(bytes, to, bytes.length - to)
                .array();
    }

    /** Another header length, small, large or absurd. */
    private static byte[] length(byte[] bytes, Random random) {
        if (bytes.length < 8) {
            return bytes;
        }
        byte[] changed = bytes.clone();
        ByteBuffer buffer = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
        long[] lengths = {
            0,
            1,
            bytes.length - 8,
            bytes.length - 7,
            bytes.length,
            99_999_999,
            100_000_001,
            Integer.MAX_VALUE,
            1L << 32,
            Long.MAX_VALUE,
            -1,
            Long.MIN_VALUE,
            buffer.getLong(0) - 1,
            buffer.getLong(0) + 1
        };
        buffer.putLong(0, lengths[random.nextInt(lengths.length)]);
        return changed;
    }

    /** Another number in place of one in the header, which is made to fit again. */
    private static byte[] number(byte[] bytes, Random random) {
        int[] digits = java.util.stream.IntStream.range(8, bytes.length)
                .filter(i -> bytes[i] >= '0' && bytes[i] <= '9')
                .toArray();
        if (digits.length == 0) {
            return bytes;
        }
        int from = digits[random.nextInt(digits.length)];
        int to = from;
        while (to < bytes.length && bytes[to] >= '0' && bytes[to] <= '9') {
            to++;
        }
        byte[] number = NUMBERS.get(random.nextInt(NUMBERS.size())).getBytes(StandardCharsets.UTF_8);
        return grow(splice(bytes, from, to, number), number.length - (to - from));
    }

    /** The first tensor described a second time. */
    private static byte[] again(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int from = text.indexOf('{') + 1;
        int to = text.indexOf('}') + 1;
        if (from < 9 || to <= from || to >= bytes.length) {
            return bytes;
        }
        byte[] twice = (text.substring(from, to) + ",").getBytes(StandardCharsets.ISO_8859_1);
        return grow(splice(bytes, from, from, twice), twice.length);
    }

    private static byte[] grow(byte[] bytes, int by) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putLong(0, buffer.getLong(0) + by);
        return bytes;
    }

    private record InMemory(byte[] bytes) implements ByteSource {
        @Override
        public long size() {
            return bytes.length;
        }

        @Override
        public ByteBuffer at(long from, int count) {
            return ByteBuffer.wrap(bytes).slice((int) from, count).order(ByteOrder.LITTLE_ENDIAN);
        }

        @Override
        public void close() {}
    }
}
