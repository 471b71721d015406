package io.tidemill.model.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tensors of a BERT of 12 tokens, 8 wide, 2 layers of 2 heads, 16 between, 10 positions. Each number is decided by
 * its tensor's Hugging Face name and its place [out, in] there, so that a test knows what must arrive.
 */
final class TinyBert {
    static final int VOCABULARY = 12;
    static final int HIDDEN = 8;
    static final int BETWEEN = 16;
    static final int LAYERS = 2;
    static final List<String> TOKENS =
            List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "tide", "##s", "turn", "mill", "é", "𝄞");

    private TinyBert() {}

    /** Shapes by Hugging Face name. */
    static Map<String, long[]> shapes(boolean pooler, boolean masked) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put("bert.embeddings.word_embeddings.weight", new long[] {VOCABULARY, HIDDEN});
        shapes.put("bert.embeddings.position_embeddings.weight", new long[] {10, HIDDEN});
        shapes.put("bert.embeddings.token_type_embeddings.weight", new long[] {2, HIDDEN});
        norm(shapes, "bert.embeddings.LayerNorm");
        for (int layer = 0; layer < LAYERS; layer++) {
            String prefix = "bert.encoder.layer." + layer + ".";
            for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
                linear(shapes, prefix + "attention." + part, HIDDEN, HIDDEN);
            }
            norm(shapes, prefix + "attention.output.LayerNorm");
            linear(shapes, prefix + "intermediate.dense", BETWEEN, HIDDEN);
            linear(shapes, prefix + "output.dense", HIDDEN, BETWEEN);
            norm(shapes, prefix + "output.LayerNorm");
        }
        if (pooler) {
            linear(shapes, "bert.pooler.dense", HIDDEN, HIDDEN);
        }
        if (masked) {
            linear(shapes, "cls.predictions.transform.dense", HIDDEN, HIDDEN);
            norm(shapes, "cls.predictions.transform.LayerNorm");
            shapes.put("cls.predictions.bias", new long[] {VOCABULARY});
        }
        return shapes;
    }

    private static void linear(Map<String, long[]> shapes, String name, long out, long in) {
        shapes.put(name + ".weight", new long[] {out, in});
        shapes.put(name + ".bias", new long[] {out});
    }

    private static void norm(Map<String, long[]> shapes, String name) {
        shapes.put(name + ".weight", new long[] {HIDDEN});
        shapes.put(name + ".bias", new long[] {HIDDEN});
    }

    static boolean isLinear(String name) {
        return name.endsWith(".weight") && !name.contains("mbeddings") && !name.contains("LayerNorm");
    }

    /** Row by row, as Hugging Face stores it. */
    static float[] values(String name, long[] shape) {
        int rows = (int) shape[0];
        int columns = shape.length == 1 ? 1 : (int) shape[1];
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (Math.floorMod(name.hashCode(), 97) - 48) / 100f + i / 1000f;
        }
        return values;
    }

    /** Little-endian float32, row by row, or turned to [in, out]. */
    static byte[] bytes(String name, long[] shape, boolean turned) {
        float[] values = values(name, shape);
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        int rows = (int) shape[0];
        int columns = values.length / rows;
        for (int i = 0; i < values.length; i++) {
            bytes.putFloat(turned ? values[i % rows * columns + i / rows] : values[i]);
        }
        return bytes.array();
    }

    static JsonNode tokenizer() throws IOException {
        return new ObjectMapper()
                .readTree(WordPieceFiles.tokenizer(WordPieceFiles.ids("vocab.txt", TOKENS), true)
                        .replace("\"truncation\" : null", "\"truncation\" : {\"max_length\": 128}")
                        .replace("\"padding\" : null", "\"padding\" : {\"strategy\": {\"Fixed\": 128}}"));
    }

    // ---- protobuf ---------------------------------------------------------------------------------------------------

    /** A protobuf message that grows. */
    static final class Message {
        private final List<byte[]> parts = new ArrayList<>();

        Message number(int field, long value) {
            return raw(varint((long) field << 3)).raw(varint(value));
        }

        Message bytes(int field, byte[] value) {
            return raw(varint((long) field << 3 | 2)).raw(varint(value.length)).raw(value);
        }

        Message text(int field, String value) {
            return bytes(field, value.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return bytes(field, value.build());
        }

        Message fixed32(int field, int value) {
            return raw(varint((long) field << 3 | 5))
                    .raw(ByteBuffer.allocate(4)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putInt(value)
                            .array());
        }

        private Message raw(byte[] bytes) {
            parts.add(bytes);
            return this;
        }

        byte[] build() {
            return join(parts);
        }
    }

    static byte[] join(List<byte[]> parts) {
        ByteBuffer all =
                ByteBuffer.allocate(parts.stream().mapToInt(part -> part.length).sum());
        parts.forEach(all::put);
        return all.array();
    }

    static byte[] varint(long value) {
        ByteBuffer bytes = ByteBuffer.allocate(10);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes.put((byte) (rest | 0x80));
            rest >>>= 7;
        }
        bytes.put((byte) rest);
        return java.util.Arrays.copyOf(bytes.array(), bytes.position());
    }
}
