package io.tidemill.model.hub;

import io.tidemill.model.hub.TinyBert.Message;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;

/** {@link TinyBert} as an exporter would write it: Linear weights without a name, turned; heads and epsilon in the graph. */
final class TinyOnnx {
    private TinyOnnx() {}

    static byte[] of(boolean pooler) {
        Message graph = new Message();
        graph.message(1, node("Constant", "two", Map.of()).message(5, value(tensor("", 7, wholes(2), 1))));
        graph.message(1, node("Constant", "four", Map.of()).message(5, value(tensor("", 7, wholes(4), 1))));
        graph.message(1, node("Constant", "epsilon", Map.of()).message(5, value(tensor("", 1, floats(1e-12f)))));
        graph.message(1, node("Constant", "rank", Map.of()).message(5, value(tensor("", 7, wholes(1)))));
        int[] anonymous = {100};
        TinyBert.shapes(pooler, false).forEach((full, shape) -> {
            String name = full.substring("bert.".length());
            boolean turned = TinyBert.isLinear(name) && !name.startsWith("pooler");
            String stored = turned ? "onnx::MatMul_" + anonymous[0]++ : name;
            long[] sizes = turned ? new long[] {shape[1], shape[0]} : shape;
            graph.message(5, tensor(stored, 1, TinyBert.bytes(full, shape, turned), sizes));
            if (turned) {
                String linear = name.substring(0, name.length() - ".weight".length());
                graph.message(1, node("MatMul", linear + "/product", Map.of(1, "x"), stored));
                boolean biasFirst = linear.contains("attention.self"); // both orders happen
                graph.message(
                        1,
                        biasFirst
                                ? node("Add", linear + "/sum", Map.of(), linear + ".bias", linear + "/product")
                                : node("Add", linear + "/sum", Map.of(), linear + "/product", linear + ".bias"));
                if (linear.endsWith("self.key")) {
                    graph.message(
                            1, node("Concat", linear + "/shape", Map.of(), "computed", "computed", "two", "four"));
                    graph.message(1, node("Reshape", linear + "/heads", Map.of(), linear + "/sum", linear + "/shape"));
                }
                if (linear.endsWith("intermediate.dense")) {
                    graph.message(1, node("Erf", linear + "/erf", Map.of(), linear + "/sum"));
                }
            }
            if (name.endsWith("LayerNorm.weight")) {
                graph.message(1, node("Add", name + "/variance", Map.of(), name + "/mean", "epsilon"));
                graph.message(1, node("Sqrt", name + "/root", Map.of(), name + "/variance"));
            }
        });
        graph.text(2, "tiny").message(11, new Message().text(1, "input_ids"));
        return new Message().number(1, 8).text(2, "test").message(7, graph).build();
    }

    private static Message node(String operator, String output, Map<Integer, String> first, String... inputs) {
        Message node = new Message();
        first.values().forEach(input -> node.text(1, input));
        for (String input : inputs) {
            node.text(1, input);
        }
        return node.text(2, output).text(3, output + "/node").text(4, operator);
    }

    private static Message value(Message tensor) {
        return new Message().text(1, "value").message(5, tensor).number(20, 4);
    }

    private static Message tensor(String name, int type, byte[] raw, long... shape) {
        Message tensor = new Message();
        for (long size : shape) {
            tensor.number(1, size);
        }
        return tensor.number(2, type).text(8, name).bytes(9, raw);
    }

    private static byte[] wholes(long value) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array();
    }

    private static byte[] floats(float value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(value)
                .array();
    }
}
