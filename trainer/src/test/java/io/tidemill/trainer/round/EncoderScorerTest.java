package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.MaskedText;
import io.tidemill.model.engine.NativeMemoryException;
import io.tidemill.trainer.gate.EncoderScoring;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class EncoderScorerTest {
    private final List<List<Integer>> calls = new ArrayList<>(); // lengths

    /** Says each text's length. */
    private final EncoderScoring lengths = new EncoderScoring() {
        @Override
        public double[] maskedLosses(List<MaskedText> texts) {
            calls.add(texts.stream().map(text -> text.input().ids().length).toList());
            return texts.stream().mapToDouble(text -> text.input().ids().length).toArray();
        }

        @Override
        public float[][] labelLogits(List<EncoderInput> inputs) {
            calls.add(inputs.stream().map(input -> input.ids().length).toList());
            return inputs.stream()
                    .map(input -> new float[] {input.ids().length})
                    .toArray(float[][]::new);
        }
    };

    private static List<EncoderInput> inputs(int... lengths) {
        return IntStream.of(lengths)
                .mapToObj(length -> EncoderInput.of(new int[length]))
                .toList();
    }

    @Test
    void noCallHasMoreTokensThanItMayAndEachTextGetsItsOwnAnswer() {
        EncoderScorer scorer = new EncoderScorer(lengths, 12);
        float[][] logits = scorer.labelLogits(inputs(2, 9, 4, 3, 20, 4));
        assertThat(Stream.of(logits).map(row -> row[0])).containsExactly(2f, 9f, 4f, 3f, 20f, 4f);
        assertThat(calls).containsExactly(List.of(20), List.of(9), List.of(4, 4, 3), List.of(2));

        List<MaskedText> masked = inputs(5, 6).stream()
                .map(input -> new MaskedText(input, new int[input.ids().length]))
                .toList();
        assertThat(scorer.maskedLosses(masked)).containsExactly(5, 6);
    }

    @Test
    void aWantOfMemoryIsTheGatesAndNamesTheLongestText() {
        EncoderScoring failing = new EncoderScoring() {
            @Override
            public double[] maskedLosses(List<MaskedText> texts) {
                throw new UnsupportedOperationException();
            }

            @Override
            public float[][] labelLogits(List<EncoderInput> inputs) {
                throw new NativeMemoryException(1 << 20, null);
            }
        };
        assertThatThrownBy(() -> new EncoderScorer(failing, 100).labelLogits(inputs(3, 7)))
                .isInstanceOfSatisfying(MicroBatchException.class, e -> {
                    assertThat(e.part()).isEqualTo(MicroBatch.Part.GATE);
                    assertThat(e.longest()).isEqualTo(7);
                });
    }
}
