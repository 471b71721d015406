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
        config.head().requireSpeech();
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
        config.head().requireSpeech();
        sequences.forEach(sequence -> Batches.check(config, sequence));
        List<float[]> results = new ArrayList<>(Collections.nCopies(sequences.size(), new float[0]));
        int[] order =
                longestFirst(sequences).filter(i -> sequences.get(i).length > 1).toArray();
        for (int at = 0; at < order.length; ) {
            int length = sequences.get(order[at]).length - 1;
            int rows = Math.min(order.length - at, Math.max(1, atOnce / length));
            score(sequences, Arrays.copyOfRange(order, at, at + rows), length, results);
            at += rows;
        }
        return results;
    }

    private static IntStream longestFirst(List<int[]> sequences) {
        return IntStream.range(0, sequences.size())
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> -sequences.get(i).length))
                .mapToInt(Integer::intValue);
    }

    /** As {@link LanguageModel#scores}. */
    List<float[]> scores(List<int[]> texts) {
        config.head().requireScores();
        texts.forEach(text -> Batches.check(config, text));
        List<float[]> results = new ArrayList<>(Collections.nCopies(texts.size(), new float[0]));
        int[] order = longestFirst(texts).toArray();
        for (int at = 0; at < order.length; ) {
            int length = texts.get(order[at]).length;
            int rows = Math.min(order.length - at, Math.max(1, SCORED_AT_ONCE / length));
            scores(texts, Arrays.copyOfRange(order, at, at + rows), length, results);
            at += rows;
        }
        return results;
    }

    private void scores(List<int[]> texts, int[] chosen, int length, List<float[]> results) {
        int[][] ids = new int[chosen.length][];
        int[][] positions = new int[chosen.length][];
        long[] marks = new long[chosen.length];
        for (int row = 0; row < chosen.length; row++) {
            int[] text = texts.get(chosen[row]);
            ids[row] = Arrays.copyOf(text, length);
            positions[row] = IntStream.range(0, length).toArray();
            marks[row] =
                    (long) row * length + Math.max(0, lastOf(text, config.head().padTokenId()));
        }
        try (PtNDManager step = TorchProgram.open()) {
            NDArray[] inputs = {
                Batches.tensor(step, ids), Batches.tensor(step, positions), Batches.none(step), step.create(marks)
            };
            float[] flat = scores(step, List.of(inputs));
            int count = config.head().scores();
            for (int row = 0; row < chosen.length; row++) {
                results.set(chosen[row], Arrays.copyOfRange(flat, row * count, (row + 1) * count));
            }
        }
    }

    /** Index of the last token that is no padding; −1 where all is. Transformers then scores the first. */
    static int lastOf(int[] text, int padTokenId) {
        int last = text.length - 1;
        while (last >= 0 && text[last] == padTokenId) {
            last--;
        }
        return last;
    }

    private float[] scores(PtNDManager step, List<NDArray> inputs) {
        List<Object> arguments = new ArrayList<>(List.of(master.array(), compute, adapter(step)));
        arguments.addAll(inputs);
        return program.infer(step, "scores_at", arguments.toArray()).get(0).toFloatArray();
    }

    /** As {@link DecoderLearner#values}. */
    double[][][] values(List<PromptAnswers> texts, PrefixRows.Form form, int atOnce) {
        config.head().requireScores();
        double[][][] results = new double[texts.size()][][];
        for (PrefixRows rows : PrefixRows.plan(texts, config, true, form, atOnce, Integer.MAX_VALUE)) {
            try (PtNDManager step = TorchProgram.open()) {
                List<NDArray> inputs = new ArrayList<>(rows.inputs(step));
                inputs.add(rows.marks(step));
                rows.spread(rows.values(scores(step, inputs)), results);
            }
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
        config.head().requireSpeech();
        double[][][] results = new double[texts.size()][][];
        for (PrefixRows rows : PrefixRows.plan(texts, config, false, form, atOnce, Integer.MAX_VALUE)) {
            try (PtNDManager step = TorchProgram.open()) {
                List<Object> arguments = new ArrayList<>(List.of(master.array(), compute, adapter(step)));
                arguments.addAll(rows.inputs(step));
                arguments.addAll(rows.targets(step));
                float[] found = program.infer(step, "answers", arguments.toArray())
                        .get(0)
                        .toFloatArray();
                rows.spread(rows.logProbabilities(found), results);
            }
        }
        return results;
    }

    private NDArray adapter(PtNDManager step) {
        return adapter.map(FlatWeights::array).orElseGet(() -> Batches.none(step));
    }
}
