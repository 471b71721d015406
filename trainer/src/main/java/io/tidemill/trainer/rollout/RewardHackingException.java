package io.tidemill.trainer.rollout;

import java.util.List;

/** Rewards are earned in a way that nobody meant, or answers collapse. Nothing was learned from the rollouts that show it. */
public final class RewardHackingException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<String> evidence;

    RewardHackingException(String stage, long step, List<String> evidence) {
        super("Stage " + stage + " stopped before step " + step
                + ", because what is rewarded is no longer what is meant: "
                + String.join("; ", evidence) + ". Weights are those of step " + (step - 1)
                + ", and nothing was learned from these answers. Read some of them, mend the reward, hold the policy"
                + " closer to the reference, or raise the guard's limit if this is what you want");
        this.evidence = List.copyOf(evidence);
    }

    /** Each alarm with its numbers. */
    public List<String> evidence() {
        return evidence;
    }
}
