package io.tidemill.trainer.pretrain;

import io.tidemill.model.base.BaseModel;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.WeightType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * Remakes the embedded base model: the committed tokenizer and {@code config.json}, the embedded corpus, the settings of
 * {@link PretrainSettings#embeddedBase()}; a Hugging Face directory with model card comes out.
 */
public final class BaseRecipe {

    private final Path output;
    private final PretrainSettings settings;
    private final Consumer<String> say;

    /**
     * @param output Hugging Face directory to write; its subdirectory {@code work/} holds the resume point
     * @param say    receives one line at a time
     */
    public BaseRecipe(Path output, PretrainSettings settings, Consumer<String> say) {
        this.output = output;
        this.settings = settings;
        this.say = say;
    }

    /** Trains, or goes on where an earlier call was interrupted, and returns the held-out loss of what came out. */
    public HeldOutLoss make() throws IOException {
        if (!Files.exists(output.resolve("tokenizer.json"))) {
            BaseModel.extractRecipeTo(output);
        }
        ModelConfig config = ModelConfig.read(output.resolve("config.json"));
        PretrainText text = EmbeddedText.read(output);
        say.accept(String.format(
                Locale.ROOT,
                "pretraining: parameters=%d documents=%d tokens=%d epochs=%d",
                config.parameterCount(),
                text.training().size(),
                text.trainingTokens(),
                settings.epochs()));
        BasePretraining pretraining =
                new BasePretraining(config, settings, text, output.resolve("work"), System::nanoTime);
        long start = System.nanoTime();
        try (LanguageModel model =
                pretraining.run(report -> say.accept(report.toString()), weights -> preview(pretraining, weights))) {
            HeldOutLoss heldOut = pretraining.evaluate(model);
            save(model);
            Files.writeString(output.resolve("README.md"), card(config, text, heldOut), StandardCharsets.UTF_8);
            say.accept(String.format(
                    Locale.ROOT,
                    "done: held_out_nats_per_token=%.4f held_out_nats_per_byte=%.4f elapsed_s=%d",
                    heldOut.natsPerToken(),
                    heldOut.natsPerByte(),
                    Duration.ofNanos(System.nanoTime() - start).toSeconds()));
            return heldOut;
        }
    }

    /** A model ends where a text ends; that an answer also ends with its turn is the recipe's to say. */
    private void save(LanguageModel model) {
        model.save(output, WeightType.BFLOAT16);
        try {
            BaseModel.restore("generation_config.json", output);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write generation_config.json in " + output, e);
        }
    }

    private void preview(BasePretraining pretraining, LanguageModel model) {
        save(model);
        say.accept(String.format(
                Locale.ROOT,
                "saved: held_out_nats_per_byte=%.4f",
                pretraining.evaluate(model).natsPerByte()));
    }

    private String card(ModelConfig config, PretrainText text, HeldOutLoss heldOut) {
        return String.format(
                Locale.ROOT,
                """
                ---
                license: apache-2.0
                language: en
                library_name: transformers
                pipeline_tag: text-generation
                ---
                # Tidemill base

                A small decoder of the Llama shape (%,d parameters, %d layers, %d wide, vocabulary %,d) for trying out
                continuous training. It writes English of a kind and knows little: it is where the stream starts.

                Trained from random weights by Tidemill's own pretraining code on five novels by Jane Austen, the Jargon
                File (both public domain) and WordNet 3.1's glosses and examples (WordNet licence), a fifth of the latter
                as conversations: %,d tokens, %d epochs.

                | measured on text that it never saw | |
                |---|---|
                | held-out loss | %.4f nats per token |
                | held-out loss | %.4f nats per byte |
                | held-out text | %,d bytes, %,d tokens |

                Settings: %d × %d tokens a step, AdamW (0.9, 0.95), weight decay %s, peak learning rate %s after %d steps,
                linear decay to zero, gradients clipped at %s, compute in %s, seed %d. Remake it with
                `./tidemill pretrain --output DIR`.
                """,
                config.parameterCount(),
                config.layers(),
                config.hiddenSize(),
                config.vocabularySize(),
                text.trainingTokens(),
                settings.epochs(),
                heldOut.natsPerToken(),
                heldOut.natsPerByte(),
                heldOut.bytes(),
                heldOut.tokens(),
                settings.rows(),
                settings.length(),
                settings.weightDecay(),
                settings.peakLearningRate(),
                settings.warmupSteps(),
                settings.maxGradientNorm(),
                settings.compute(),
                settings.seed());
    }
}
