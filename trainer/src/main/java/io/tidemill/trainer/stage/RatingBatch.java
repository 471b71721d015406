package io.tidemill.trainer.stage;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.objective.Figures;
import io.tidemill.trainer.objective.RatedAnswer;
import io.tidemill.trainer.objective.RatingObjective;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** One step over answers that were rated one by one. */
public record RatingBatch(List<String> exampleIds, List<Rated> rated, RatingObjective objective)
        implements StepBatch<DecoderLearner> {
    /**
     * One of them.
     *
     * @param mismatched          its prompt with an answer that belongs to another; none where there is no other
     * @param mismatchedReference log-probability of that under the reference; nats
     */
    public record Rated(
            PromptAnswers text, RatedAnswer answer, List<PromptAnswers> mismatched, double mismatchedReference) {}

    public RatingBatch {
        exampleIds = List.copyOf(exampleIds);
        rated = List.copyOf(rated);
        if (rated.isEmpty() || rated.size() != exampleIds.size()) {
            throw new IllegalArgumentException(
                    "A step needs answers with an id each, but has " + rated.size() + " and " + exampleIds.size());
        }
    }

    @Override
    public Outcome accumulate(DecoderLearner learner, CallSize size) {
        double weight = rated.stream().mapToDouble(one -> one.answer().weight()).sum();
        if (!(weight > 0)) {
            throw new IllegalArgumentException(
                    "All " + rated.size() + " answers of the step weigh 0, the first is " + exampleIds.get(0));
        }
        Figures figures = new Figures();
        double divergence = divergence(learner);
        double loss = learner.accumulate(
                rated.stream().map(Rated::text).toList(),
                size.answers(),
                (which, call) -> objective.evaluate(
                        call,
                        IntStream.of(which)
                                .mapToObj(index -> rated.get(index).answer())
                                .toList(),
                        divergence,
                        weight,
                        figures));
        if (objective.needsMismatched()) {
            figures.add("kl", divergence);
        }
        return new Outcome(loss, figures.means());
    }

    /**
     * Mean of log π − log ref over the mismatched answers, not below 0: Ethayarajh et al. (2024), arXiv:2402.01306,
     * section 4.2. No gradient goes through it.
     */
    private double divergence(DecoderLearner learner) {
        List<Rated> with =
                rated.stream().filter(one -> !one.mismatched().isEmpty()).toList();
        if (!objective.needsMismatched() || with.isEmpty()) {
            return 0;
        }
        double[][][] policy = learner.logProbabilities(
                with.stream().flatMap(one -> one.mismatched().stream()).toList());
        double sum = 0;
        for (int i = 0; i < with.size(); i++) {
            sum += DoubleStream.of(policy[i][0]).sum() - with.get(i).mismatchedReference();
        }
        return Math.max(0, sum / with.size());
    }

    @Override
    public List<StepBatch<DecoderLearner>> parts() {
        return IntStream.range(0, rated.size())
                .filter(index -> rated.get(index).answer().weight() > 0)
                .<StepBatch<DecoderLearner>>mapToObj(
                        index -> new RatingBatch(List.of(exampleIds.get(index)), List.of(rated.get(index)), objective))
                .toList();
    }

    @Override
    public int longest() {
        return Longest.of(rated.stream().map(Rated::text).toList());
    }

    @Override
    public long tokens() {
        return rated.stream().mapToLong(one -> one.text().answerTokens()).sum();
    }
}
