package io.tidemill.feedback.answer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopTextTest {
    @Test
    void whatMayBecomeAStopTextIsHeldBackUntilItIsClear() {
        StopText stop = new StopText(List.of("END"));
        assertThat(stop.append("the E")).isEqualTo("the ");
        assertThat(stop.append("N")).isEmpty();
        assertThat(stop.append("d")).isEqualTo("ENd");
        assertThat(stop.append(" E")).isEqualTo(" ");
        assertThat(stop.finish()).isEqualTo("E");
        assertThat(stop.found()).isFalse();
    }

    @Test
    void nothingComesAfterAStopText() {
        StopText stop = new StopText(List.of("\n\n", "Q:"));
        assertThat(stop.append("five.\nQ")).isEqualTo("five.\n");
        assertThat(stop.append(": next\n\n")).isEmpty();
        assertThat(stop.found()).isTrue();
        assertThat(stop.append("more")).isEmpty();
        assertThat(stop.finish()).isEmpty();
    }

    @Test
    void theEarliestOfSeveralStopTextsEndsTheAnswer() {
        StopText stop = new StopText(List.of("te", "a"));
        assertThat(stop.append("x late")).isEqualTo("x l");
    }

    @Test
    void cutAnywhereATextGivesTheSameAsWhole() {
        for (int seed = 0; seed < 500; seed++) {
            Random random = new Random(seed);
            String text = random.ints(40, 0, 3)
                    .mapToObj(i -> "abc".substring(i, i + 1))
                    .reduce("", String::concat);
            List<String> stops = List.of("abca", "cc" + "b");
            int end = stops.stream()
                    .mapToInt(text::indexOf)
                    .filter(i -> i >= 0)
                    .min()
                    .orElse(text.length());
            StopText stop = new StopText(stops);
            StringBuilder shown = new StringBuilder();
            for (int from = 0; from < text.length(); ) {
                int to = Math.min(text.length(), from + 1 + random.nextInt(4));
                shown.append(stop.append(text.substring(from, to)));
                from = to;
            }
            shown.append(stop.finish());
            // A later stop text may be complete in an earlier piece only when the earlier one overlaps it.
            assertThat(text).as("seed %d", seed).startsWith(shown.toString());
            assertThat(shown.length()).as("seed %d, text %s", seed, text).isEqualTo(end);
        }
    }
}
