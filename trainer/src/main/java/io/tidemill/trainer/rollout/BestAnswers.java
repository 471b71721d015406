package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.trainer.data.PackedExamples;
import io.tidemill.trainer.data.Packer;
import io.tidemill.trainer.data.TrainingSequence;
import io.tidemill.trainer.stage.StepBatch;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * Rejection sampling: the best answer to each prompt, if it is good enough, is learned as if a person had written it.
 *
 * <p>Source: Touvron et al., "Llama 2" (2023), arXiv:2307.09288, section 3.2.3; Dong et al., "RAFT" (2023),
 * arXiv:2304.06767.
 *
 * @param threshold a best answer that is worth less is not learned; empty learns every best answer
 * @param rows      of a packed micro-batch
 * @param length    positions of a row, or of the longest answer with its prompt where that is longer
 */
public record BestAnswers(OptionalDouble threshold, int rows, int length) implements RolloutLearning {
    @Override
    public String name() {
        return "rejection-sampling";
    }

    @Override
    public Needs needs() {
        return new Needs(false, false, false, 1);
    }

    @Override
    public boolean teaches(Rollout rollout) {
        return threshold.isEmpty() || best(rollout).reward() >= threshold.getAsDouble();
    }

    private static RolledAnswer best(Rollout rollout) {
        return rollout.answers().stream()
                .max(Comparator.comparingDouble(RolledAnswer::reward))
                .orElseThrow();
    }

    @Override
    public int together() {
        return 1;
    }

    @Override
    public Lesson lesson(Harvest harvest) {
        double mean = harvest.rollouts().stream()
                .mapToDouble(rollout -> best(rollout).reward())
                .average()
                .orElse(0);
        return new Lesson() {
            @Override
            public Map<String, Double> figures() {
                return Map.of("best_reward", mean);
            }

            @Override
            public StepBatch<DecoderLearner> batch(List<Integer> rollouts) {
                List<TrainingSequence> best = rollouts.stream()
                        .map(r -> sequence(harvest.rollouts().get(r)))
                        .toList();
                int longest = best.stream()
                        .mapToInt(one -> one.ids().length - 1)
                        .max()
                        .orElse(1);
                // A sequence longer than a row would be cut, and its answer lose its prompt.
                List<PackedExamples> packed =
                        new Packer(rows, Math.max(length, longest), Packer.Policy.WHOLE).packWithOrigins(best);
                return new StepBatch.Sequences(
                        packed,
                        packed.stream()
                                .mapToLong(one -> one.batch().lossTokens())
                                .sum());
            }
        };
    }

    private static TrainingSequence sequence(Rollout rollout) {
        int[] prompt = rollout.prompt().tokens();
        int[] answer = best(rollout).tokens();
        boolean[] learned = new boolean[prompt.length + answer.length];
        Arrays.fill(learned, prompt.length, learned.length, true);
        return new TrainingSequence(
                rollout.prompt().promptId(),
                IntStream.concat(IntStream.of(prompt), IntStream.of(answer)).toArray(),
                learned,
                1);
    }
}
