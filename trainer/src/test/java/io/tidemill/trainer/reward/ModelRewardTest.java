package io.tidemill.trainer.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.FinishReason;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.round.TinyBase;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelRewardTest {
    private static final List<ChatMessage> PROMPT = List.of(ChatMessage.user("Is it late?"));

    @TempDir
    Path directory;

    private static GivenAnswer answer(List<ChatMessage> prompt, String text) {
        return new GivenAnswer("prompt-7", prompt, Map.of(), text, new int[] {1}, FinishReason.STOP);
    }

    private Path rewardModel(int scores) {
        Path model = TinyBase.write(directory.resolve("model"));
        try (LanguageModel language = LanguageModel.load(model, ComputeType.FLOAT32);
                LanguageModel judge = language.withScores(scores, 5)) {
            judge.save(model, WeightType.FLOAT32);
        }
        return model;
    }

    @Test
    void anAnswerIsWorthTheScoreAfterItsEndOfTurnAsTheModelWasTrained() throws IOException {
        Path model = rewardModel(1);
        List<Judgement> judgements;
        try (Rewards rewards = Rewards.of(List.of(Map.of("kind", "model", "directory", model.toString())))) {
            judgements = rewards.judge(List.of(answer(PROMPT, "Yes."), answer(PROMPT, "No, not at all.")));
        }
        try (Tokenizer tokenizer = Tokenizer.load(model);
                LanguageModel judge = LanguageModel.load(model, ComputeType.best())) {
            ChatEncoder encoder = new ChatEncoder(tokenizer, ChatTemplate.load(model));
            int[] prompt = encoder.prompt(PROMPT);
            List<float[]> alone = judge.scores(
                    List.of(join(prompt, encoder.answer("Yes.")), join(prompt, encoder.answer("No, not at all."))));
            assertThat(judgements.get(0).total()).isEqualTo(alone.get(0)[0]);
            assertThat(judgements.get(1).total()).isEqualTo(alone.get(1)[0]);
        }
        assertThat(judgements.get(0).total()).isNotEqualTo(judgements.get(1).total());
        assertThat(judgements.get(0).parts()).containsOnlyKeys("model");
    }

    private static int[] join(int[] first, int[] second) {
        return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
    }

    @Test
    void whatItCannotJudgeIsNamedWithThePrompt() {
        try (Rewards rewards = Rewards.of(
                List.of(Map.of("kind", "model", "directory", rewardModel(1).toString())))) {
            assertThatThrownBy(() -> rewards.judge(List.of(answer(List.of(), "Yes."))))
                    .isInstanceOf(RewardException.class)
                    .hasMessage(
                            "Prompt prompt-7 is plain text, but a reward model judges conversations. Give the prompt as"
                                    + " messages");
            assertThatThrownBy(() -> rewards.judge(List.of(answer(PROMPT, "word ".repeat(500)))))
                    .isInstanceOf(RewardException.class)
                    .hasMessageMatching(
                            "Prompt prompt-7 with its answer has [0-9]+ tokens for the reward model, which reads"
                                    + " 256. Ask for shorter answers or leave long prompts out");
        }
    }

    @Test
    void aDirectoryThatIsNoRewardModelIsRefused() {
        Path language = TinyBase.write(directory.resolve("language"));
        assertThatThrownBy(() -> Rewards.of(List.of(Map.of("kind", "model", "directory", language.toString()))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(language + " is no reward model: it gives 0 scores instead of 1");
        Path classifier = rewardModel(3);
        assertThatThrownBy(() -> Rewards.of(List.of(Map.of("kind", "model", "directory", classifier.toString()))))
                .hasMessageContaining("it gives 3 scores instead of 1");
        assertThatThrownBy(() -> Rewards.of(List.of(Map.of("kind", "model"))))
                .hasMessage("Reward 1 (model) needs directory: the directory of a reward model");
        assertThatThrownBy(() -> Rewards.of(List.of(Map.of("kind", "model", "directory", "/nowhere/at/all"))))
                .hasMessageContaining("The reward model in /nowhere/at/all cannot be used: ");
    }
}
