package io.tidemill.trainer.reward;

import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What a reward model says of the conversation with the answer in it, rendered by the reward model's own template and
 * tokenizer.
 */
final class ModelReward implements Reward {
    /** Gives one score for each text, at its last token. */
    @FunctionalInterface
    interface Scores {
        double[] of(List<int[]> texts);
    }

    private final ChatEncoder encoder;
    private final Scores scores;
    private final int longest;
    private final List<AutoCloseable> owned;

    /**
     * @param longest tokens that the model reads at most
     * @param owned   closed with it, in this order
     */
    ModelReward(ChatEncoder encoder, Scores scores, int longest, List<AutoCloseable> owned) {
        this.encoder = encoder;
        this.scores = scores;
        this.longest = longest;
        this.owned = List.copyOf(owned);
    }

    @Override
    public List<OptionalDouble> judge(List<GivenAnswer> answers) {
        double[] given = scores.of(answers.stream().map(this::text).toList());
        List<OptionalDouble> result = new ArrayList<>();
        for (double score : given) {
            result.add(OptionalDouble.of(score));
        }
        return result;
    }

    private int[] text(GivenAnswer answer) {
        if (answer.prompt().isEmpty()) {
            throw new RewardException("Prompt " + answer.promptId()
                    + " is plain text, but a reward model judges conversations. Give the prompt as messages");
        }
        List<ChatMessage> messages = new ArrayList<>(answer.prompt());
        messages.add(ChatMessage.assistant(answer.text()));
        int[] ids = encoder.conversation(messages).ids();
        if (ids.length > longest) {
            throw new RewardException("Prompt " + answer.promptId() + " with its answer has " + ids.length
                    + " tokens for the reward model, which reads " + longest
                    + ". Ask for shorter answers or leave long prompts out");
        }
        return ids;
    }

    @Override
    public void close() {
        for (AutoCloseable each : owned) {
            try {
                each.close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException("A reward model could not be closed: " + e.getMessage(), e);
            }
        }
    }
}
