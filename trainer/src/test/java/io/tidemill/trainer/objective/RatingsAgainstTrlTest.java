package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.model.engine.AnswerCall;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Objectives over single ratings against TRL 1.13's own losses, figures and gradients. */
class RatingsAgainstTrlTest {
    private static final double CLOSE = 1e-9;
    private static final double FLOAT32 = 1e-6; // TRL keeps BCO's running mean in it

    static Stream<JsonNode> alone() {
        return Fixtures.elements(Fixtures.read("ratings.json").get("alone"));
    }

    @ParameterizedTest
    @MethodSource("alone")
    void lossFiguresAndSlopesAreThoseOfTrl(JsonNode expected) {
        check(objective(expected), expected, CLOSE);
    }

    @Test
    void theRunningMeanGoesOnFromCallToCallAndThroughItsMemory() {
        List<JsonNode> inOrder =
                Fixtures.elements(Fixtures.read("ratings.json").get("in_order")).toList();
        RatingObjective objective = objective(inOrder.get(0));
        for (JsonNode expected : inOrder) {
            RatingObjective resumed = objective(expected);
            resumed.restore(objective.memory());
            check(objective, expected, FLOAT32);
            check(resumed, expected, FLOAT32);
            assertThat(resumed.memory()).isEqualTo(objective.memory());
        }
    }

    private static void check(RatingObjective objective, JsonNode expected, double close) {
        double[] references = Fixtures.vector(expected.get("references"));
        double[] weights = Fixtures.vector(expected.get("weights"));
        List<RatedAnswer> answers = new ArrayList<>();
        for (int i = 0; i < references.length; i++) {
            answers.add(new RatedAnswer(expected.get("liked").get(i).asBoolean(), weights[i], references[i]));
        }
        AnswerCall call =
                new AnswerCall(Fixtures.cube(expected.get("log_probabilities")), Cases.none(references.length, 1));
        Figures figures = new Figures();

        double loss = objective.evaluate(
                call,
                answers,
                expected.get("divergence").asDouble(),
                Arrays.stream(weights).sum(),
                figures);

        assertThat(loss).isCloseTo(expected.get("loss").asDouble(), within(close));
        Fixtures.assertFigures(figures, expected.get("figures"), close);
        Fixtures.assertSame(Cases.logProbabilitySlopes(call), Fixtures.cube(expected.get("slopes")), close);
    }

    private static RatingObjective objective(JsonNode expected) {
        return Objectives.rating(expected.get("objective").asText(), Fixtures.strings(expected.get("parameters")));
    }
}
