package io.tidemill.trainer.round;

import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.MaskedText;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.trainer.gate.EncoderScoring;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * Asks an encoder about texts of similar length together.
 *
 * @param tokens of a call, padding included, unless one text alone has more
 */
record EncoderScorer(EncoderScoring model, int tokens) implements EncoderScoring {
    @Override
    public double[] maskedLosses(List<MaskedText> texts) {
        double[] losses = new double[texts.size()];
        inCalls(texts, text -> text.input().ids().length, some -> {
            double[] found = model.maskedLosses(some.stream().map(texts::get).toList());
            IntStream.range(0, found.length).forEach(i -> losses[some.get(i)] = found[i]);
        });
        return losses;
    }

    @Override
    public float[][] labelLogits(List<EncoderInput> inputs) {
        float[][] logits = new float[inputs.size()][];
        inCalls(inputs, input -> input.ids().length, some -> {
            float[][] found = model.labelLogits(some.stream().map(inputs::get).toList());
            IntStream.range(0, found.length).forEach(i -> logits[some.get(i)] = found[i]);
        });
        return logits;
    }

    private <T> void inCalls(List<T> texts, ToIntFunction<T> length, Consumer<List<Integer>> call) {
        List<Integer> longestFirst = IntStream.range(0, texts.size())
                .boxed()
                .sorted(Comparator.comparingInt((Integer i) -> length.applyAsInt(texts.get(i)))
                        .reversed())
                .toList();
        for (int from = 0; from < longestFirst.size(); ) {
            int longest = length.applyAsInt(texts.get(longestFirst.get(from)));
            int to = Math.min(longestFirst.size(), from + Math.max(1, tokens / longest));
            try {
                call.accept(new ArrayList<>(longestFirst.subList(from, to)));
            } catch (NativeMemoryException e) {
                throw new MicroBatchException(MicroBatch.Part.GATE, longest, "The gate: " + e.getMessage(), e);
            }
            from = to;
        }
    }
}
