package io.tidemill.trainer.gate;

import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.MaskedText;
import java.util.List;

/** An encoder that is asked what it says of texts; as {@link io.tidemill.model.engine.EncoderModel}. */
public interface EncoderScoring {
    /** Sum of −log p over each text's masked tokens: {@code [texts]}; nats. */
    double[] maskedLosses(List<MaskedText> texts);

    /** One logit a label: {@code [inputs][labels]}. */
    float[][] labelLogits(List<EncoderInput> inputs);
}
