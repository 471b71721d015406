package io.tidemill.trainer.stage;

import io.tidemill.model.engine.AnswerCall;
import io.tidemill.model.engine.AnswerObjective;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.PackedBatch;
import io.tidemill.model.engine.PromptAnswers;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Says of every token of an answer what a function says, in calls of a given number of texts, and keeps the slopes. */
final class SpokenLearner implements DecoderLearner {
    private final ToDoubleFunction<PromptAnswers> logProbability;
    private final int textsOfCall;
    final List<Double> slopes = new ArrayList<>();
    final List<Integer> calls = new ArrayList<>();

    SpokenLearner(ToDoubleFunction<PromptAnswers> logProbability, int textsOfCall) {
        this.logProbability = logProbability;
        this.textsOfCall = textsOfCall;
    }

    @Override
    public double accumulate(List<PromptAnswers> texts, int textsAtOnce, AnswerObjective objective) {
        double loss = 0;
        int most = Math.min(textsAtOnce, textsOfCall);
        for (int from = 0; from < texts.size(); from += most) {
            int to = Math.min(texts.size(), from + most);
            double[][][] said = logProbabilities(texts.subList(from, to));
            AnswerCall call = new AnswerCall(said, new double[said.length][said[0].length][0]);
            loss += objective.evaluate(IntStream.range(from, to).toArray(), call);
            calls.add(to - from);
            for (int f = 0; f < call.size(); f++) {
                for (int a = 0; a < call.answers(f); a++) {
                    slopes.add(call.logProbabilitySlopes(f, a)[0]);
                }
            }
        }
        return loss;
    }

    @Override
    public double[][][] logProbabilities(List<PromptAnswers> texts) {
        return texts.stream()
                .map(text -> text.answers().stream()
                        .map(answer -> IntStream.range(0, answer.length)
                                .mapToDouble(t ->
                                        logProbability.applyAsDouble(new PromptAnswers(text.prompt(), List.of(answer))))
                                .toArray())
                        .toArray(double[][]::new))
                .toArray(double[][][]::new);
    }

    @Override
    public double[][][] values(List<PromptAnswers> texts) {
        throw new UnsupportedOperationException();
    }

    @Override
    public double accumulate(PackedBatch batch, long lossTokensOfStep) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void noiseEmbeddings(double alpha, long seed) {}

    @Override
    public double clip(double maximumNorm) {
        return 0;
    }

    @Override
    public void update(double learningRate) {}

    @Override
    public void discardGradients() {}

    @Override
    public void recomputeActivations(boolean recompute) {}

    @Override
    public String saveState(Path file) {
        return "";
    }

    @Override
    public void loadState(Path file) {}

    @Override
    public void close() {}
}
