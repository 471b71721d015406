package io.tidemill.preprocess.tokenize;

import static org.assertj.core.api.Assertions.assertThat;

import java.text.Normalizer;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TextNormalizerTest {
    @Test
    void plainTextIsLeftAlone() {
        String text = "One line.\n\tAnother ~ one!";
        assertThat(TextNormalizer.normalize(text)).isSameAs(text);
    }

    @Test
    void lettersAreComposed() {
        assertThat(TextNormalizer.normalize("A\u030Angstro\u0308m")).isEqualTo("\u00C5ngstr\u00F6m");
    }

    @Test
    void allLineEndsBecomeLineFeeds() {
        assertThat(TextNormalizer.normalize("a\r\nb\rc\u0085d\u2028e\u2029f\r\r\ng"))
                .isEqualTo("a\nb\nc\nd\ne\nf\n\ng");
    }

    @Test
    void controlCharactersAndTheByteOrderMarkGo() {
        assertThat(TextNormalizer.normalize("\uFEFFa\u0000b\u001Bc\u007Fd\u009Be"))
                .isEqualTo("abcde");
    }

    @Test
    void halfCharactersGoAndWholeOnesStay() {
        assertThat(TextNormalizer.normalize("a\uD83Cb\uDF0A\uD83C\uDF0A\uD83C")).isEqualTo("ab\uD83C\uDF0A");
    }

    @Test
    void whatIsNormalStaysNormal() {
        Random random = new Random(11);
        for (int i = 0; i < 500; i++) {
            StringBuilder text = new StringBuilder();
            random.ints(40, 0, 0x3100).forEach(text::appendCodePoint);
            String once = TextNormalizer.normalize(text.toString());

            assertThat(TextNormalizer.normalize(once)).as("seed 11, case %d", i).isEqualTo(once);
            assertThat(Normalizer.isNormalized(once, Normalizer.Form.NFC)).isTrue();
            assertThat(once.chars().noneMatch(c -> Character.isISOControl(c) && c != '\n' && c != '\t'))
                    .isTrue();
        }
    }
}
