package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.List;
import java.util.stream.LongStream;

/** Inputs as rows padded behind to the longest, in native memory. */
record EncoderBatch(NDArray ids, NDArray types, NDArray lengths, int length) {
    static EncoderBatch of(EncoderConfig config, PtNDManager step, List<EncoderInput> inputs) {
        if (inputs.isEmpty()) {
            throw new IllegalArgumentException("No input was given");
        }
        inputs.forEach(input -> check(config, input));
        int length = inputs.stream().mapToInt(input -> input.ids().length).max().orElseThrow();
        int[][] ids = new int[inputs.size()][length];
        int[][] types = new int[inputs.size()][length];
        long[] lengths = new long[inputs.size()];
        for (int row = 0; row < ids.length; row++) {
            EncoderInput input = inputs.get(row);
            lengths[row] = input.ids().length;
            System.arraycopy(input.ids(), 0, ids[row], 0, input.ids().length);
            System.arraycopy(input.types(), 0, types[row], 0, input.types().length);
        }
        return new EncoderBatch(
                Batches.tensor(step, ids),
                Batches.tensor(step, types),
                step.create(lengths, new Shape(ids.length)),
                length);
    }

    /** Where in {@code [B T]} the rows begin. */
    long[] firstTokens(int rows) {
        return LongStream.range(0, rows).map(row -> row * length).toArray();
    }

    private static void check(EncoderConfig config, EncoderInput input) {
        if (input.ids().length > config.maxPositions()) {
            throw new IllegalArgumentException("An input of " + input.ids().length
                    + " tokens is longer than the model's " + config.maxPositions() + " positions");
        }
        for (int t = 0; t < input.ids().length; t++) {
            checkBelow("Token id", input.ids()[t], config.vocabularySize());
            checkBelow("Token type", input.types()[t], config.tokenTypes());
        }
    }

    static void checkBelow(String what, int value, int limit) {
        if (value < 0 || value >= limit) {
            throw new IllegalArgumentException(what + " " + value + " is not below " + limit);
        }
    }
}
