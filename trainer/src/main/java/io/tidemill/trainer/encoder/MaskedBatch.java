package io.tidemill.trainer.encoder;

import io.tidemill.model.engine.EncoderLearner;
import io.tidemill.model.engine.MaskedText;
import io.tidemill.trainer.stage.CallSize;
import io.tidemill.trainer.stage.StepBatch;
import java.util.List;
import java.util.Map;

/**
 * Texts of one optimizer step, masked anew whenever they are asked for, always the same; nats per masked token.
 *
 * @param tokens masked ones
 * @param rows   texts of a call, at most
 */
record MaskedBatch(List<MaskableText> texts, Masking masking, long seed, int epoch, int rows, long tokens)
        implements StepBatch<EncoderLearner> {
    static MaskedBatch of(List<MaskableText> texts, Masking masking, long seed, int epoch, int rows) {
        long tokens = texts.stream()
                .mapToLong(text -> masking.mask(text, seed, epoch).lossTokens())
                .sum();
        return new MaskedBatch(List.copyOf(texts), masking, seed, epoch, rows, tokens);
    }

    @Override
    public Outcome accumulate(EncoderLearner learner, CallSize size) {
        List<MaskedText> masked = texts.stream()
                .map(text -> masking.mask(text, seed, epoch))
                .filter(text -> text.lossTokens() > 0)
                .toList();
        double loss = StepBatch.groups(masked, Math.min(rows, size.rows())).stream()
                .mapToDouble(some -> learner.accumulateMasked(some, tokens))
                .sum();
        return new Outcome(loss, Map.of());
    }

    @Override
    public List<StepBatch<EncoderLearner>> parts() {
        return texts.stream()
                .<StepBatch<EncoderLearner>>map(
                        text -> new MaskedBatch(List.of(text), masking, seed, epoch, rows, tokens))
                .toList();
    }

    @Override
    public int longest() {
        return texts.stream().mapToInt(MaskableText::length).max().orElse(0);
    }

    @Override
    public List<String> exampleIds() {
        return texts.stream().map(MaskableText::exampleId).toList();
    }
}
