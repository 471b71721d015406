package io.tidemill.model.hub;

import java.io.IOException;
import java.util.Arrays;

/** A float32 tensor in a file of another format. Its bytes lie in that file: that has been checked. */
interface StoredTensor {
    String name();

    long[] shape();

    /** Reads the elements from {@code from} on, row by row. */
    void read(long from, float[] into, int count) throws IOException;

    /** Number of elements; eight times as many bytes have a number, too. */
    default long length() {
        long length = 1;
        for (long size : shape()) {
            if (size != 0 && length > Long.MAX_VALUE / 8 / size) {
                throw new IllegalArgumentException(
                        "Tensor " + name() + " has the impossible shape " + Arrays.toString(shape()));
            }
            length *= size;
        }
        return length;
    }

    default void requireShape(long... wanted) {
        if (!Arrays.equals(shape(), wanted)) {
            throw new IllegalArgumentException("Tensor " + name() + " must have shape " + Arrays.toString(wanted)
                    + ", but has " + Arrays.toString(shape()));
        }
    }
}
