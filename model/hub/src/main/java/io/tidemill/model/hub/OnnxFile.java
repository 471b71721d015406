package io.tidemill.model.hub;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The nodes and constants of an ONNX file, read from the mapped file: of the message only the fields that an import needs.
 *
 * <p>Source: github.com/onnx/onnx, onnx/onnx.proto (ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto).
 */
final class OnnxFile implements Closeable {
    private static final int FLOAT = 1; // TensorProto.DataType
    private static final int INT64 = 7;
    private static final int MOST_NODES = 200_000;
    private static final int MOST_NAMES = 64; // inputs and outputs of a node
    private static final int MOST_DIMENSIONS = 8;

    private final String name;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> tensors = new HashMap<>();
    private final Map<String, Node> producers = new HashMap<>();

    private OnnxFile(String name) {
        this.name = name;
    }

    /** @param constant the tensor of a node that is one, or null */
    record Node(
            String operator, List<String> inputs, List<String> outputs, Tensor constant, Map<String, Float> numbers) {}

    static OnnxFile open(Path path) throws IOException {
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            if (file.size() > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        path + " has " + file.size() + " bytes; an ONNX file ends before 2 GB");
            }
            return read(path.toString(), file.map(FileChannel.MapMode.READ_ONLY, 0, file.size()));
        }
    }

    static OnnxFile read(String name, ByteBuffer bytes) {
        OnnxFile file = new OnnxFile(name);
        WireReader in = new WireReader(name, bytes);
        int graphs = 0;
        while (in.next()) {
            if (in.field() == 7) {
                graphs++;
                file.graph(in.message());
            }
        }
        if (graphs != 1) {
            throw new IllegalArgumentException(name + " is no ONNX file: it has " + graphs + " graphs instead of one");
        }
        return file;
    }

    private void graph(WireReader in) {
        while (in.next()) {
            if (in.field() == 1) {
                node(in.message());
            } else if (in.field() == 5) {
                Tensor tensor = tensor(in.message());
                if (tensors.put(tensor.name(), tensor) != null) {
                    throw in.damaged("has two tensors " + Names.shown(tensor.name()));
                }
            }
            if (nodes.size() > MOST_NODES || tensors.size() > MOST_NODES) {
                throw in.damaged("has more than " + MOST_NODES + " nodes or tensors");
            }
        }
    }

    private void node(WireReader in) {
        List<String> inputs = new ArrayList<>(4);
        List<String> outputs = new ArrayList<>(1);
        String operator = "";
        Tensor constant = null;
        Map<String, Float> numbers = new HashMap<>(1);
        while (in.next()) {
            switch (in.field()) {
                case 1 -> inputs.add(in.text());
                case 2 -> outputs.add(in.text());
                case 4 -> operator = in.text();
                case 5 -> {
                    Tensor found = attribute(in.message(), numbers);
                    constant = found == null ? constant : found;
                }
                default -> {}
            }
            if (inputs.size() > MOST_NAMES || outputs.size() > MOST_NAMES || numbers.size() > MOST_NAMES) {
                throw in.damaged("has a node of more than " + MOST_NAMES + " inputs, outputs or attributes");
            }
        }
        Node node = new Node(operator, inputs, outputs, constant, numbers);
        nodes.add(node);
        for (String output : outputs) {
            if (producers.put(output, node) != null) {
                throw in.damaged("has two nodes that make " + Names.shown(output));
            }
        }
    }

    private Tensor attribute(WireReader in, Map<String, Float> numbers) {
        String attribute = "";
        Float number = null;
        Tensor tensor = null;
        while (in.next()) {
            switch (in.field()) {
                case 1 -> attribute = in.text();
                case 2 -> number = Float.intBitsToFloat(in.fixed32());
                case 3 -> number = (float) in.number();
                case 5 -> tensor = tensor(in.message());
                default -> {}
            }
        }
        if (number != null) {
            numbers.put(attribute, number);
        }
        return attribute.equals("value") ? tensor : null;
    }

    private Tensor tensor(WireReader in) {
        List<Long> shape = new ArrayList<>(2);
        long type = 0;
        String tensor = "";
        ByteBuffer raw = null;
        ByteBuffer floats = null;
        boolean outside = false;
        while (in.next()) {
            switch (in.field()) {
                case 1 ->
                    in.numbers(size -> {
                        if (size < 0 || shape.size() == MOST_DIMENSIONS) {
                            throw in.damaged("has a shape that begins " + shape + " and goes on with " + size);
                        }
                        shape.add(size);
                    });
                case 2 -> type = in.number();
                case 4 ->
                    floats = in.isBytes() ? in.bytes() : floats; // packed; unpacked ones are not written by anyone
                case 8 -> tensor = in.text();
                case 9 -> raw = in.bytes();
                case 13 -> outside = true;
                default -> {}
            }
        }
        long[] sizes = shape.stream().mapToLong(l -> l).toArray();
        return new Tensor(tensor, type, sizes, raw == null ? floats : raw, outside);
    }

    List<Node> nodes() {
        return nodes;
    }

    Optional<Node> producer(String value) {
        return Optional.ofNullable(producers.get(value));
    }

    /** A constant: an initializer, or what a Constant node makes. */
    Optional<Tensor> constant(String value) {
        Tensor initializer = tensors.get(value);
        return Optional.ofNullable(initializer).or(() -> producer(value).map(Node::constant));
    }

    Map<String, Tensor> initializers() {
        return tensors;
    }

    String name() {
        return name;
    }

    /** The mapping ends with the last reference to it. */
    @Override
    public void close() {
        nodes.clear();
        producers.clear();
        tensors.clear();
    }

    /**
     * @param type    ONNX's number of the element type
     * @param data    the elements, little-endian, where they lie in the file; null if there are none
     * @param outside whether they are in another file
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Tensor(String name, long type, long[] shape, ByteBuffer data, boolean outside) implements StoredTensor {

        /** Type and size are right. */
        void verify() {
            if (outside) {
                throw new IllegalArgumentException(
                        "Tensor " + name + " lies in another file, which is not read; save the model in one file");
            }
            if (type != FLOAT) {
                throw new IllegalArgumentException(
                        "Tensor " + name + " has ONNX's type " + type + "; only float32, type 1, is read");
            }
            sized(4);
        }

        private void sized(int width) {
            long wanted = width * length();
            int bytes = data == null ? 0 : data.remaining();
            if (wanted != bytes) {
                throw new IllegalArgumentException("Tensor " + name + " has " + bytes + " bytes, but its shape "
                        + java.util.Arrays.toString(shape) + " needs " + wanted);
            }
        }

        @Override
        public void read(long from, float[] into, int count) {
            data.slice(Math.toIntExact(4 * from), 4 * count)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(into, 0, count);
        }

        /** The elements of a small int64 tensor. */
        long[] wholes() {
            if (type != INT64 || outside) {
                throw new IllegalArgumentException("Constant " + name + " has ONNX's type " + type + " instead of 7");
            }
            sized(8);
            long[] all = new long[data == null ? 0 : data.remaining() / 8];
            if (data != null) {
                data.duplicate().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(all);
            }
            return all;
        }

        /** The only element of a float32 tensor. */
        float scalar() {
            verify();
            if (length() != 1) {
                throw new IllegalArgumentException("Constant " + name + " has " + length() + " elements instead of 1");
            }
            float[] one = new float[1];
            read(0, one, 1);
            return one[0];
        }
    }
}
