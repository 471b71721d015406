package io.tidemill.trainer.stage;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.objective.RatedAnswer;
import io.tidemill.trainer.objective.RatingObjective;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Learns from answers that were rated one by one; remembers what its objective does. */
public final class RatingStage implements Stage<DecoderLearner> {
    /**
     * What the reference says of one rated answer, and of the answer that belongs to the next prompt; nats.
     *
     * @param mismatched 0 where the objective asks for none
     */
    public record Reference(double own, double mismatched) {}

    private final FixedStage<DecoderLearner> fixed;
    private final RatingObjective objective;

    private RatingStage(FixedStage<DecoderLearner> fixed, RatingObjective objective) {
        this.fixed = fixed;
        this.objective = objective;
    }

    /**
     * Pairs each prompt with the answer of the next one: the last with that of the first. By these a step estimates how far
     * the policy is from the reference, as TRL's KTOTrainer does within a batch.
     *
     * @param longest tokens of a prompt with an answer: another's answer is cut to that, at least to one token
     * @return empty where there are fewer than two
     */
    public static List<PromptAnswers> mismatched(List<TokenizedAnswer> answers, int longest) {
        List<PromptAnswers> texts = new ArrayList<>();
        for (int i = 0; i < answers.size() && answers.size() > 1; i++) {
            int[] prompt = answers.get(i).prompt();
            int[] other = answers.get((i + 1) % answers.size()).answer();
            int room = Math.max(1, Math.min(other.length, longest - prompt.length));
            texts.add(new PromptAnswers(prompt, List.of(Arrays.copyOf(other, room))));
        }
        return texts;
    }

    /**
     * The steps over the answers.
     *
     * @param mismatched    as {@link #mismatched}, in the same order; empty where the objective asks for none
     * @param references    one an answer, in the same order
     * @param answersOfStep answers of an optimizer step
     * @param epochs        how often each answer is seen
     */
    public static RatingStage of(
            String name,
            List<TokenizedAnswer> answers,
            List<PromptAnswers> mismatched,
            List<Reference> references,
            RatingObjective objective,
            OptimizerSettings optimizer,
            int answersOfStep,
            int epochs,
            long seed) {
        record Ready(TokenizedAnswer answer, RatingBatch.Rated rated) {}
        List<Ready> ready = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            TokenizedAnswer answer = answers.get(i);
            Reference reference = references.get(i);
            ready.add(new Ready(
                    answer,
                    new RatingBatch.Rated(
                            answer.promptAnswers(),
                            new RatedAnswer(answer.desirable(), answer.weight(), reference.own()),
                            mismatched.isEmpty() ? List.of() : List.of(mismatched.get(i)),
                            reference.mismatched())));
        }
        List<StepBatch<DecoderLearner>> steps = new ArrayList<>();
        for (int epoch = 0; epoch < epochs; epoch++) {
            List<Ready> ordered = new ExampleOrder(seed + epoch).sort(ready, one -> one.answer.exampleId());
            for (List<Ready> group : StepBatch.groups(ordered, answersOfStep)) {
                steps.add(new RatingBatch(
                        group.stream().map(one -> one.answer.exampleId()).toList(),
                        group.stream().map(Ready::rated).toList(),
                        objective));
            }
        }
        return new RatingStage(new FixedStage<>(name, optimizer, steps, answers.size()), objective);
    }

    @Override
    public Map<String, Double> memory() {
        return objective.memory();
    }

    @Override
    public void restore(Map<String, Double> memory) {
        objective.restore(memory);
    }

    @Override
    public String name() {
        return fixed.name();
    }

    @Override
    public OptimizerSettings optimizer() {
        return fixed.optimizer();
    }

    @Override
    public long steps() {
        return fixed.steps();
    }

    @Override
    public long examples() {
        return fixed.examples();
    }

    @Override
    public int longest() {
        return fixed.longest();
    }

    @Override
    public long tokens() {
        return fixed.tokens();
    }

    @Override
    public StepBatch<DecoderLearner> batch(long step, DecoderLearner learner) {
        return fixed.batch(step, learner);
    }
}
