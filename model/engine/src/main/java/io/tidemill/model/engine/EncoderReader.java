package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What an encoder says of texts, with or without an adapter, whoever holds the weights.
 *
 * @param compute the weights in the type of the matrix products
 * @param adapter beside them
 */
record EncoderReader(
        EncoderConfig config,
        TorchProgram program,
        FlatWeights master,
        TorchProgram.Opaque compute,
        Optional<FlatWeights> adapter) {

    static EncoderReader of(EncoderConfig config, HeldWeights held) {
        return new EncoderReader(config, held.program(), held.master(), held.compute(), Optional.empty());
    }

    /** As {@link EncoderModel#hidden}. */
    List<float[][]> hidden(List<EncoderInput> inputs) {
        try (PtNDManager call = TorchProgram.open()) {
            EncoderBatch batch = EncoderBatch.of(config, call, inputs);
            float[][] rows = rows(ask(call, "hidden", batch), config.hiddenSize());
            List<float[][]> results = new ArrayList<>();
            for (int i = 0; i < inputs.size(); i++) {
                int from = i * batch.length();
                results.add(Arrays.copyOfRange(rows, from, from + inputs.get(i).ids().length));
            }
            return results;
        }
    }

    /** As {@link EncoderModel#maskedLogits}. */
    float[][] maskedLogits(EncoderInput input, int... places) {
        config.require(EncoderConfig.Head.MASKED);
        for (int place : places) {
            EncoderBatch.checkBelow("Place", place, input.ids().length);
        }
        try (PtNDManager call = TorchProgram.open()) {
            EncoderBatch batch = EncoderBatch.of(config, call, List.of(input));
            NDArray at = call.create(Arrays.stream(places).asLongStream().toArray());
            return rows(ask(call, "logits", batch, at), config.vocabularySize());
        }
    }

    /** As {@link EncoderModel#labelLogits}. */
    float[][] labelLogits(List<EncoderInput> inputs) {
        config.require(EncoderConfig.Head.LABELS);
        try (PtNDManager call = TorchProgram.open()) {
            EncoderBatch batch = EncoderBatch.of(config, call, inputs);
            NDArray at = call.create(batch.firstTokens(inputs.size()));
            return rows(ask(call, "logits", batch, at), config.labels().size());
        }
    }

    /** As {@link EncoderLearner#maskedLosses}. */
    double[] maskedLosses(List<MaskedText> texts) {
        MaskedPlaces places = MaskedPlaces.of(config, texts);
        double[] sums = new double[texts.size()];
        if (places.isEmpty()) {
            return sums;
        }
        try (PtNDManager call = TorchProgram.open()) {
            EncoderBatch batch = EncoderBatch.of(
                    config, call, texts.stream().map(MaskedText::input).toList());
            float[] losses = ask(call, "masked_losses", batch, call.create(places.at()), call.create(places.targets()))
                    .toFloatArray();
            for (int i = 0; i < losses.length; i++) {
                sums[(int) (places.at()[i] / batch.length())] += losses[i];
            }
            return sums;
        }
    }

    private NDArray ask(PtNDManager call, String method, EncoderBatch batch, NDArray... more) {
        List<Object> arguments = new ArrayList<>(List.of(
                master.array(),
                compute,
                adapter.map(FlatWeights::array).orElseGet(() -> Batches.none(call)),
                batch.ids(),
                batch.types(),
                batch.lengths()));
        arguments.addAll(Arrays.asList(more));
        return program.infer(call, method, arguments.toArray()).get(0);
    }

    private static float[][] rows(NDArray array, int width) {
        float[] flat = array.toFloatArray();
        return IntStream.range(0, flat.length / width)
                .mapToObj(row -> Arrays.copyOfRange(flat, row * width, (row + 1) * width))
                .toArray(float[][]::new);
    }
}
