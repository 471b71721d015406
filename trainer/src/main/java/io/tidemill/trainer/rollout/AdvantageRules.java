package io.tidemill.trainer.rollout;

import io.tidemill.trainer.objective.GeneralisedAdvantage;
import io.tidemill.trainer.objective.GlobalAdvantages;
import io.tidemill.trainer.objective.GroupAdvantages;
import io.tidemill.trainer.objective.KlPenalty;
import java.util.ArrayList;
import java.util.List;

/** The rules that algorithms go by. */
final class AdvantageRules {
    private AdvantageRules() {}

    /** PPO: generalised advantages of a critic, whitened over the harvest; the divergence is paid for token by token. */
    record OfCritic(GeneralisedAdvantage estimate, boolean needsReference) implements AdvantageRule {
        @Override
        public int answers() {
            return 1;
        }

        @Override
        public boolean needsValues() {
            return true;
        }

        @Override
        public List<List<Advantages>> of(List<Rollout> rollouts, double klCoefficient) {
            List<double[]> all = new ArrayList<>();
            List<List<Advantages>> result = new ArrayList<>();
            for (Rollout rollout : rollouts) {
                List<Advantages> answers = new ArrayList<>();
                for (RolledAnswer answer : rollout.answers()) {
                    double[] rewards =
                            KlPenalty.rewards(answer.sampled(), answer.reference(), answer.reward(), klCoefficient);
                    GeneralisedAdvantage.Estimate made = estimate.of(rewards, answer.values(), answer.truncated());
                    all.add(made.advantages());
                    answers.add(new Advantages(made.advantages(), made.returns()));
                }
                result.add(answers);
            }
            GeneralisedAdvantage.whiten(all); // in place: after the returns
            return result;
        }
    }

    /** GRPO and its kin: against the mean of the group. */
    record OfGroup(GroupAdvantages.Scale scale) implements AdvantageRule {
        @Override
        public int answers() {
            return 2;
        }

        @Override
        public boolean needsValues() {
            return false;
        }

        @Override
        public boolean needsReference() {
            return false;
        }

        @Override
        public List<List<Advantages>> of(List<Rollout> rollouts, double klCoefficient) {
            return spread(rollouts, GroupAdvantages.centred(rewards(rollouts, 0), scale));
        }
    }

    /** RLOO: against the other answers, each of which has paid for its divergence. */
    record LeaveOneOut(boolean normalises, boolean needsReference) implements AdvantageRule {
        @Override
        public int answers() {
            return 2;
        }

        @Override
        public boolean needsValues() {
            return false;
        }

        @Override
        public List<List<Advantages>> of(List<Rollout> rollouts, double klCoefficient) {
            return spread(rollouts, GroupAdvantages.leaveOneOut(rewards(rollouts, klCoefficient), normalises));
        }
    }

    /** REINFORCE++: what is still to come, against all tokens of the harvest. */
    record OfBatch(boolean needsReference) implements AdvantageRule {
        @Override
        public int answers() {
            return 1;
        }

        @Override
        public boolean needsValues() {
            return false;
        }

        @Override
        public List<List<Advantages>> of(List<Rollout> rollouts, double klCoefficient) {
            List<double[]> all = new ArrayList<>();
            for (Rollout rollout : rollouts) {
                for (RolledAnswer answer : rollout.answers()) {
                    all.add(KlPenalty.rewards(answer.sampled(), answer.reference(), answer.reward(), klCoefficient));
                }
            }
            GlobalAdvantages.of(all);
            List<List<Advantages>> result = new ArrayList<>();
            int at = 0;
            for (Rollout rollout : rollouts) {
                List<Advantages> answers = new ArrayList<>();
                for (int a = 0; a < rollout.answers().size(); a++) {
                    answers.add(new Advantages(all.get(at++), new double[0]));
                }
                result.add(answers);
            }
            return result;
        }
    }

    private static List<double[]> rewards(List<Rollout> rollouts, double klCoefficient) {
        return rollouts.stream()
                .map(rollout -> rollout.answers().stream()
                        .mapToDouble(answer -> answer.reward()
                                - klCoefficient * KlPenalty.divergence(answer.sampled(), answer.reference()))
                        .toArray())
                .toList();
    }

    private static List<List<AdvantageRule.Advantages>> spread(List<Rollout> rollouts, List<double[]> advantages) {
        List<List<AdvantageRule.Advantages>> result = new ArrayList<>();
        for (int r = 0; r < rollouts.size(); r++) {
            List<AdvantageRule.Advantages> answers = new ArrayList<>();
            for (int a = 0; a < advantages.get(r).length; a++) {
                int tokens = rollouts.get(r).answers().get(a).tokens().length;
                answers.add(AdvantageRule.Advantages.same(advantages.get(r)[a], tokens));
            }
            result.add(answers);
        }
        return result;
    }
}
