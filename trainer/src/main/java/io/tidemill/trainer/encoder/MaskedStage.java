package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.trainer.stage.FixedStage;
import io.tidemill.trainer.stage.StepBatch;
import java.util.ArrayList;
import java.util.List;

/** Lays out masked language modelling: each epoch has an order and masks of its own. */
public final class MaskedStage {
    private MaskedStage() {}

    /** The steps over the texts; one in which nothing happens to be masked is left out. */
    public static FixedStage<EncoderLearner> of(
            String name, List<MaskableText> texts, Masking masking, EncoderSettings settings, long seed) {
        List<StepBatch<EncoderLearner>> steps = new ArrayList<>();
        for (int epoch = 0; epoch < settings.epochs(); epoch++) {
            List<List<MaskableText>> batches = LengthBatches.of(
                    texts, settings.texts(), seed + epoch, MaskableText::exampleId, MaskableText::length);
            for (List<MaskableText> batch : batches) {
                MaskedBatch masked = MaskedBatch.of(batch, masking, seed, epoch, settings.rows());
                if (masked.tokens() > 0) {
                    steps.add(masked);
                }
            }
        }
        return new FixedStage<>(name, settings.optimizer(), steps, texts.size());
    }
}
