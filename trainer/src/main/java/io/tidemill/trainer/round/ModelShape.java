package io.tidemill.trainer.round;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.LoraConfig;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.VersionId;
import io.tidemill.trainer.data.ExampleReader;
import io.tidemill.trainer.data.Stages;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** What is known of a model before its weights are read: one of both is there. */
record ModelShape(Optional<ModelConfig> decoder, Optional<EncoderConfig> encoder) {

    /** Of a Hugging Face directory. */
    static ModelShape read(Path directory) throws IOException {
        Path config = directory.resolve("config.json");
        return EncoderConfig.isEncoder(config)
                ? new ModelShape(Optional.empty(), Optional.of(EncoderConfig.read(config)))
                : new ModelShape(Optional.of(ModelConfig.read(config)), Optional.empty());
    }

    long parameters() {
        return decoder.map(ModelConfig::parameterCount)
                .or(() -> encoder.map(EncoderConfig::parameterCount))
                .orElseThrow();
    }

    int vocabularySize() {
        return decoder.map(ModelConfig::vocabularySize)
                .or(() -> encoder.map(EncoderConfig::vocabularySize))
                .orElseThrow();
    }

    /** Stages that its rounds have: an encoder's head decides, a decoder's settings; of those the ones that are asked for. */
    Set<String> stages(RoundSettings settings) {
        Set<String> stages = new HashSet<>(possible(settings));
        if (!settings.mixture().stages().isEmpty()) {
            stages.retainAll(settings.mixture().stages());
        }
        return stages;
    }

    private Set<String> possible(RoundSettings settings) {
        if (encoder.isPresent()) {
            return switch (encoder.get().head()) {
                case MASKED -> Set.of(Stages.MASKED_LM);
                case LABELS -> Set.of(Stages.CLASSIFICATION);
                case NONE, BARE -> Set.of();
            };
        }
        Set<String> stages = new HashSet<>(Set.of(Stages.PRETRAIN, Stages.SFT, Stages.PREFERENCE));
        if (settings.rating().learns()) {
            stages.add(Stages.RATING);
        }
        if (settings.rollout().learns()) {
            stages.add(Stages.ROLLOUT);
        }
        return stages;
    }

    /** Tells what records are good for in a round that starts from this champion. */
    ExampleReader reader(TopicCatalogue topics, RoundSettings settings, VersionId champion) {
        return new ExampleReader(
                topics.preferences().name(),
                topics.prompts().name(),
                vocabularySize(),
                stages(settings),
                settings.mixture().from(champion));
    }

    /** @throws IllegalArgumentException if a target is no linear layer of the model */
    void requireFits(LoraConfig adapter) {
        decoder.ifPresent(adapter::requireFits);
        encoder.ifPresent(adapter::requireFits);
    }
}
