package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.LabelWeights;
import io.tidemill.model.engine.LabelledText;
import io.tidemill.trainer.stage.FixedStage;
import io.tidemill.trainer.stage.StepBatch;
import java.util.ArrayList;
import java.util.List;

/** Lays out learning of labels, one or several a text, or of a score; the model's config says which. */
public final class LabelStage {
    private LabelStage() {}

    /**
     * The steps over the examples, each epoch in an order of its own. A step whose labels all weigh nothing is left out.
     *
     * @param weights of the labels
     */
    public static FixedStage<EncoderLearner> of(
            String name,
            List<EncoderExample> examples,
            EncoderConfig config,
            LabelWeights weights,
            EncoderSettings settings,
            long seed) {
        config.require(EncoderConfig.Head.LABELS);
        List<StepBatch<EncoderLearner>> steps = new ArrayList<>();
        for (int epoch = 0; epoch < settings.epochs(); epoch++) {
            LengthBatches.of(
                            examples, settings.texts(), seed + epoch, EncoderExample::exampleId, EncoderExample::length)
                    .stream()
                    .map(batch -> batch(batch, config, weights, settings.rows()))
                    .filter(batch -> batch.divisor() > 0)
                    .forEach(steps::add);
        }
        return new FixedStage<>(name, settings.optimizer(), steps, examples.size());
    }

    private static LabelBatch batch(List<EncoderExample> batch, EncoderConfig config, LabelWeights weights, int rows) {
        List<LabelledText> texts = batch.stream().map(EncoderExample::text).toList();
        return new LabelBatch(
                batch.stream().map(EncoderExample::exampleId).toList(),
                texts,
                weights,
                weights.of(texts, config),
                rows);
    }
}
