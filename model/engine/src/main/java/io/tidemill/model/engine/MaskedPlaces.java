package io.tidemill.model.engine;

import java.util.List;

/**
 * Which tokens of a batch are to be guessed.
 *
 * @param at      in {@code [B T]}, T the longest of the texts
 * @param targets what stood there
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record MaskedPlaces(long[] at, long[] targets) {
    static MaskedPlaces of(EncoderConfig config, List<MaskedText> texts) {
        config.require(EncoderConfig.Head.MASKED);
        int length =
                texts.stream().mapToInt(text -> text.targets().length).max().orElse(0);
        int count = (int) texts.stream().mapToLong(MaskedText::lossTokens).sum();
        MaskedPlaces places = new MaskedPlaces(new long[count], new long[count]);
        int next = 0;
        for (int row = 0; row < texts.size(); row++) {
            int[] of = texts.get(row).targets();
            for (int t = 0; t < of.length; t++) {
                if (of[t] != PackedBatch.IGNORED) {
                    EncoderBatch.checkBelow("Target", of[t], config.vocabularySize());
                    places.at[next] = (long) row * length + t;
                    places.targets[next++] = of[t];
                }
            }
        }
        return places;
    }

    boolean isEmpty() {
        return at.length == 0;
    }
}
