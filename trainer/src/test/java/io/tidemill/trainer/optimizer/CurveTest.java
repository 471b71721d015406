package io.tidemill.trainer.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tidemill.trainer.optimizer.Curve.StableThenDecay.Shape;
import io.tidemill.trainer.optimizer.LearningRateSchedule.Decay;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Rates against transformers 5.18: {@code bench/peers/make_schedule_fixtures.py}. */
class CurveTest {
    private static final int WARMUP = 5;
    private static final Map<String, LearningRateSchedule> OURS = Map.ofEntries(
            Map.entry("constant", schedule(0, 0, Decay.CONSTANT)),
            Map.entry("constant_with_warmup", schedule(WARMUP, 0, Decay.CONSTANT)),
            Map.entry("linear", schedule(WARMUP, 0, Decay.LINEAR)),
            Map.entry("cosine", schedule(WARMUP, 0, Decay.COSINE)),
            Map.entry("cosine_with_min_lr", schedule(WARMUP, 0.05, Decay.COSINE)),
            Map.entry("cosine_with_restarts", schedule(WARMUP, 0, new Curve.CosineWithRestarts(3))),
            Map.entry("polynomial", schedule(WARMUP, 0.05, new Curve.Polynomial(2))),
            Map.entry("inverse_sqrt", schedule(WARMUP, 0, new Curve.InverseSquareRoot(0))),
            Map.entry("inverse_sqrt_of_12", schedule(WARMUP, 0, new Curve.InverseSquareRoot(12))),
            Map.entry("wsd_cosine", schedule(WARMUP, 0, new Curve.StableThenDecay(8, Shape.COSINE))),
            Map.entry("wsd_linear", schedule(WARMUP, 0, new Curve.StableThenDecay(8, Shape.LINEAR))),
            Map.entry("wsd_sqrt", schedule(WARMUP, 0, new Curve.StableThenDecay(8, Shape.ONE_MINUS_SQRT))));

    private static LearningRateSchedule schedule(long warmup, double floor, Curve curve) {
        return new LearningRateSchedule(0.5, floor, warmup, 30, curve);
    }

    /**
     * Their step s is our step s + 1; in the warm-up theirs are one notch behind, so our step s has what theirs has there.
     * After the planned steps some of theirs rise again (cosine), ours keep the floor.
     */
    @Test
    void ratesAreThoseOfTransformersAndOneNotchAheadInTheWarmUp() throws IOException {
        JsonNode theirs = new ObjectMapper().readTree(CurveTest.class.getResourceAsStream("/schedules.json"));
        assertThat(theirs.propertyStream().map(Map.Entry::getKey)).containsExactlyInAnyOrderElementsOf(OURS.keySet());
        for (Map.Entry<String, JsonNode> rates : theirs.properties()) {
            LearningRateSchedule ours = OURS.get(rates.getKey());
            for (int step = 1; step <= 30; step++) {
                int of = step <= ours.warmupSteps() ? step : step - 1;
                assertThat(ours.at(step))
                        .as("%s, step %d", rates.getKey(), step)
                        .isCloseTo(rates.getValue().get(of).asDouble(), within(1e-12));
            }
        }
    }

    @Test
    void everyNameOfTransformersMeansItsCurveAndNoOtherDoes() {
        for (String name : Curve.NAMES) {
            assertThat(Curve.named(name, 100).at(0, 100, 0)).as(name).isEqualTo(1);
        }
        assertThat(Curve.named("warmup_stable_decay", 100)).isEqualTo(new Curve.StableThenDecay(10, Shape.COSINE));
        assertThat(Curve.named("linear", 100)).isEqualTo(Decay.LINEAR);
        assertThatThrownBy(() -> Curve.named("linaer", 100))
                .hasMessageContaining("linaer")
                .hasMessageContaining("warmup_stable_decay");
    }

    @Test
    void parametersOutOfRangeAreNamed() {
        assertThatThrownBy(() -> new Curve.Polynomial(0)).hasMessageContaining("0.0");
        assertThatThrownBy(() -> new Curve.CosineWithRestarts(0)).hasMessageContaining("cycles");
        assertThatThrownBy(() -> new Curve.InverseSquareRoot(-1)).hasMessageContaining("-1");
        assertThatThrownBy(() -> new Curve.StableThenDecay(0, Shape.LINEAR)).hasMessageContaining("decay steps");
    }
}
