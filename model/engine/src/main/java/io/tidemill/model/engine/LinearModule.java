package io.tidemill.model.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A linear layer as transformers has it, which an adapter may be put on. Several may be one matrix of ours.
 *
 * @param name    its path in transformers, the layer's number included
 * @param rows    outputs
 * @param columns inputs
 * @param matrix  which of its layer's four matrices it is in: what goes into attention, what comes out, what goes into
 *                the feed-forward part, what comes out; 4 for the matrix before an encoder's head
 */
record LinearModule(String name, int rows, int columns, int matrix) {
    /** Of all layers, in the order of the flat tensor. */
    static List<LinearModule> of(ModelConfig config) {
        return IntStream.range(0, config.layers())
                .mapToObj(layer -> ofLayer(config, layer))
                .flatMap(List::stream)
                .toList();
    }

    static List<LinearModule> ofLayer(ModelConfig c, int layer) {
        int hidden = c.hiddenSize();
        int inner = c.intermediateSize();
        int queries = c.heads() * c.headSize();
        int keys = c.keyValueHeads() * c.headSize();
        Stream<LinearModule> modules = c.family().isGpt2()
                ? Stream.of(
                        new LinearModule("attn.c_attn", 3 * hidden, hidden, 0),
                        new LinearModule("attn.c_proj", hidden, hidden, 1),
                        new LinearModule("mlp.c_fc", inner, hidden, 2),
                        new LinearModule("mlp.c_proj", hidden, inner, 3))
                : Stream.of(
                        new LinearModule("self_attn.q_proj", queries, hidden, 0),
                        new LinearModule("self_attn.k_proj", keys, hidden, 0),
                        new LinearModule("self_attn.v_proj", keys, hidden, 0),
                        new LinearModule("self_attn.o_proj", hidden, queries, 1),
                        new LinearModule("mlp.gate_proj", inner, hidden, 2),
                        new LinearModule("mlp.up_proj", inner, hidden, 2),
                        new LinearModule("mlp.down_proj", hidden, inner, 3));
        String prefix = c.family().tensorPrefix() + (c.family().isGpt2() ? "h." : "layers.") + layer + ".";
        return modules.map(m -> new LinearModule(prefix + m.name, m.rows, m.columns, m.matrix))
                .toList();
    }

    /** Of all layers of an encoder and the one before its head, in the order of the flat tensor. */
    static List<LinearModule> of(EncoderConfig c) {
        List<LinearModule> modules = new ArrayList<>();
        int hidden = c.hiddenSize();
        for (int layer = 0; layer < c.layers(); layer++) {
            String prefix = "bert.encoder.layer." + layer + ".";
            for (String one : List.of("query", "key", "value")) {
                modules.add(new LinearModule(prefix + "attention.self." + one, hidden, hidden, 0));
            }
            modules.add(new LinearModule(prefix + "attention.output.dense", hidden, hidden, 1));
            modules.add(new LinearModule(prefix + "intermediate.dense", c.intermediateSize(), hidden, 2));
            modules.add(new LinearModule(prefix + "output.dense", hidden, c.intermediateSize(), 3));
        }
        if (c.head() != EncoderConfig.Head.BARE) {
            modules.add(new LinearModule(Layout.beforeHead(c), hidden, hidden, 4));
        }
        return modules;
    }

    /** Whether PEFT means this module: by its path or the end of it. */
    boolean isCalled(String target) {
        return name.equals(target) || name.endsWith("." + target);
    }

    /** The last part of its path. */
    String shortName() {
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
