package io.tidemill.trainer.gate;

import io.tidemill.model.engine.MaskedText;
import io.tidemill.proto.Ids;
import io.tidemill.trainer.encoder.MaskableText;
import io.tidemill.trainer.encoder.Masking;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;

/** Loss of the masked tokens of texts, always the same ones; nats per masked token. */
public record MaskedLossSuite(String name, List<MaskedText> texts, double margin, int minimum)
        implements Suite<EncoderScoring> {
    /** So that a text is masked alike in every round of every lineage. */
    private static final long SEED = 0x6d61_736b;

    public MaskedLossSuite {
        texts = List.copyOf(texts);
    }

    /** Masks the texts; one in which nothing happens to be masked is left out. */
    public static MaskedLossSuite of(
            String name, List<MaskableText> texts, Masking masking, double margin, int minimum) {
        return new MaskedLossSuite(
                name,
                texts.stream()
                        .map(text -> masking.mask(text, SEED, 0))
                        .filter(text -> text.lossTokens() > 0)
                        .toList(),
                margin,
                minimum);
    }

    @Override
    public String unit() {
        return "nats per masked token";
    }

    @Override
    public int sign() {
        return -1;
    }

    @Override
    public List<String> exampleIds() {
        return texts.stream().map(MaskedLossSuite::contentId).toList();
    }

    private static String contentId(MaskedText text) {
        int[] ids = text.input().ids();
        ByteBuffer bytes = ByteBuffer.allocate(8 * ids.length);
        for (int t = 0; t < ids.length; t++) {
            bytes.putInt(ids[t]).putInt(text.targets()[t]);
        }
        return Ids.contentHash(bytes.array());
    }

    @Override
    public double[] weights() {
        return texts.stream().mapToDouble(MaskedText::lossTokens).toArray();
    }

    @Override
    public double[] score(EncoderScoring model, int[] indexes) {
        return model.maskedLosses(IntStream.of(indexes).mapToObj(texts::get).toList());
    }

    @Override
    public Interval interval(Scores after, double[] resampled) {
        return Interval.ofPercentiles(resampled);
    }
}
