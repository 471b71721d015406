package io.tidemill.model.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    Path directory;

    @Test
    void whatIsWrittenIsRead() throws IOException {
        for (int seed = 0; seed < 100; seed++) {
            Random random = new Random(seed);
            Map<String, float[]> tensors = new LinkedHashMap<>();
            List<Safetensors.Entry> entries = new ArrayList<>();
            for (int i = 0; i < 1 + random.nextInt(5); i++) {
                long[] shape = random.longs(random.nextInt(4), 0, 9).toArray();
                Safetensors.Entry entry = new Safetensors.Entry("t" + i, random.nextBoolean() ? "F32" : "BF16", shape);
                float[] values = new float[(int) entry.length()];
                for (int v = 0; v < values.length; v++) {
                    // Seven bits of fraction are exact in both types.
                    values[v] = (random.nextInt(255) - 127) * (float) Math.pow(2, random.nextInt(20) - 10);
                }
                entries.add(entry);
                tensors.put(entry.name(), values);
            }
            Path file = directory.resolve(seed + ".safetensors");
            Safetensors.write(
                    file,
                    Map.of("seed", "" + seed),
                    entries,
                    (entry, from, values, count) ->
                            System.arraycopy(tensors.get(entry.name()), (int) from, values, 0, count));
            try (Safetensors.Reader reader = Safetensors.open(file)) {
                assertThat(reader.metadata()).containsEntry("seed", "" + seed);
                for (Safetensors.Entry entry : entries) {
                    assertThat(reader.floats(entry.name()))
                            .as("seed " + seed)
                            .containsExactly(tensors.get(entry.name()));
                    assertThat(reader.entry(entry.name()).shape()).containsExactly(entry.shape());
                }
            }
        }
    }

    @Test
    void tensorsLargerThanAChunkKeepTheirOrder() throws IOException {
        Safetensors.Entry entry = new Safetensors.Entry("large", "F32", new long[] {3, 700_001});
        Path file = directory.resolve("large.safetensors");
        Safetensors.write(file, Map.of(), List.of(entry), (e, from, values, count) -> {
            for (int i = 0; i < count; i++) {
                values[i] = (from + i) % 8_000_009;
            }
        });
        try (Safetensors.Reader reader = Safetensors.open(file)) {
            float[] read = reader.floats("large");
            for (int i = 0; i < read.length; i += 999) {
                assertThat(read[i]).isEqualTo(i);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1.0, 0x3F80",
        "1.00390625, 0x3F80", // halfway between 1 and 1.0078125: to the even one, below
        "1.01171875, 0x3F82", // halfway, the even one is above
        "1.00390637, 0x3F81", // just over half
        "-2.5, 0xC020",
        "3.4028235e38, 0x7F80", // rounds to infinity
        "Infinity, 0x7F80",
        "NaN, 0x7FC0",
        "0.0, 0x0000"
    })
    void bfloat16IsRoundedToNearestEven(float value, String bits) {
        assertThat(Safetensors.floatToBfloat16(value)).isEqualTo((short) (int) Integer.decode(bits));
    }

    @ParameterizedTest
    @CsvSource({
        "0x3C00, 1.0",
        "0xC100, -2.5",
        "0x7BFF, 65504.0",
        "0x0001, 5.9604645E-8",
        "0x8000, -0.0",
        "0x7C00, Infinity",
        "0xFC00, -Infinity",
        "0x7E00, NaN"
    })
    void float16IsRead(String bits, float value) {
        assertThat(Safetensors.halfToFloat((short) (int) Integer.decode(bits)))
                .isEqualTo(Float.valueOf(value)); // boxed, so that NaN equals NaN
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "overlaps | {'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[2],'data_offsets':[4,12]}} | 12",
                "gap | {'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | 8",
                "cut short | {'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 7",
                "damaged | {'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 9",
                "the place | {'a':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}} | 8",
                "the place | {'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}} | 8",
                "impossible shape | {'a':{'dtype':'F32','shape':[4611686018427387904,4],'data_offsets':[0,8]}} | 8",
                "natural number | {'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | 8",
                "unknown type | {'a':{'dtype':'Q4','shape':[2],'data_offsets':[0,8]}} | 8",
                "without dtype | {'a':{'shape':[2],'data_offsets':[0,8]}} | 8",
                "Duplicate | {'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | 8",
                "JSON | {'a':{'dtype' | 0",
                "not a JSON object | [1, 2] | 0",
                "JSON | {} {} | 0",
                "__metadata__ that is not a JSON object | {'__metadata__':'pt'} | 0",
                "__metadata__ format that is not text | {'__metadata__':{'format':1}} | 0"
            })
    void aLyingHeaderIsRefused(String complaint, String header, int dataBytes) throws IOException {
        byte[] text = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        Path file = file(text.length, text, dataBytes);
        assertThatThrownBy(() -> Safetensors.open(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(complaint)
                .hasMessageContaining(file.toString());
    }

    @ParameterizedTest
    @CsvSource({"9000000000000000000", "-1", "0", "1000000"})
    void aHeaderLongerThanItsFileIsRefusedBeforeMemoryIsTaken(long length) throws IOException {
        Path file = file(length, new byte[16], 0);
        assertThatThrownBy(() -> Safetensors.open(file)).hasMessageContaining(Long.toUnsignedString(length));
    }

    @Test
    void aHeaderThatIsNotUtf8IsRefused() throws IOException {
        assertThatThrownBy(() -> Safetensors.open(file(4, new byte[] {'{', (byte) 0xFF, '}', ' '}, 0)))
                .hasMessageContaining("UTF-8");
    }

    @ParameterizedTest
    @CsvSource({"model.pt", "pytorch_model.bin", "consolidated.00.pth", "last.ckpt", "pytorch_model.bin.index.json"})
    void aPickleIsRefusedWithOneSentenceOnWhy(String name) throws IOException {
        Path file = Files.write(directory.resolve(name), new byte[] {(byte) 0x80, 2, '}', '.'});
        for (Path asked : List.of(file, directory)) {
            assertThatThrownBy(() -> Safetensors.open(asked))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(name)
                    .hasMessageContaining("a pickle, which can run code when read");
        }
    }

    @Test
    void whoeverReadsWhileAFileIsWrittenSeesTheOldOne() throws IOException {
        Path file = directory.resolve("replaced.safetensors");
        List<Safetensors.Entry> entries = List.of(new Safetensors.Entry("a", "F32", new long[] {1}));
        Safetensors.write(file, Map.of(), entries, (entry, from, values, count) -> values[0] = 1);
        Safetensors.write(file, Map.of(), entries, (entry, from, values, count) -> {
            try (Safetensors.Reader reader = Safetensors.open(file)) {
                assertThat(reader.floats("a")).containsExactly(1);
            }
            values[0] = 2;
        });
        assertThatThrownBy(() -> Safetensors.write(file, Map.of(), entries, (entry, from, values, count) -> {
                    throw new IOException("no more");
                }))
                .hasMessage("no more");
        try (Safetensors.Reader reader = Safetensors.open(file)) {
            assertThat(reader.floats("a")).containsExactly(2);
        }
        assertThat(directory).isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void aFileThatBecomesShorterWhileItIsReadIsAnErrorAndNotTheEndOfTheProcess() throws IOException {
        Path file = directory.resolve("shrinks.safetensors");
        Safetensors.Entry large = new Safetensors.Entry("large", "F32", new long[] {1 << 20});
        Safetensors.write(file, Map.of(), List.of(large), (entry, from, values, count) -> {});
        try (Safetensors.Reader reader = Safetensors.open(file);
                FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(4096);
            assertThatThrownBy(() -> reader.floats("large"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(file.toString());
        }
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        Path whole = directory.resolve("whole.safetensors");
        Safetensors.write(
                whole,
                Map.of(),
                List.of(new Safetensors.Entry("a", "F32", new long[] {3, 2})),
                (entry, from, values, count) -> Arrays.fill(values, 0, count, 1.5f));
        byte[] bytes = Files.readAllBytes(whole);
        for (int length = 0; length < bytes.length; length++) {
            Path cut = Files.write(directory.resolve("cut.safetensors"), Arrays.copyOf(bytes, length));
            assertThatThrownBy(() -> Safetensors.open(cut))
                    .as("%d of %d bytes", length, bytes.length)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aTypeThatIsNotAFloatIsRefusedWhenItIsRead() throws IOException {
        byte[] text =
                "{\"a\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}".getBytes(StandardCharsets.UTF_8);
        try (Safetensors.Reader reader = Safetensors.open(file(text.length, text, 8))) {
            assertThatThrownBy(() -> reader.floats("a")).hasMessageContaining("I64");
            assertThatThrownBy(() -> reader.floats("b")).hasMessageContaining("Tensor b is not in");
        }
    }

    private Path file(long length, byte[] header, int dataBytes) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(8 + header.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(length).put(header);
        return Files.write(directory.resolve("lie.safetensors"), bytes.array());
    }
}
