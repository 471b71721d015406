package io.tidemill.trainer.round;

import io.tidemill.trainer.reward.Rewards;
import io.tidemill.trainer.rollout.Algorithms;
import io.tidemill.trainer.rollout.RewardGuard;
import io.tidemill.trainer.rollout.RolloutSettings;
import io.tidemill.trainer.stage.OptimizerSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Learning from answers that the model gives itself to the prompts of a round.
 *
 * @param algorithm      one of {@link Algorithms#names()}, or {@link #OFF}
 * @param parameters     of it, by name; its own defaults for the rest
 * @param rewards        each a kind with its parameters: docs/rewards.md; a reward model without a directory is the round's
 * @param heldOutRewards what is not learned from: the guard's second opinion; may be empty
 * @param prompts        answered before a step
 * @param answers        to each prompt
 * @param miniBatches    steps that one pass over the answers makes
 * @param passes         over the answers
 * @param refills        how often prompts from whose answers nothing can be learned are replaced
 * @param dropEqual      whether groups of equal rewards are such
 * @param epochs         how often each prompt is asked
 * @param maxTokens      of an answer
 * @param atOnce         answers that are written together
 * @param guard          what the guard does, and how far it lets things go
 */
public record RolloutStageSettings(
        OptimizerSettings optimizer,
        String algorithm,
        Map<String, String> parameters,
        List<Map<String, String>> rewards,
        List<Map<String, String>> heldOutRewards,
        int prompts,
        int answers,
        int miniBatches,
        int passes,
        int refills,
        boolean dropEqual,
        int epochs,
        int maxTokens,
        int atOnce,
        RewardGuard guard) {
    /** Prompts are left alone. */
    public static final String OFF = "none";

    private static final String MODEL = "model";

    public RolloutStageSettings {
        parameters = Map.copyOf(parameters);
        rewards = List.copyOf(rewards);
        heldOutRewards = List.copyOf(heldOutRewards);
        if (epochs < 1 || maxTokens < 1) {
            throw new IllegalArgumentException(
                    "epochs and max-tokens must be at least 1, but were " + epochs + " and " + maxTokens);
        }
        if (!algorithm.equals(OFF)) {
            Algorithms.of(algorithm, parameters, maxTokens, maxTokens + 1); // refuses what it does not know
            if (rewards.isEmpty()) {
                throw new IllegalArgumentException("Rollouts by " + algorithm
                        + " need a reward, but none is set. Set trainer.rewards.<name>.kind: docs/rewards.md");
            }
            check(rewards);
            check(heldOutRewards);
        }
    }

    /** Refuses what cannot be made; what must be loaded is looked at when a round begins. */
    private static void check(List<Map<String, String>> rewards) {
        List<Map<String, String>> light =
                rewards.stream().filter(one -> !MODEL.equals(one.get("kind"))).toList();
        if (light.stream().anyMatch(one -> !"total".equals(one.get("kind")))) {
            Rewards.of(light).close();
        }
    }

    boolean learns() {
        return !algorithm.equals(OFF);
    }

    /** Whether a critic learns beside the policy. */
    boolean needsCritic() {
        return learns()
                && Algorithms.of(algorithm, parameters, maxTokens, maxTokens + 1)
                        .needs()
                        .values();
    }

    RolloutSettings of(int available) {
        int asked = Math.min(prompts, Math.max(1, available));
        int parts = Math.min(miniBatches, asked);
        RolloutSettings one =
                new RolloutSettings(asked, answers, parts, passes, parts * passes - 1, refills, dropEqual, 1);
        return new RolloutSettings(
                asked,
                answers,
                parts,
                passes,
                parts * passes - 1,
                refills,
                dropEqual,
                RolloutSettings.stepsOf(available, epochs, asked, one.stepsOfHarvest()));
    }

    /**
     * What judges.
     *
     * @param rewardModel the round's, for rewards of a model that name no directory
     */
    static Rewards open(List<Map<String, String>> rewards, Optional<Path> rewardModel) {
        List<Map<String, String>> named = new ArrayList<>();
        for (Map<String, String> one : rewards) {
            Map<String, String> whole = new HashMap<>(one);
            if (MODEL.equals(one.get("kind")) && !one.containsKey("directory")) {
                whole.put(
                        "directory",
                        rewardModel
                                .orElseThrow(
                                        () -> new IllegalStateException("A reward of kind model names no directory,"
                                                + " but the round has no reward model. Set its directory, or"
                                                + " trainer.reward-model.enabled=true and wait for pairs"))
                                .toString());
            }
            named.add(whole);
        }
        return Rewards.of(named);
    }
}
