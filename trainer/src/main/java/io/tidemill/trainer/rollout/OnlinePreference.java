package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.objective.Figures;
import io.tidemill.trainer.objective.JudgedPair;
import io.tidemill.trainer.objective.PairObjective;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.StepBatch;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Online direct preference optimisation: of the answers to a prompt the best and the worst are a pair, and any objective over
 * pairs learns from it. A prompt whose answers are all worth the same is left out.
 *
 * <p>Source: Guo et al., "Direct Language Model Alignment from Online AI Feedback" (2024), arXiv:2402.04792, algorithm 1.
 * Differs: judged by rewards and not by a language model; more than two answers are possible.
 */
public record OnlinePreference(PairObjective objective) implements RolloutLearning {
    public OnlinePreference {
        if (objective.learnsScores()) {
            throw new IllegalArgumentException(
                    objective.name() + " trains a reward model and no policy, so it cannot learn from rollouts");
        }
    }

    @Override
    public String name() {
        return "online-dpo";
    }

    @Override
    public Needs needs() {
        return new Needs(objective.needsReference(), false, false, 2);
    }

    @Override
    public boolean teaches(Rollout rollout) {
        return rollout.differs();
    }

    @Override
    public int together() {
        return 2;
    }

    @Override
    public Lesson lesson(Harvest harvest) {
        List<Pair> pairs = harvest.rollouts().stream().map(this::pair).toList();
        return new Lesson() {
            @Override
            public Map<String, Double> figures() {
                return Map.of();
            }

            @Override
            public StepBatch<DecoderLearner> batch(List<Integer> rollouts) {
                return new Batch(objective, rollouts.stream().map(pairs::get).toList());
            }
        };
    }

    private record Pair(String promptId, PromptAnswers text, JudgedPair judged) {}

    private Pair pair(Rollout rollout) {
        Comparator<RolledAnswer> byReward = Comparator.comparingDouble(RolledAnswer::reward);
        RolledAnswer best = rollout.answers().stream().max(byReward).orElseThrow();
        RolledAnswer worst = rollout.answers().stream().min(byReward).orElseThrow();
        boolean reference = objective.needsReference();
        return new Pair(
                rollout.prompt().promptId(),
                new PromptAnswers(rollout.prompt().tokens(), List.of(best.tokens(), worst.tokens())),
                new JudgedPair(
                        1,
                        reference ? Arrays.stream(best.reference()).sum() : 0,
                        reference ? Arrays.stream(worst.reference()).sum() : 0,
                        best.reward() - worst.reward()));
    }

    private record Batch(PairObjective objective, List<Pair> pairs) implements StepBatch<DecoderLearner> {
        @Override
        public Outcome accumulate(DecoderLearner learner, CallSize size) {
            Figures figures = new Figures();
            double loss = learner.accumulate(
                    pairs.stream().map(Pair::text).toList(),
                    size.pairs(),
                    (which, call) -> objective.evaluate(
                            call,
                            IntStream.of(which)
                                    .mapToObj(i -> pairs.get(i).judged())
                                    .toList(),
                            pairs.size(),
                            figures));
            return new Outcome(loss, figures.means());
        }

        @Override
        public long tokens() {
            return pairs.stream().mapToLong(pair -> pair.text().answerTokens()).sum();
        }

        @Override
        public int longest() {
            return pairs.stream()
                    .mapToInt(pair -> 2 * pair.text().longest())
                    .max()
                    .orElse(0);
        }

        @Override
        public List<String> exampleIds() {
            LinkedHashSet<String> ids = new LinkedHashSet<>();
            pairs.forEach(pair -> ids.add(pair.promptId()));
            return List.copyOf(ids);
        }
    }
}
