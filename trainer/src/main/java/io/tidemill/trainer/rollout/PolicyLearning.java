package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.trainer.objective.Figures;
import io.tidemill.trainer.objective.PolicyObjective;
import io.tidemill.trainer.objective.SampledAnswer;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.StepBatch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Policy gradients: an advantage rule says how good each token was, an objective what follows for its probability.
 *
 * <p>The log-probabilities that the policy is compared with are training's own, computed with the weights that drew the
 * answers and before anything is learned from them: at the first step the ratio is 1 within the rounding of one more pass.
 * That generation may have computed others is what {@link ImportanceCorrection} is about. Answers must be drawn from the
 * policy itself: at another temperature, or with tokens cut off, they come from a distribution whose probabilities nobody
 * kept, and the gradient would be one of something else.
 *
 * @param divergenceInLoss whether the objective itself asks for the reference
 */
public record PolicyLearning(
        PolicyObjective objective,
        AdvantageRule rule,
        KlControl control,
        ImportanceCorrection correction,
        boolean divergenceInLoss)
        implements RolloutLearning {
    @Override
    public String name() {
        return objective.name();
    }

    @Override
    public Needs needs() {
        return new Needs(divergenceInLoss || rule.needsReference(), rule.needsValues(), true, rule.answers());
    }

    /** Also equal rewards teach: by their divergence, and what a critic should have said. */
    @Override
    public boolean teaches(Rollout rollout) {
        return true;
    }

    @Override
    public int together() {
        return 1;
    }

    @Override
    public Map<String, Double> after(Harvest harvest) {
        return control.after(harvest);
    }

    @Override
    public Lesson lesson(Harvest harvest) {
        double coefficient = control.coefficient(harvest.before());
        List<List<AdvantageRule.Advantages>> advantages = rule.of(harvest.rollouts(), coefficient);
        List<List<SampledAnswer>> known = new ArrayList<>();
        for (int r = 0; r < harvest.rollouts().size(); r++) {
            List<SampledAnswer> answers = new ArrayList<>();
            for (int a = 0; a < harvest.rollouts().get(r).answers().size(); a++) {
                answers.add(known(
                        harvest.rollouts().get(r).answers().get(a),
                        advantages.get(r).get(a)));
            }
            known.add(answers);
        }
        Map<String, Double> figures = rule.needsReference() ? Map.of("kl_coefficient", coefficient) : Map.of();
        return new Lesson() {
            @Override
            public Map<String, Double> figures() {
                return figures;
            }

            @Override
            public StepBatch<DecoderLearner> batch(List<Integer> rollouts) {
                return new Batch(
                        objective,
                        rollouts.stream().map(harvest.rollouts()::get).toList(),
                        rollouts.stream().map(known::get).toList());
            }
        };
    }

    private SampledAnswer known(RolledAnswer answer, AdvantageRule.Advantages given) {
        double[] weights = correction.weights(answer);
        double[] advantages = new double[weights.length];
        Arrays.setAll(advantages, t -> weights[t] * given.advantages()[t]);
        boolean critic = given.returns().length > 0;
        return new SampledAnswer(
                answer.sampled(),
                answer.reference(),
                advantages,
                critic ? Arrays.copyOf(answer.values(), answer.tokens().length) : new double[0],
                given.returns(),
                answer.truncated());
    }

    private record Batch(PolicyObjective objective, List<Rollout> rollouts, List<List<SampledAnswer>> known)
            implements StepBatch<DecoderLearner> {
        @Override
        public Outcome accumulate(DecoderLearner learner, CallSize size) {
            AnswerTexts texts = new AnswerTexts(rollouts, answersOf(size));
            PolicyObjective.Step step = PolicyObjective.Step.of(known);
            Figures figures = new Figures();
            double loss = learner.accumulate(
                    texts.texts(),
                    size.pairs(),
                    (which, call) -> objective.evaluate(
                            call,
                            IntStream.of(which)
                                    .mapToObj(i -> part(texts.cuts().get(i)))
                                    .toList(),
                            step,
                            figures));
            return new Outcome(loss, figures.means());
        }

        /** A limit on pairs is one on answers too: twice as many. */
        private static int answersOf(CallSize size) {
            return (int) Math.min(Integer.MAX_VALUE, 2L * size.pairs());
        }

        private List<SampledAnswer> part(AnswerTexts.Cut cut) {
            return known.get(cut.rollout()).subList(cut.from(), cut.to());
        }

        @Override
        public long tokens() {
            return known.stream()
                    .flatMap(List::stream)
                    .mapToLong(answer -> answer.sampled().length)
                    .sum();
        }

        @Override
        public int longest() {
            return new AnswerTexts(rollouts, 1)
                    .texts().stream().mapToInt(text -> text.longest()).max().orElse(0);
        }

        @Override
        public List<String> exampleIds() {
            LinkedHashSet<String> ids = new LinkedHashSet<>();
            rollouts.forEach(rollout -> ids.add(rollout.prompt().promptId()));
            return List.copyOf(ids);
        }
    }
}
