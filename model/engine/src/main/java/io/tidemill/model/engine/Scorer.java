package io.tidemill.model.engine;

import ai.djl.ndarray.NDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** What a decoder says to given texts, with or without an adapter. Holds nothing: all belongs to others. */
record Scorer(
        ModelConfig config,
        TorchProgram program,
        FlatWeights master,
        TorchProgram.Opaque compute,
        Optional<FlatWeights> adapter) {
    /** Tokens that one scoring call holds at most, padding included, unless one sequence alone is longer. */
    static final int SCORED_AT_ONCE = 4096;

    /** What the model expects after each token: {@code [T][V]}. */
    float[][] logits(int[] sequence) {
        Batches.check(config, sequence);
        try (PtNDManager step = TorchProgram.open()) {
            int[][] positions = {IntStream.range(0, sequence.length).toArray()};
            NDArray logits = program.infer(
                            step,
                            "logits",
                            master.array(),
                            compute,
                            adapter(step),
                            Batches.tensor(step, new int[][] {sequence}),
                            Batches.tensor(step, positions))
                    .get(0);
            float[] flat = logits.toFloatArray();
            int vocabulary = config.vocabularySize();
            return IntStream.range(0, sequence.length)
                    .mapToObj(t -> Arrays.copyOfRange(flat, t * vocabulary, (t + 1) * vocabulary))
                    .toArray(float[][]::new);
        }
    }

    /**
     * For each sequence of n tokens n − 1 values: log p(token i + 1 | tokens up to i), in nats. Sequences of similar
     * length share a call; memory stays bounded however many there are.
     *
     * @throws IllegalArgumentException if a sequence is empty, longer than {@code maxPositions}, or has an unknown id
     */
    List<float[]> logProbabilities(List<int[]> sequences) {
        return logProbabilities(sequences, SCORED_AT_ONCE);
    }

    /** @param atOnce tokens that a call holds at most, padding included, unless one sequence alone is longer */
    List<float[]> logProbabilities(List<int[]> sequences, int atOnce) {
        sequences.forEach(sequence -> Batches.check(config, sequence));
        List<float[]> results = new ArrayList<>(Collections.nCopies(sequences.size(), new float[0]));
        int[] order = IntStream.range(0, sequences.size())
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> -sequences.get(i).length))
                .mapToInt(Integer::intValue)
                .filter(i -> sequences.get(i).length > 1)
                .toArray();
        for (int at = 0; at < order.length; ) {
            int length = sequences.get(order[at]).length - 1;
            int rows = Math.min(order.length - at, Math.max(1, atOnce / length));
            score(sequences, Arrays.copyOfRange(order, at, at + rows), length, results);
            at += rows;
        }
        return results;
    }

    /** Rows padded behind to {@code length}: causal attention never sees what comes later. */
    private void score(List<int[]> sequences, int[] chosen, int length, List<float[]> results) {
        int[][] ids = new int[chosen.length][length];
        int[][] targets = new int[chosen.length][length];
        int[][] positions = new int[chosen.length][length];
        for (int row = 0; row < chosen.length; row++) {
            int[] sequence = sequences.get(chosen[row]);
            Arrays.fill(targets[row], PackedBatch.IGNORED);
            for (int t = 0; t + 1 < sequence.length; t++) {
                ids[row][t] = sequence[t];
                targets[row][t] = sequence[t + 1];
                positions[row][t] = t;
            }
        }
        try (PtNDManager step = TorchProgram.open()) {
            float[] flat = program.infer(
                            step,
                            "log_probabilities",
                            master.array(),
                            compute,
                            adapter(step),
                            Batches.tensor(step, ids),
                            Batches.tensor(step, positions),
                            Batches.none(step),
                            Batches.tensor(step, targets))
                    .get(0)
                    .toFloatArray();
            int at = 0;
            for (int index : chosen) {
                int count = sequences.get(index).length - 1;
                results.set(index, Arrays.copyOfRange(flat, at, at + count));
                at += count;
            }
        }
    }

    /**
     * Log-probabilities of the answers' tokens, {@code [text][answer][token]}, nats.
     *
     * @param atOnce tokens that a call holds at most, padding included, unless one text alone is longer
     */
    double[][][] logProbabilitiesOfAnswers(List<PromptAnswers> texts, PrefixRows.Form form, int atOnce) {
        double[][][] results = new double[texts.size()][][];
        for (PrefixRows rows : PrefixRows.plan(texts, config, form, atOnce, Integer.MAX_VALUE)) {
            try (PtNDManager step = TorchProgram.open()) {
                List<Object> arguments = new ArrayList<>(List.of(master.array(), compute, adapter(step)));
                arguments.addAll(rows.inputs(step));
                double[][][] found = rows.logProbabilities(program.infer(step, "answers", arguments.toArray())
                        .get(0)
                        .toFloatArray());
                for (int f = 0; f < found.length; f++) {
                    results[rows.which()[f]] = found[f];
                }
            }
        }
        return results;
    }

    private NDArray adapter(PtNDManager step) {
        return adapter.map(FlatWeights::array).orElseGet(() -> Batches.none(step));
    }
}
