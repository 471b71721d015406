package io.tidemill.trainer.round;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.trainer.data.Stages;
import io.tidemill.trainer.encoder.ClassWeights;
import io.tidemill.trainer.encoder.EncoderExample;
import io.tidemill.trainer.encoder.EncoderSettings;
import io.tidemill.trainer.encoder.LabelStage;
import io.tidemill.trainer.encoder.MaskableText;
import io.tidemill.trainer.encoder.MaskedStage;
import io.tidemill.trainer.encoder.Masking;
import io.tidemill.trainer.stage.FixedStage;
import io.tidemill.trainer.stage.Stage;
import java.util.List;

/** The stages of an encoder's round; its head has examples for one of them. */
final class EncoderStages implements RoundContext.Stages<EncoderLearner> {
    /** In this order. */
    static final List<String> NAMES = List.of(Stages.MASKED_LM, Stages.CLASSIFICATION);

    private final RoundPlan plan;
    private final EncoderConfig config;
    private final List<MaskableText> documents;
    private final List<EncoderExample> labelled;
    private final Masking masking;

    EncoderStages(
            RoundPlan plan,
            EncoderConfig config,
            List<MaskableText> documents,
            List<EncoderExample> labelled,
            Masking masking) {
        this.plan = plan;
        this.config = config;
        this.documents = documents;
        this.labelled = labelled;
        this.masking = masking;
    }

    @Override
    public Stage<EncoderLearner> stage(String name) {
        EncoderRoundSettings settings = plan.settings().encoder();
        return switch (name) {
            case Stages.MASKED_LM ->
                MaskedStage.of(
                        name, documents, masking, settings.maskedLanguage().training(), plan.seed());
            case Stages.CLASSIFICATION -> classification(settings.classification());
            default -> throw new IllegalArgumentException("There is no stage " + name + ", only " + NAMES);
        };
    }

    private Stage<EncoderLearner> classification(EncoderRoundSettings.Classification settings) {
        EncoderSettings training = settings.training();
        if (labelled.isEmpty()) {
            return new FixedStage<>(Stages.CLASSIFICATION, training.optimizer(), List.of(), 0);
        }
        return LabelStage.of(
                Stages.CLASSIFICATION,
                labelled,
                config,
                ClassWeights.of(settings.weights(), config.labels(), config.problem(), labelled),
                training,
                plan.seed());
    }
}
