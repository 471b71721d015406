package io.tidemill.trainer.offline;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.DecoderLearner;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.LoraAdapter;
import io.tidemill.model.engine.ModelConfig;
import io.tidemill.model.engine.TrainableAdapter;
import io.tidemill.model.engine.TrainableModel;
import io.tidemill.model.engine.WeightType;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Nearest;
import io.tidemill.trainer.offline.recipe.Recipe;
import io.tidemill.trainer.offline.recipe.RecipeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A decoder that learns in a run over files: all of its weights, or an adapter. */
final class DecoderPupil implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final DecoderLearner learner;
    private final Saving saving;
    private final Runnable closing;

    /** What it says of tokens. */
    enum Head {
        SPEECH,
        /** One score, instead of speech. */
        SCORE,
        /** A critic's value beside speech, which is no part of what is written. */
        SPEECH_AND_VALUE
    }

    /** Writes the weights to a directory that does not exist yet. */
    @FunctionalInterface
    private interface Saving {
        void to(Path directory, boolean finish) throws IOException;
    }

    private DecoderPupil(DecoderLearner learner, Saving saving, Runnable closing) {
        this.learner = learner;
        this.saving = saving;
        this.closing = closing;
    }

    /** The shape of what will learn, before any weights are read. */
    static ModelConfig config(Recipe recipe, Path model) throws IOException {
        Path file = model.resolve("config.json");
        Map<String, String> overrides = recipe.get(Keys.CONFIG_OVERRIDES);
        if (overrides.isEmpty()) {
            return ModelConfig.read(file);
        }
        if (!recipe.get(Keys.FROM_SCRATCH)) {
            throw new RecipeException("config_overrides changes the shape, which weights that are there do not have;"
                    + " set from_scratch: true as well.");
        }
        ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
        for (Map.Entry<String, String> override : overrides.entrySet()) {
            List<String> names = new ArrayList<>();
            config.fieldNames().forEachRemaining(names::add);
            if (!names.contains(override.getKey())) {
                throw new RecipeException("config_overrides names " + override.getKey() + ", which " + file
                        + " does not have"
                        + Nearest.to(override.getKey(), names)
                                .map(nearest -> "; did you mean " + nearest + "?")
                                .orElse("."));
            }
            config.set(override.getKey(), value(override.getValue()));
        }
        Path changed = Files.createTempFile("tidemill-config-", ".json");
        try {
            Files.writeString(changed, config.toString());
            return ModelConfig.read(changed);
        } finally {
            Files.delete(changed);
        }
    }

    private static com.fasterxml.jackson.databind.JsonNode value(String text) throws IOException {
        try {
            return JSON.readTree(text);
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            return JSON.getNodeFactory().textNode(text);
        }
    }

    /**
     * Reads the weights.
     *
     * @param head what it must say; a language model gets another where it lacks one
     */
    static DecoderPupil open(Material material, AdamWSettings optimizer, Head head) throws IOException {
        Recipe recipe = material.recipe();
        LanguageModel model = recipe.get(Keys.FROM_SCRATCH)
                ? LanguageModel.random(config(recipe, material.model()), recipe.get(Keys.SEED), material.compute())
                : LanguageModel.load(material.model(), material.compute());
        if (head == Head.SCORE && model.config().head().scores() != 1) {
            try (LanguageModel speaking = model) {
                model = speaking.withScores(1, recipe.get(Keys.SEED));
            }
        } else if (head != Head.SCORE && !model.config().head().speaks()) {
            model.close();
            throw new RecipeException("model " + recipe.get(Keys.MODEL_PATH)
                    + " gives scores and does not speak, which this stage needs; name a language model.");
        }
        if (head == Head.SPEECH_AND_VALUE) {
            try (LanguageModel speaking = model) {
                model = speaking.withValueHead();
            }
        }
        return recipe.get(Keys.LORA_RANK) > 0 ? adapter(material, optimizer, model) : whole(material, optimizer, model);
    }

    private static DecoderPupil whole(Material material, AdamWSettings optimizer, LanguageModel start) {
        TrainableModel learner;
        try (start) {
            learner = TrainableModel.from(start, optimizer);
        }
        WeightType type = material.weightType();
        return new DecoderPupil(
                learner,
                (directory, finish) -> {
                    Files.createDirectories(directory);
                    try (LanguageModel now = learner.snapshot(learner.computeType())) {
                        now.save(directory, type);
                    }
                },
                () -> {});
    }

    private static DecoderPupil adapter(Material material, AdamWSettings optimizer, LanguageModel base) {
        Recipe recipe = material.recipe();
        TrainableAdapter learner = TrainableAdapter.from(base, material.lora(), recipe.get(Keys.SEED), optimizer);
        WeightType type = material.weightType();
        boolean merge = recipe.get(Keys.MERGE);
        return new DecoderPupil(
                learner,
                (directory, finish) -> {
                    try (LoraAdapter now = learner.snapshot()) {
                        if (finish && merge) {
                            Files.createDirectories(directory);
                            try (LanguageModel merged = now.mergedInto(base)) {
                                merged.save(directory, type);
                            }
                        } else {
                            now.save(directory, base);
                        }
                    }
                },
                base::close);
    }

    DecoderLearner learner() {
        return learner;
    }

    void save(Path directory, boolean finish) throws IOException {
        saving.to(directory, finish);
    }

    @Override
    public void close() {
        learner.close();
        closing.run();
    }
}
