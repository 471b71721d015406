package io.tidemill.trainer.offline;

import io.tidemill.model.engine.AdamWSettings;
import io.tidemill.model.engine.EncoderAdapter;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.TrainableEncoder;
import io.tidemill.model.engine.TrainableEncoderAdapter;
import io.tidemill.model.engine.WeightType;
import io.tidemill.trainer.offline.recipe.Keys;
import io.tidemill.trainer.offline.recipe.Recipe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** An encoder that learns in a run over files: all of its weights, or an adapter. */
final class EncoderPupil implements AutoCloseable {
    private final EncoderLearner learner;
    private final Saving saving;
    private final Runnable closing;

    /** Writes the weights to a directory that does not exist yet. */
    @FunctionalInterface
    private interface Saving {
        void to(Path directory, boolean finish) throws IOException;
    }

    private EncoderPupil(EncoderLearner learner, Saving saving, Runnable closing) {
        this.learner = learner;
        this.saving = saving;
        this.closing = closing;
    }

    /** @param start closed by this */
    static EncoderPupil of(EncoderModel start, Material material, AdamWSettings optimizer) {
        return material.recipe().get(Keys.LORA_RANK) > 0
                ? adapter(start, material, optimizer)
                : whole(start, material, optimizer);
    }

    private static EncoderPupil whole(EncoderModel start, Material material, AdamWSettings optimizer) {
        TrainableEncoder learner;
        try (start) {
            learner = TrainableEncoder.from(start, optimizer);
        }
        WeightType type = material.weightType();
        return new EncoderPupil(
                learner,
                (directory, finish) -> {
                    Files.createDirectories(directory);
                    try (EncoderModel now = learner.snapshot(learner.computeType())) {
                        now.save(directory, type);
                    }
                },
                () -> {});
    }

    private static EncoderPupil adapter(EncoderModel base, Material material, AdamWSettings optimizer) {
        Recipe recipe = material.recipe();
        TrainableEncoderAdapter learner =
                TrainableEncoderAdapter.from(base, material.lora(), recipe.get(Keys.SEED), optimizer);
        WeightType type = material.weightType();
        boolean merge = recipe.get(Keys.MERGE);
        return new EncoderPupil(
                learner,
                (directory, finish) -> {
                    try (EncoderAdapter now = learner.snapshot()) {
                        if (finish && merge) {
                            Files.createDirectories(directory);
                            try (EncoderModel merged = now.mergedInto(base)) {
                                merged.save(directory, type);
                            }
                        } else {
                            now.save(directory, base);
                        }
                    }
                },
                base::close);
    }

    EncoderLearner learner() {
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
