package io.tidemill.trainer.encoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.MaskedText;
import io.tidemill.model.engine.PackedBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against transformers' collator: {@code bench/peers/make_masking_fixtures.py}. */
class MaskingTest {
    private static final int MASK = 4;
    private static final int VOCABULARY = 120;
    private static final Masking TOKENS = new Masking(0.15, 0.8, 0.1, false, MASK, VOCABULARY);
    private static final Masking WORDS = new Masking(0.15, 1, 0, true, MASK, VOCABULARY);

    private static JsonNode collator() throws IOException {
        return new ObjectMapper().readTree(MaskingTest.class.getResourceAsStream("/masking.json"));
    }

    /** The collator's texts by their words' sizes; which tokens they are of does not matter to it. */
    private static List<MaskableText> texts() throws IOException {
        List<MaskableText> texts = new ArrayList<>();
        for (JsonNode sizes : collator().get("words")) {
            int[] ids = new int[64];
            int[] words = new int[64];
            Arrays.fill(words, -1);
            int at = 1;
            for (int word = 0; word < sizes.size(); word++) {
                Arrays.fill(words, at, at + sizes.get(word).asInt(), word);
                at += sizes.get(word).asInt();
            }
            Arrays.setAll(ids, t -> 5 + (t * 7) % (VOCABULARY - 5));
            ids[0] = 2;
            ids[63] = 3;
            texts.add(new MaskableText("text " + texts.size(), EncoderInput.of(ids), words));
        }
        return texts;
    }

    private static final class Counts {
        long maskable;
        long chosen;
        long masks;
        long unchanged;
        long other;
        long special;
        long words;
        long chosenWords;

        static Counts of(Masking masking, List<MaskableText> texts, int draws) {
            Counts counts = new Counts();
            for (int epoch = 0; epoch < draws; epoch++) {
                for (MaskableText text : texts) {
                    counts.add(text, masking.mask(text, 1, epoch));
                }
            }
            return counts;
        }

        private void add(MaskableText text, MaskedText masked) {
            int from = -1;
            boolean all = false;
            for (int t = 0; t < text.words().length; t++) {
                boolean isChosen = masked.targets()[t] != PackedBatch.IGNORED;
                if (text.words()[t] < 0) {
                    special += isChosen ? 1 : 0;
                    continue;
                }
                int before = text.input().ids()[t];
                int after = masked.input().ids()[t];
                maskable++;
                chosen += isChosen ? 1 : 0;
                masks += isChosen && after == MASK ? 1 : 0;
                unchanged += isChosen && after == before ? 1 : 0;
                other += isChosen && after != before && after != MASK ? 1 : 0;
                if (text.words()[t] != from) {
                    from = text.words()[t];
                    words++;
                    all = true;
                }
                all &= isChosen;
                boolean ends = t + 1 == text.words().length || text.words()[t + 1] != from;
                chosenWords += ends && all ? 1 : 0;
            }
        }
    }

    /** Two shares of many draws differ by chance alone: four standard errors, pooled. */
    private static void same(String what, long a, long ofA, long b, long ofB) {
        double pooled = (double) (a + b) / (ofA + ofB);
        double error = Math.sqrt(pooled * (1 - pooled) * (1.0 / ofA + 1.0 / ofB));
        double difference = (double) a / ofA - (double) b / ofB;
        assertThat(Math.abs(difference)).as(what).isLessThanOrEqualTo(4 * error);
    }

    @ParameterizedTest
    @CsvSource({"tokens, false", "whole_words, true"})
    void asMuchIsMaskedAsByTheCollatorAndAsItMasks(String name, boolean words) throws IOException {
        JsonNode theirs = collator().get(name);
        Counts ours = Counts.of(words ? WORDS : TOKENS, texts(), 20);
        long chosen = theirs.get("chosen").asLong();
        assertThat(ours.maskable).isEqualTo(theirs.get("maskable").asLong());
        assertThat(ours.words).isEqualTo(theirs.get("words").asLong());
        assertThat(ours.special).isZero();
        same(
                "chosen",
                ours.chosen,
                ours.maskable,
                chosen,
                theirs.get("maskable").asLong());
        same("masks", ours.masks, ours.chosen, theirs.get("masks").asLong(), chosen);
        same("unchanged", ours.unchanged, ours.chosen, theirs.get("unchanged").asLong(), chosen);
        same("other", ours.other, ours.chosen, theirs.get("other").asLong(), chosen);
        same(
                "whole words",
                ours.chosenWords,
                ours.words,
                theirs.get("chosen_words").asLong(),
                ours.words);
    }

    @Test
    void aWordIsMaskedAsAWholeOrNotAtAll() throws IOException {
        for (MaskableText text : texts()) {
            MaskedText masked = WORDS.mask(text, 3, 0);
            for (int t = 2; t < 63; t++) {
                if (text.words()[t] == text.words()[t - 1]) {
                    assertThat(masked.targets()[t] == PackedBatch.IGNORED)
                            .isEqualTo(masked.targets()[t - 1] == PackedBatch.IGNORED);
                }
            }
        }
    }

    @Test
    void masksDependOnSeedExampleAndEpochAlone() throws IOException {
        List<MaskableText> texts = texts();
        MaskableText text = texts.get(3);
        int[] once = TOKENS.mask(text, 1, 0).input().ids();
        TOKENS.mask(texts.get(4), 1, 0); // others before make no difference
        assertThat(TOKENS.mask(text, 1, 0).input().ids()).isEqualTo(once);
        assertThat(TOKENS.mask(text, 1, 1).input().ids()).isNotEqualTo(once);
        assertThat(TOKENS.mask(text, 2, 0).input().ids()).isNotEqualTo(once);
        MaskableText same = new MaskableText("another", text.input(), text.words());
        assertThat(TOKENS.mask(same, 1, 0).input().ids()).isNotEqualTo(once);
        assertThat(text.input().ids()[1]).isEqualTo(12); // the text itself stays as it is
    }

    @Test
    void sharesThatCannotBeAreRefused() {
        assertThatThrownBy(() -> TOKENS.with(1.5)).hasMessageContaining("1.5");
        assertThatThrownBy(() -> new Masking(0.15, 0.8, 0.3, false, MASK, VOCABULARY))
                .hasMessageContaining("0.3");
        assertThatThrownBy(() -> new Masking(0.15, 0.8, 0.1, true, MASK, VOCABULARY))
                .hasMessageContaining("0.8");
        assertThatThrownBy(() -> new Masking(0.15, 0.8, 0.1, false, 120, 120)).hasMessageContaining("120");
    }
}
