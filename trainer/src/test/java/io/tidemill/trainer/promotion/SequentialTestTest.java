package io.tidemill.trainer.promotion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

class SequentialTestTest {
    private static final int RUNS = 2_000;
    private static final int RATINGS = 500;

    @Test
    void capitalsAndBoundsAreThoseOfConfseq() throws IOException {
        JsonNode cases;
        try (InputStream in = getClass().getResourceAsStream("/canary-bets.json")) {
            cases = new ObjectMapper().readTree(in);
        }
        assertThat(cases).hasSize(5);
        for (JsonNode one : cases) {
            String name = one.path("name").asText();
            SequentialTest test = new SequentialTest(
                    one.path("threshold").asDouble(), one.path("alpha").asDouble());
            int checked = 0;
            for (JsonNode difference : one.path("differences")) {
                test.add(difference.asDouble());
                if (test.size() == one.path("after").path(checked).asInt()) {
                    assertThat(test.evidenceAbove())
                            .as("%s, above, after %d", name, test.size())
                            .isCloseTo(one.path("above").path(checked).asDouble(), Percentage.withPercentage(1e-6));
                    assertThat(test.evidenceBelow())
                            .as("%s, below, after %d", name, test.size())
                            .isCloseTo(one.path("below").path(checked).asDouble(), Percentage.withPercentage(1e-6));
                    checked++;
                }
            }
            assertThat(checked).isEqualTo(5);
            assertThat(test.low()).as(name).isCloseTo(one.path("low").asDouble(), within(1e-9));
            assertThat(test.high()).as(name).isCloseTo(one.path("high").asDouble(), within(1e-9));
        }
    }

    @Test
    void whoeverLooksAfterEveryRatingIsMisledAsSeldomAsPromised() {
        // At the threshold itself both decisions are mistakes; each may happen in 5 % of the runs.
        double worseByTheMargin = 0.6;
        double champion = 0.7;
        double promoted = share(worseByTheMargin, champion, -0.1, SequentialTest::evidenceAbove);
        double rolledBack = share(worseByTheMargin, champion, -0.1, SequentialTest::evidenceBelow);
        assertThat(promoted).isLessThanOrEqualTo(0.05);
        assertThat(rolledBack).isLessThanOrEqualTo(0.05);
    }

    @Test
    void aCanaryThatIsAsGoodOrFarWorseIsFoundOut() {
        double good = share(0.75, 0.7, -0.1, SequentialTest::evidenceAbove);
        double bad = share(0.35, 0.7, -0.1, SequentialTest::evidenceBelow);
        assertThat(good).isGreaterThan(0.8);
        assertThat(bad).isGreaterThan(0.95);
    }

    /** Of runs in which the capital is enough at some time; nine ratings of the champion to one of the canary. */
    private static double share(
            double canary, double champion, double threshold, ToDoubleFunction<SequentialTest> evidence) {
        Random random = new Random(42);
        int decided = 0;
        for (int run = 0; run < RUNS; run++) {
            SequentialTest test = new SequentialTest(threshold, 0.05);
            boolean enough = false;
            for (int i = 0; i < RATINGS && !enough; i++) {
                double others = 0;
                for (int k = 0; k < 9; k++) {
                    others += random.nextDouble() < champion ? 1 : 0;
                }
                test.add((random.nextDouble() < canary ? 1 : 0) - others / 9);
                enough = evidence.applyAsDouble(test) >= test.evidenceNeeded();
            }
            decided += enough ? 1 : 0;
        }
        return (double) decided / RUNS;
    }

    @Test
    void theOrderOfTheDifferencesDoesNotMatter() {
        double[] differences = {1, -0.5, 0.25, 0, -1, 0.75};
        SequentialTest one = new SequentialTest(-0.1, 0.05);
        SequentialTest other = new SequentialTest(-0.1, 0.05);
        for (int i = 0; i < differences.length; i++) {
            one.add(differences[i]);
            other.add(differences[differences.length - 1 - i]);
        }
        assertThat(one.evidenceAbove()).isCloseTo(other.evidenceAbove(), within(1e-12));
        assertThat(one.evidenceBelow()).isCloseTo(other.evidenceBelow(), within(1e-12));
    }

    @Test
    void withoutADifferenceNothingIsShown() {
        SequentialTest test = new SequentialTest(0, 0.05);
        assertThat(test.evidenceAbove()).isEqualTo(1);
        assertThat(test.evidenceBelow()).isEqualTo(1);
        assertThat(test.low()).isEqualTo(-1);
        assertThat(test.high()).isEqualTo(1);
        assertThat(test.mean()).isZero();
    }

    @Test
    void valuesOutOfRangeAreNamed() {
        assertThatThrownBy(() -> new SequentialTest(0, 0.05).add(1.5))
                .hasMessage("A difference is from -1 to 1, but was 1.5.");
        assertThatThrownBy(() -> new SequentialTest(-1, 0.05)).hasMessageContaining("-1.0 and 0.05");
    }
}
