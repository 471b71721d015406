package io.tidemill.feedback.answer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.BpeTrainer;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real engine on a tiny random model. */
class LanguageModelEngineTest implements AnswerEngineContract {
    private static final String CHATML = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n'"
            + " + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private static final ChatMessage GREETING = ChatMessage.user("Good morning");

    @TempDir
    Path directory;

    private AnswerEngine engine;

    @BeforeEach
    void load() throws IOException {
        tinyModel(directory);
        engine = (AnswerEngine) loader().load("tidemill-000007", directory);
    }

    @AfterEach
    void close() {
        engine.close();
    }

    @Override
    public AnswerEngine engine() {
        return engine;
    }

    @Test
    void theProbeOfTheSameWeightsAgreesInTheLoadersTolerance() throws Exception {
        float[] logits = engine.probeLogits(new int[] {3, 4, 5});
        try (LanguageModel model = LanguageModel.load(directory, ComputeType.FLOAT32)) {
            float[] expected = model.logits(new int[] {3, 4, 5})[2];
            for (int token = 0; token < expected.length; token++) {
                assertThat((double) logits[token])
                        .isCloseTo(
                                expected[token],
                                org.assertj.core.data.Offset.offset(
                                        loader().tolerance().absolute()));
            }
        }
    }

    @Test
    void aStopTextEndsTheAnswerAndIsNotPartOfIt() throws IOException {
        int[] prompt = engine.promptTokens(new Question.RawText("It was"));
        Answer whole = engine.answer(prompt, AnswerEngineContract.settings(0, 20, List.of()), piece -> true);
        String free = whole.text();
        assertThat(free.length()).isGreaterThan(3);
        String stop = free.substring(2, 4);
        Answer stopped = engine.answer(prompt, AnswerEngineContract.settings(0, 20, List.of(stop)), piece -> true);
        assertThat(stopped.text()).isEqualTo(free.substring(0, free.indexOf(stop)));
        assertThat(stopped.finish()).isEqualTo(Answer.Finish.STOP);
        assertThat(stopped.end()).isEmpty(); // the model did not end it
        // The tokens are those of the shown text alone, so that text and tokens tell the same story.
        assertThat(stopped.tokens().length).isEqualTo(stopped.logProbabilities().length);
        assertThat(Arrays.copyOf(whole.tokens(), stopped.tokens().length)).isEqualTo(stopped.tokens());
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            assertThat(stopped.text()).startsWith(tokenizer.decode(stopped.tokens()));
        }
    }

    /** A round looks for just this match, and takes the logged log-probabilities for the reference's where it finds it. */
    @Test
    void anAnswerThatEndsItselfIsLearnedTokenForTokenAsItWasDrawn() throws IOException {
        teachToEnd(directory);
        PromptAnswers[] learned = new PromptAnswers[8];
        Answer[] answers = new Answer[learned.length];
        try (AnswerEngine taught = (AnswerEngine) loader().load("tidemill-000008", directory);
                Tokenizer tokenizer = Tokenizer.load(directory);
                LanguageModel model = LanguageModel.load(directory, ComputeType.FLOAT32)) {
            ChatEncoder encoder = new ChatEncoder(tokenizer, ChatTemplate.load(directory));
            int[] prompt = taught.promptTokens(new Question.Chat(List.of(GREETING)));
            for (int seed = 0; seed < answers.length; seed++) {
                AnswerSettings settings = new AnswerSettings(0.7, 0.9, 0, 0, 1.1, 30, seed, List.of());
                answers[seed] = taught.answer(prompt, settings, piece -> true);
                learned[seed] = new PromptAnswers(prompt, List.of(encoder.answer(answers[seed].text())));
            }
            double[][][] scored = model.answerLogProbabilities(List.of(learned), LanguageModel.SCORED_AT_ONCE);
            for (int i = 0; i < answers.length; i++) {
                Answer.End end = answers[i].end().orElseThrow();
                int drawn = answers[i].tokens().length;
                int[] expected = Arrays.copyOf(answers[i].tokens(), drawn + 1);
                expected[drawn] = end.token();
                assertThat(learned[i].answers().get(0)).isEqualTo(expected);
                float[] logged = Arrays.copyOf(answers[i].logProbabilities(), drawn + 1);
                logged[drawn] = end.logProbability();
                for (int t = 0; t <= drawn; t++) {
                    assertThat((double) logged[t]).isCloseTo(scored[i][0][t], within(1e-4));
                }
            }
        }
    }

    @Test
    void anIdThatTheTokenizerDoesNotHaveAddsNothingToTheText(@TempDir Path other) throws IOException {
        int spare = 2_000;
        tinyModel(other, spare); // as Qwen's, whose vocabulary is rounded up; here most ids spell nothing
        List<Piece> pieces = new ArrayList<>();
        try (AnswerEngine rounded = (AnswerEngine) loader().load("tidemill-000009", other);
                Tokenizer tokenizer = Tokenizer.load(other)) {
            int[] prompt = rounded.promptTokens(new Question.RawText("It was"));
            Answer answer = rounded.answer(prompt, AnswerEngineContract.settings(1, 40, List.of()), piece -> {
                pieces.add(piece);
                return true;
            });
            int[] spelt = Arrays.stream(answer.tokens())
                    .filter(token -> token < tokenizer.vocabularySize())
                    .toArray();
            assertThat(spelt.length).isPositive().isLessThan(answer.tokens().length);
            assertThat(answer.text()).isEqualTo(tokenizer.decode(spelt));
            assertThat(pieces)
                    .filteredOn(piece -> piece.token() >= tokenizer.vocabularySize())
                    .isNotEmpty()
                    .allSatisfy(piece -> assertThat(piece.bytes()).isEmpty());
        }
    }

    @Test
    void aModelWithoutATemplateContinuesTextButDoesNotChat() throws IOException {
        Files.deleteIfExists(directory.resolve("chat_template.jinja"));
        Path config = directory.resolve("tokenizer_config.json");
        var json = (com.fasterxml.jackson.databind.node.ObjectNode)
                new com.fasterxml.jackson.databind.ObjectMapper().readTree(config.toFile());
        json.remove("chat_template");
        Files.writeString(config, json.toString());
        try (AnswerEngine plain = (AnswerEngine) loader().load("tidemill-000008", directory)) {
            assertThat(plain.promptTokens(new Question.RawText("It was"))).isNotEmpty();
            Question chat = new Question.Chat(List.of(ChatMessage.user("hi")));
            assertThatThrownBy(() -> plain.promptTokens(chat))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("no chat template");
        }
    }

    private static ModelLoader loader() {
        return new ModelLoader(ComputeType.FLOAT32, 4, 1);
    }

    /** Makes the tiny model answer {@link #GREETING} with one of three sentences, and end its turn. */
    private static void teachToEnd(Path directory) throws IOException {
        try (Tokenizer tokenizer = Tokenizer.load(directory);
                LanguageModel start = LanguageModel.load(directory, ComputeType.FLOAT32);
                TrainableModel learner = TrainableModel.from(start, AdamWSettings.defaults())) {
            ChatEncoder encoder = new ChatEncoder(tokenizer, ChatTemplate.load(directory));
            List<int[]> replies = Stream.of("Good morning.", "It was the best of times.", "It was the worst of times.")
                    .map(encoder::answer)
                    .toList();
            PromptAnswers lesson = new PromptAnswers(encoder.prompt(List.of(GREETING)), replies);
            for (int step = 0; step < 150; step++) {
                learner.accumulate(List.of(lesson), (which, call) -> {
                    for (int a = 0; a < replies.size(); a++) {
                        Arrays.fill(call.logProbabilitySlopes(0, a), -0.1);
                    }
                    return 0;
                });
                learner.update(0.01);
            }
            try (LanguageModel taught = learner.snapshot(ComputeType.FLOAT32)) {
                taught.save(directory, WeightType.FLOAT32);
            }
        }
    }

    /** Two layers of 16 elements over a vocabulary of a few hundred; its answers are noise, token by token. */
    static void tinyModel(Path directory) throws IOException {
        tinyModel(directory, 0);
    }

    /** @param spare ids that the model has and its tokenizer has not */
    private static void tinyModel(Path directory, int spare) throws IOException {
        BpeTrainer trainer = new BpeTrainer(300, List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>"));
        trainer.add("It was the best of times, it was the worst of times. Good morning, once upon a time.");
        trainer.train().write(directory, "<|endoftext|>", CHATML, 64);
        int vocabulary;
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            vocabulary = tokenizer.vocabularySize() + spare;
        }
        ModelConfig config =
                new ModelConfig(vocabulary, 16, 32, 2, 2, 1, 8, 64, 10_000, 1e-5, true, 0.4, -1, List.of(0));
        try (LanguageModel model = LanguageModel.random(config, 3, ComputeType.FLOAT32)) {
            model.save(directory, WeightType.FLOAT32);
        }
    }
}
