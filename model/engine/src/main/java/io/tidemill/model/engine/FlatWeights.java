package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A flat float32 tensor, read and written in slices, because a Java buffer ends at 2^31 − 1 bytes. */
final class FlatWeights {
    static final int SLICE = 1 << 18; // elements

    private final TorchProgram program;
    private final NDArray flat;
    private ByteBuffer staging; // reused: direct memory is given back only when the collector comes by

    FlatWeights(TorchProgram program, NDArray flat) {
        this.program = program;
        this.flat = flat;
    }

    static NDArray zeros(PtNDManager owner, long length) {
        return TorchProgram.zeros(owner, length);
    }

    /** These weights in the type of the matrix products: themselves, or a copy. */
    TorchProgram.Opaque operands(PtNDManager owner, ComputeType type) {
        try (PtNDManager step = TorchProgram.open()) {
            NDArray narrow = step.create(type == ComputeType.BFLOAT16);
            return program.make(owner, "operands", flat, narrow);
        }
    }

    NDArray array() {
        return flat;
    }

    void write(long at, float[] values, int count) {
        if (staging == null || staging.capacity() < 4 * count) {
            staging = ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder());
        }
        staging.clear().asFloatBuffer().put(values, 0, count);
        try (PtNDManager step = TorchProgram.open()) {
            NDArray part = step.create(staging.limit(4 * count), new Shape(count), DataType.FLOAT32); // a view of it
            program.infer(step, "write", flat, part, at);
        }
    }

    void read(long at, float[] into, int count) {
        try (PtNDManager step = TorchProgram.open()) {
            NDArray part = program.infer(step, "part", flat, at, count).get(0);
            System.arraycopy(part.toFloatArray(), 0, into, 0, count);
        }
    }

    /** All elements of a range, slice by slice. */
    void read(long at, long length, Safetensors.Chunk sink) throws IOException {
        float[] values = new float[(int) Math.min(SLICE, length)];
        for (long from = 0; from < length; from += values.length) {
            int count = (int) Math.min(values.length, length - from);
            read(at + from, values, count);
            sink.accept(from, values, count);
        }
    }

    /** All elements as they lie in memory, slice by slice, without a copy where that is the processor's. */
    void readRaw(Safetensors.Sink sink) throws IOException {
        long length = flat.size();
        for (long from = 0; from < length; from += SLICE) {
            try (PtNDManager step = TorchProgram.open()) {
                long count = Math.min(SLICE, length - from);
                sink.take(program.infer(step, "part", flat, from, count).get(0).toByteBuffer(true));
            }
        }
    }

    void copyFrom(FlatWeights other, long from, long to, long count) {
        try (PtNDManager step = TorchProgram.open()) {
            NDArray part = program.infer(step, "part", other.flat, from, count).get(0);
            program.infer(step, "write", flat, part, to);
        }
    }

    void copyFrom(FlatWeights other) {
        try (PtNDManager step = TorchProgram.open()) {
            program.infer(step, "write", flat, other.flat, 0L);
        }
    }
}
