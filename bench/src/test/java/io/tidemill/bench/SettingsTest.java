package io.tidemill.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import org.junit.jupiter.api.Test;

class SettingsTest {
    private static final Set<String> KNOWN = Set.of("rows");

    @Test
    void aSettingOfAnUnknownNameOrWithoutAValueIsRefused() {
        assertThatThrownBy(() -> new Flags(new String[] {"--rwos", "4"}, KNOWN))
                .hasMessage("--rwos is no setting; those are --rows");
        assertThatThrownBy(() -> new Flags(new String[] {"--rows"}, KNOWN))
                .hasMessage("--rows needs a value behind it");
    }

    @Test
    void whatIsNotSaidIsWhatTheBenchmarkTakesOtherwise() {
        assertThat(new Flags(new String[] {"--rows", "7"}, KNOWN).number("rows", 4))
                .isEqualTo(7);
        assertThat(new Flags(new String[] {}, KNOWN).number("rows", 4)).isEqualTo(4);
    }

    /** As transformers counts them for the same shapes. */
    @Test
    void theShapesHaveTheWeightsThatTheGoalsAreStatedFor() {
        assertThat(Shapes.BASE.parameterCount()).isEqualTo(7_475_456);
        assertThat(Shapes.MEDIUM.parameterCount()).isEqualTo(33_497_600);
        assertThat(Shapes.SMOL.parameterCount()).isEqualTo(134_515_008);
        assertThat(Shapes.withVocabulary(Shapes.MEDIUM, 152_000).parameterCount())
                .isEqualTo(33_497_600 + 512L * (152_000 - 16_000));
        assertThatThrownBy(() -> Shapes.named("huge")).hasMessageContaining("tiny, base, medium, smol, 1b");
    }
}
