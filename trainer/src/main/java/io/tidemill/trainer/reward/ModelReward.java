package io.tidemill.trainer.reward;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

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

    /**
     * From settings: {@code directory}, a Hugging Face directory of a decoder with a head of one score and a chat template.
     */
    static Reward of(Parameters parameters) {
        Path directory = Path.of(parameters.required("directory", "the directory of a reward model"));
        return load(directory);
    }

    private static Reward load(Path directory) {
        Tokenizer tokenizer = null;
        LanguageModel model = null;
        try {
            tokenizer = Tokenizer.load(directory);
            model = LanguageModel.load(directory, ComputeType.best());
            if (model.config().head().scores() != 1) {
                throw new IllegalArgumentException(directory + " is no reward model: it gives "
                        + model.config().head().scores()
                        + " scores instead of 1. Train one: ./tidemill train with stage: reward");
            }
            LanguageModel scores = model;
            ChatEncoder encoder = new ChatEncoder(tokenizer, ChatTemplate.load(directory));
            return new ModelReward(
                    encoder,
                    texts -> scores.scores(texts).stream()
                            .mapToDouble(score -> score[0])
                            .toArray(),
                    model.config().maxPositions(),
                    List.of(model, tokenizer));
        } catch (IOException | RuntimeException e) {
            if (model != null) {
                model.close();
            }
            if (tokenizer != null) {
                tokenizer.close();
            }
            throw new IllegalArgumentException(
                    "The reward model in " + directory + " cannot be used: " + e.getMessage(), e);
        }
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
        // As it was trained: up to the answer's end of turn, and nothing that a template writes after it.
        int[] ids = IntStream.concat(
                        IntStream.of(encoder.prompt(answer.prompt())), IntStream.of(encoder.answer(answer.text())))
                .toArray();
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
