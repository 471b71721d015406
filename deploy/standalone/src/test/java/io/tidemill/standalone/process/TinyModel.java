package io.tidemill.standalone.process;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;

/** The embedded model's tokenizer under one small layer, of random weights or with three answers learned by heart. */
final class TinyModel {
    /** What the taught one is asked. */
    static final String QUESTION = "Is the mill at work?";

    private static final List<String> ANSWERS =
            List.of("The wheel turns with the tide.", "Not before the gate is open.", "Yes, and the miller sleeps.");

    private TinyModel() {}

    static Path writeTo(Path directory) throws IOException {
        Path recipe = directory.resolveSibling(directory.getFileName() + "-recipe");
        BaseModel.extractRecipeTo(recipe);
        ModelConfig full = ModelConfig.read(recipe.resolve("config.json"));
        ModelConfig tiny = new ModelConfig(
                full.vocabularySize(),
                16, // hidden
                32, // feed-forward
                1, // layers
                2, // heads
                1, // key-value heads
                8, // of a head
                256, // positions
                full.ropeTheta(),
                full.rmsNormEpsilon(),
                full.tiedEmbeddings(),
                full.initializerRange(),
                full.bosTokenId(),
                full.eosTokenIds());
        try (LanguageModel model = LanguageModel.random(tiny, 1, ComputeType.FLOAT32)) {
            model.save(directory, WeightType.FLOAT32);
        }
        for (String file : new String[] {"tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
            Files.copy(recipe.resolve(file), directory.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
        return directory;
    }

    /** One that answers {@link #QUESTION} in one of three ways, and ends its turn as the chat template does. */
    static Path writeTaughtTo(Path directory) throws IOException {
        writeTo(directory);
        try (Tokenizer tokenizer = Tokenizer.load(directory);
                LanguageModel start = LanguageModel.load(directory, ComputeType.FLOAT32);
                TrainableModel learner = TrainableModel.from(start, AdamWSettings.defaults())) {
            ChatEncoder encoder = new ChatEncoder(tokenizer, ChatTemplate.load(directory));
            int[] prompt = encoder.prompt(List.of(ChatMessage.user(QUESTION)));
            List<PromptAnswers> lesson = List.of(new PromptAnswers(
                    prompt, ANSWERS.stream().map(encoder::answer).toList()));
            for (int step = 0; step < 80; step++) {
                learner.accumulate(lesson, (which, call) -> {
                    for (int a = 0; a < ANSWERS.size(); a++) {
                        Arrays.fill(call.logProbabilitySlopes(0, a), -0.05); // each token is to be likelier
                    }
                    return 0;
                });
                learner.update(0.02);
            }
            try (LanguageModel taught = learner.snapshot(ComputeType.FLOAT32)) {
                taught.save(directory, WeightType.FLOAT32);
            }
        }
        return directory;
    }
}
