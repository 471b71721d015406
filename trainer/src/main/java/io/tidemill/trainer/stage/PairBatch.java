package io.tidemill.trainer.stage;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.objective.Figures;
import io.tidemill.trainer.objective.JudgedPair;
import io.tidemill.trainer.objective.PairObjective;
import java.util.List;
import java.util.stream.IntStream;

/**
 * One step over pairs.
 *
 * @param texts  prompt, chosen and rejected answer of each pair
 * @param judged what is known of each beside its tokens
 */
public record PairBatch(
        List<String> exampleIds, List<PromptAnswers> texts, List<JudgedPair> judged, PairObjective objective)
        implements StepBatch<DecoderLearner> {
    public PairBatch {
        exampleIds = List.copyOf(exampleIds);
        texts = List.copyOf(texts);
        judged = List.copyOf(judged);
        if (texts.isEmpty() || texts.size() != judged.size() || texts.size() != exampleIds.size()) {
            throw new IllegalArgumentException("A step needs pairs with an id and a judgement each, but has "
                    + texts.size() + ", " + exampleIds.size() + " and " + judged.size());
        }
    }

    @Override
    public Outcome accumulate(DecoderLearner learner, CallSize size) {
        double weight = judged.stream().mapToDouble(JudgedPair::weight).sum();
        if (!(weight > 0)) {
            throw new IllegalArgumentException(
                    "All " + judged.size() + " pairs of the step weigh 0, the first is " + exampleIds.get(0));
        }
        Figures figures = new Figures();
        double loss = learner.accumulate(
                texts,
                size.pairs(),
                (which, call) -> objective.evaluate(
                        call, IntStream.of(which).mapToObj(judged::get).toList(), weight, figures));
        return new Outcome(loss, figures.means());
    }

    @Override
    public List<StepBatch<DecoderLearner>> parts() {
        return IntStream.range(0, texts.size())
                .filter(index -> judged.get(index).weight() > 0)
                .<StepBatch<DecoderLearner>>mapToObj(index -> new PairBatch(
                        List.of(exampleIds.get(index)),
                        List.of(texts.get(index)),
                        List.of(judged.get(index)),
                        objective))
                .toList();
    }

    @Override
    public int longest() {
        return Longest.of(texts);
    }

    @Override
    public long tokens() {
        return texts.stream().mapToLong(PromptAnswers::answerTokens).sum();
    }
}
