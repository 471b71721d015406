package io.tidemill.trainer.rollout;

import io.tidemill.trainer.objective.Figures;
import io.tidemill.trainer.reward.Repetition;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * What a harvest looks like from outside.
 *
 * @param answers          how many there are
 * @param rewardMean       of all answers
 * @param rewardVariance   of all answers, divided by their number
 * @param heldOutMean      the same of the reward that is not trained on; NaN where there is none
 * @param kl               Σ (log π − log ref) of an answer, mean over answers; nats an answer; NaN without a reference
 * @param klOfToken        k3 estimate of the divergence, mean over tokens; nats a token, not negative; NaN without a reference
 * @param length           tokens of an answer, mean
 * @param repeated         share of answers that are another one over again
 * @param repetition       share of 3-grams that their answer has said before, mean over answers
 * @param all              everything that is logged, by name
 */
record HarvestFigures(
        int answers,
        double rewardMean,
        double rewardVariance,
        double heldOutMean,
        double heldOutVariance,
        double kl,
        double klOfToken,
        double length,
        double repeated,
        double repetition,
        Map<String, Double> all) {
    private static final int N_GRAM = 3;

    static HarvestFigures of(Harvest harvest) {
        List<Rollout> rollouts = harvest.rollouts();
        List<RolledAnswer> answers =
                rollouts.stream().flatMap(rollout -> rollout.answers().stream()).toList();
        int n = answers.size();
        double reward = mean(answers, RolledAnswer::reward);
        double rewardVariance = mean(answers, answer -> square(answer.reward() - reward));
        boolean checked =
                n > 0 && answers.stream().allMatch(answer -> answer.heldOut().isPresent());
        double heldOut = checked ? mean(answers, answer -> answer.heldOut().getAsDouble()) : Double.NaN;
        double heldOutVariance =
                checked ? mean(answers, answer -> square(answer.heldOut().getAsDouble() - heldOut)) : Double.NaN;
        boolean referred = n > 0 && answers.stream().allMatch(answer -> answer.reference().length > 0);
        double kl = referred ? mean(answers, HarvestFigures::divergence) : Double.NaN;
        double klOfToken = referred ? divergenceOfToken(answers) : Double.NaN;
        double length = mean(answers, answer -> answer.tokens().length);
        Set<List<Integer>> distinct = answers.stream()
                .map(answer -> Arrays.stream(answer.tokens()).boxed().toList())
                .collect(Collectors.toCollection(HashSet::new));
        double repeated = n == 0 ? 0 : 1 - distinct.size() / (double) n;
        double repetition = mean(answers, answer -> Repetition.ofTokens(answer.tokens(), N_GRAM));

        Map<String, Double> all = new TreeMap<>();
        all.put("reward", reward);
        all.put("reward_std", Math.sqrt(rewardVariance));
        all.put("answer_tokens", length);
        all.put("truncated_share", mean(answers, answer -> answer.truncated() ? 1 : 0));
        all.put("repeated_share", repeated);
        all.put("repetition", repetition);
        all.put("groups", (double) rollouts.size());
        all.put("groups_asked", (double) harvest.asked());
        all.put("groups_dropped", (double) harvest.dropped());
        all.put(
                "groups_without_signal_share",
                rollouts.isEmpty()
                        ? 0
                        : rollouts.stream()
                                        .filter(rollout -> !rollout.differs())
                                        .count()
                                / (double) rollouts.size());
        all.put("sampling_difference", mean(answers, HarvestFigures::difference));
        all.put("sampling_ratio", mean(answers, HarvestFigures::ratio));
        if (referred) {
            all.put("kl", kl);
            all.put("kl_per_token", klOfToken);
        }
        if (checked) {
            all.put("held_out_reward", heldOut);
        }
        all.putAll(parts(answers));
        return new HarvestFigures(
                n, reward, rewardVariance, heldOut, heldOutVariance, kl, klOfToken, length, repeated, repetition, all);
    }

    /** Mean of each part over the answers on which it had an opinion. */
    private static Map<String, Double> parts(List<RolledAnswer> answers) {
        Figures parts = new Figures();
        answers.forEach(
                answer -> answer.judgement().parts().forEach((name, value) -> parts.add("reward/" + name, value)));
        return parts.means();
    }

    private static double mean(List<RolledAnswer> answers, ToDoubleFunction<RolledAnswer> value) {
        return answers.stream().mapToDouble(value).average().orElse(0);
    }

    private static double square(double x) {
        return x * x;
    }

    /** Schulman's k1, summed over an answer. */
    private static double divergence(RolledAnswer answer) {
        double sum = 0;
        for (int t = 0; t < answer.tokens().length; t++) {
            sum += answer.sampled()[t] - answer.reference()[t];
        }
        return sum;
    }

    /** Schulman's k3, http://joschu.net/blog/kl-approx.html: r − 1 − log r with r = ref/π. */
    private static double divergenceOfToken(List<RolledAnswer> answers) {
        double sum = 0;
        long tokens = 0;
        for (RolledAnswer answer : answers) {
            for (int t = 0; t < answer.tokens().length; t++) {
                double logRatio = answer.reference()[t] - answer.sampled()[t];
                sum += Math.expm1(logRatio) - logRatio;
                tokens++;
            }
        }
        return sum / tokens;
    }

    /** Mean absolute difference of generation's and training's log-probabilities; nats. */
    private static double difference(RolledAnswer answer) {
        double sum = 0;
        for (int t = 0; t < answer.tokens().length; t++) {
            sum += Math.abs(answer.sampled()[t] - answer.generated()[t]);
        }
        return sum / answer.tokens().length;
    }

    /** Mean of training's probability over generation's. */
    private static double ratio(RolledAnswer answer) {
        double sum = 0;
        for (int t = 0; t < answer.tokens().length; t++) {
            sum += Math.exp(answer.sampled()[t] - answer.generated()[t]);
        }
        return sum / answer.tokens().length;
    }
}
