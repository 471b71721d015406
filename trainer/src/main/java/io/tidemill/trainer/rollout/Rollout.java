package io.tidemill.trainer.rollout;

import java.util.List;

/**
 * The answers to one prompt, a group.
 *
 * @param epoch how often the prompt was asked before, from 0
 */
public record Rollout(RolloutPrompt prompt, long epoch, List<RolledAnswer> answers) {
    public Rollout {
        answers = List.copyOf(answers);
    }

    /** Whether some answer was better than another. */
    boolean differs() {
        return answers.stream().mapToDouble(RolledAnswer::reward).distinct().count() > 1;
    }
}
