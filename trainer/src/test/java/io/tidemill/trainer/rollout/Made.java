package io.tidemill.trainer.rollout;

import io.tidemill.model.engine.FinishReason;
import io.tidemill.trainer.reward.Judgement;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/** Rollouts made by hand. */
final class Made {
    private Made() {}

    static RolloutPrompt prompt(String id) {
        return new RolloutPrompt(id, List.of(), Map.of(), new int[] {1, 2});
    }

    /** An answer of which training, generation and reference say the same. */
    static RolledAnswer answer(double reward, int... tokens) {
        double[] half = new double[tokens.length];
        Arrays.fill(half, Math.log(0.5));
        return answer(reward, OptionalDouble.empty(), half, half, half, tokens);
    }

    static RolledAnswer answer(
            double reward,
            OptionalDouble heldOut,
            double[] generated,
            double[] sampled,
            double[] reference,
            int... tokens) {
        return new RolledAnswer(
                tokens,
                generated,
                sampled,
                reference,
                new double[0],
                FinishReason.STOP,
                new Judgement(reward, Map.of("rule", reward)),
                heldOut);
    }

    static Rollout rollout(String id, RolledAnswer... answers) {
        return new Rollout(prompt(id), 0, List.of(answers));
    }

    static Harvest harvest(Rollout... rollouts) {
        return new Harvest(
                1, new Harvest.Origin("settings", "weights"), Map.of(), rollouts.length, 0, List.of(rollouts));
    }
}
