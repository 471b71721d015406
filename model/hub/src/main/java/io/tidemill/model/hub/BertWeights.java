package io.tidemill.model.hub;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.Safetensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The tensors of a BERT by their Hugging Face names, taken from whatever calls and stores them otherwise. */
final class BertWeights {
    private static final int MOST_LAYERS = 1000;

    /** Finds what Hugging Face calls {@code name}, such as {@code bert.pooler.dense.weight}. */
    @FunctionalInterface
    interface Finder {
        Optional<Found> find(String name);
    }

    /** @param transposed stored [in, out], where Hugging Face stores [out, in] */
    record Found(StoredTensor tensor, boolean transposed) {}

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Weight(long[] shape, Found found) {}

    private final Finder finder;
    private final Map<String, Weight> weights = new LinkedHashMap<>();

    BertWeights(Finder finder) {
        this.finder = finder;
    }

    /**
     * The shape that the tensors tell.
     *
     * @param heads attention heads, which no tensor tells
     */
    EncoderConfig config(
            EncoderConfig.Head head, int heads, double layerNormEpsilon, double initializerRange, int pad) {
        long[] words = shape("bert.embeddings.word_embeddings.weight", 2);
        int layers = 0;
        while (finder.find("bert.encoder.layer." + layers + ".intermediate.dense.bias")
                .isPresent()) {
            if (++layers > MOST_LAYERS) {
                throw new IllegalArgumentException("The model has more than " + MOST_LAYERS + " layers");
            }
        }
        return new EncoderConfig(
                size("vocab_size", words[0]),
                size("hidden_size", words[1]),
                size("intermediate_size", shape("bert.encoder.layer.0.intermediate.dense.bias", 1)[0]),
                layers,
                heads,
                size("max_position_embeddings", shape("bert.embeddings.position_embeddings.weight", 2)[0]),
                size("type_vocab_size", shape("bert.embeddings.token_type_embeddings.weight", 2)[0]),
                layerNormEpsilon,
                initializerRange,
                pad,
                head,
                List.of());
    }

    private long[] shape(String name, int dimensions) {
        long[] shape = required(name).tensor().shape();
        if (shape.length != dimensions) {
            throw new IllegalArgumentException("Tensor " + name + " must have " + dimensions + " dimensions, but has "
                    + java.util.Arrays.toString(shape));
        }
        return shape;
    }

    private static int size(String field, long size) {
        if (size < 1 || size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(field + " cannot be " + size);
        }
        return (int) size;
    }

    private Found required(String name) {
        return finder.find(name)
                .orElseThrow(() -> new IllegalArgumentException(
                        "This is no BERT: what Hugging Face calls " + name + " is not there"));
    }

    /** Takes all tensors of the shape; each is there and has its shape. */
    void take(EncoderConfig c, boolean pooler) {
        long h = c.hiddenSize();
        add("bert.embeddings.word_embeddings.weight", c.vocabularySize(), h);
        add("bert.embeddings.position_embeddings.weight", c.maxPositions(), h);
        add("bert.embeddings.token_type_embeddings.weight", c.tokenTypes(), h);
        norm("bert.embeddings.LayerNorm", h);
        for (int layer = 0; layer < c.layers(); layer++) {
            String prefix = "bert.encoder.layer." + layer + ".";
            for (String part : List.of("query", "key", "value")) {
                linear(prefix + "attention.self." + part, h, h);
            }
            linear(prefix + "attention.output.dense", h, h);
            norm(prefix + "attention.output.LayerNorm", h);
            linear(prefix + "intermediate.dense", c.intermediateSize(), h);
            linear(prefix + "output.dense", h, c.intermediateSize());
            norm(prefix + "output.LayerNorm", h);
        }
        if (pooler) {
            linear("bert.pooler.dense", h, h);
        }
        if (c.head() == EncoderConfig.Head.MASKED) {
            linear("cls.predictions.transform.dense", h, h);
            norm("cls.predictions.transform.LayerNorm", h);
            add("cls.predictions.bias", c.vocabularySize());
        }
    }

    private void linear(String name, long out, long in) {
        add(name + ".weight", out, in);
        add(name + ".bias", out);
    }

    private void norm(String name, long size) {
        add(name + ".weight", size);
        add(name + ".bias", size);
    }

    private void add(String name, long... shape) {
        Found found = required(name);
        if (found.transposed() && shape[0] > Integer.MAX_VALUE / shape[1]) {
            throw new IllegalArgumentException(
                    "Tensor " + name + " is too large to be turned: " + java.util.Arrays.toString(shape));
        }
        found.tensor().requireShape(found.transposed() ? new long[] {shape[1], shape[0]} : shape);
        weights.put(name, new Weight(shape, found));
    }

    /** What has been taken, as it is called where it comes from. */
    List<StoredTensor> taken() {
        return weights.values().stream().map(weight -> weight.found().tensor()).toList();
    }

    /** Writes {@code model.safetensors}, float32. */
    void write(Path file) throws IOException {
        List<Safetensors.Entry> entries = weights.entrySet().stream()
                .map(entry -> new Safetensors.Entry(
                        entry.getKey(), "F32", entry.getValue().shape()))
                .toList();
        Safetensors.write(file, Map.of("format", "pt"), entries, new Turned()::fill);
    }

    /** Reads what lies as it should piece by piece, and the rest as a whole, to turn it. */
    private final class Turned {
        private String name = "";
        private float[] whole;

        void fill(Safetensors.Entry entry, long from, float[] values, int count) throws IOException {
            Weight weight = weights.get(entry.name());
            if (!weight.found().transposed()) {
                weight.found().tensor().read(from, values, count);
            } else {
                if (!name.equals(entry.name())) {
                    whole = turned(weight);
                    name = entry.name();
                }
                System.arraycopy(whole, Math.toIntExact(from), values, 0, count);
            }
        }

        private float[] turned(Weight weight) throws IOException {
            int out = Math.toIntExact(weight.shape()[0]);
            int in = Math.toIntExact(weight.shape()[1]);
            float[] turned = new float[Math.multiplyExact(out, in)];
            float[] row = new float[out];
            for (int i = 0; i < in; i++) {
                weight.found().tensor().read((long) i * out, row, out);
                for (int o = 0; o < out; o++) {
                    turned[o * in + i] = row[o];
                }
            }
            return turned;
        }
    }
}
