package io.tidemill.model.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** {@link TinyBert} as TensorFlow would write it: a sorted table of entries, and their bytes. */
final class TinyCheckpoint {
    private static final int RESTART = 4; // entries that share prefixes

    final byte[] index;
    final byte[] data;

    private TinyCheckpoint(byte[] index, byte[] data) {
        this.index = index;
        this.data = data;
    }

    /** @param prefix before all names, such as {@code module/} */
    static TinyCheckpoint of(String prefix, boolean pooler, boolean masked) {
        TreeMap<String, byte[]> entries = new TreeMap<>();
        entries.put("", new TinyBert.Message().number(1, 1).build());
        List<byte[]> data = new ArrayList<>();
        long[] at = {0};
        TinyBert.shapes(pooler, masked).forEach((name, shape) -> {
            boolean linear = TinyBert.isLinear(name);
            byte[] bytes = TinyBert.bytes(name, shape, linear);
            long[] stored = linear ? new long[] {shape[1], shape[0]} : shape;
            entries.put(prefix + name(name), entry(1, stored, at[0], bytes));
            data.add(bytes);
            at[0] += bytes.length;
        });
        byte[] step = new byte[8];
        entries.put("global_step", entry(9, new long[0], at[0], step));
        data.add(step);
        return new TinyCheckpoint(table(entries), TinyBert.join(data));
    }

    /** What BERT's code calls a tensor, written down a second time, in another way. */
    private static String name(String name) {
        String[] parts = name.replace("encoder.layer.", "encoder.layer_")
                .replace("cls.predictions.bias", "cls.predictions.output_bias")
                .split("\\.");
        String last = parts[parts.length - 1];
        String before = parts.length > 1 ? parts[parts.length - 2] : "";
        if (before.equals("LayerNorm")) {
            parts[parts.length - 1] = last.equals("weight") ? "gamma" : "beta";
        } else if (before.endsWith("_embeddings")) {
            parts = Arrays.copyOf(parts, parts.length - 1);
        } else if (last.equals("weight")) {
            parts[parts.length - 1] = "kernel";
        }
        return String.join("/", parts);
    }

    private static byte[] entry(int type, long[] shape, long at, byte[] bytes) {
        TinyBert.Message sizes = new TinyBert.Message();
        for (long size : shape) {
            sizes.message(2, new TinyBert.Message().number(1, size));
        }
        TinyBert.Message entry = new TinyBert.Message().number(1, type).message(2, sizes);
        if (at > 0) {
            entry.number(4, at);
        }
        return entry.number(5, bytes.length)
                .fixed32(6, SortedTable.mask(SortedTable.crc(ByteBuffer.wrap(bytes))))
                .build();
    }

    private static byte[] table(TreeMap<String, byte[]> entries) {
        List<byte[]> file = new ArrayList<>();
        TreeMap<String, byte[]> index = new TreeMap<>();
        int at = 0;
        TreeMap<String, byte[]> block = new TreeMap<>();
        for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
            block.put(entry.getKey(), entry.getValue());
            if (block.size() == 20 || entry.equals(entries.lastEntry())) {
                byte[] bytes = sealed(block(block));
                index.put(block.lastKey(), handle(at, bytes.length - 5));
                file.add(bytes);
                at += bytes.length;
                block.clear();
            }
        }
        byte[] meta = sealed(block(new TreeMap<>()));
        byte[] blocks = sealed(block(index));
        file.add(meta);
        file.add(blocks);
        ByteBuffer footer = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
        footer.put(handle(at, meta.length - 5)).put(handle(at + meta.length, blocks.length - 5));
        footer.putLong(40, 0xDB4775248B80FB57L);
        file.add(footer.array());
        return TinyBert.join(file);
    }

    private static byte[] handle(long at, long bytes) {
        return TinyBert.join(List.of(TinyBert.varint(at), TinyBert.varint(bytes)));
    }

    private static byte[] block(TreeMap<String, byte[]> entries) {
        List<byte[]> parts = new ArrayList<>();
        List<Integer> restarts = new ArrayList<>(List.of(0));
        byte[] before = new byte[0];
        int at = 0;
        int count = 0;
        for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
            byte[] key = entry.getKey().getBytes(StandardCharsets.ISO_8859_1);
            int shared = Math.max(0, Arrays.mismatch(before, key));
            if (count++ % RESTART == 0 && at > 0) {
                shared = 0;
                restarts.add(at);
            }
            byte[] part = TinyBert.join(List.of(
                    TinyBert.varint(shared),
                    TinyBert.varint(key.length - shared),
                    TinyBert.varint(entry.getValue().length),
                    Arrays.copyOfRange(key, shared, key.length),
                    entry.getValue()));
            parts.add(part);
            at += part.length;
            before = key;
        }
        ByteBuffer end = ByteBuffer.allocate(4 * restarts.size() + 4).order(ByteOrder.LITTLE_ENDIAN);
        restarts.forEach(end::putInt);
        parts.add(end.putInt(restarts.size()).array());
        return TinyBert.join(parts);
    }

    private static byte[] sealed(byte[] block) {
        ByteBuffer sealed = ByteBuffer.allocate(block.length + 5).order(ByteOrder.LITTLE_ENDIAN);
        sealed.put(block).put((byte) 0);
        return sealed.putInt(SortedTable.mask(SortedTable.crc(ByteBuffer.wrap(sealed.array(), 0, block.length + 1))))
                .array();
    }

    void write(Path directory) throws IOException {
        Files.write(directory.resolve("variables.index"), index);
        Files.write(directory.resolve("variables.data-00000-of-00001"), data);
        Files.write(directory.resolve("vocab.txt"), TinyBert.TOKENS);
        Files.writeString(directory.resolve("bert_config.json"), "{\"num_attention_heads\": 2}");
    }
}
