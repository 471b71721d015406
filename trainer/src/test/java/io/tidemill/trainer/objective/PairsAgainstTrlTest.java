package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemill.model.engine.AnswerCall;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Objectives over pairs against TRL 1.13's own losses, figures and gradients. */
class PairsAgainstTrlTest {
    private static final double CLOSE = 1e-9;
    private static final double FLOAT32 = 2e-6; // TRL casts ORPO's log-probabilities

    static Stream<JsonNode> pairs() {
        return Fixtures.elements(Fixtures.read("pairs.json").get("pairs"));
    }

    static Stream<JsonNode> rewards() {
        return Fixtures.elements(Fixtures.read("pairs.json").get("rewards"));
    }

    @ParameterizedTest
    @MethodSource("pairs")
    void lossFiguresAndSlopesAreThoseOfTrl(JsonNode expected) {
        PairObjective objective = objective(expected);
        double close = objective.name().equals("orpo") ? FLOAT32 : CLOSE;
        double[][][] logProbabilities = Fixtures.cube(expected.get("log_probabilities"));
        double[][] references = Fixtures.matrix(expected.get("references"));
        double[] weights = Fixtures.vector(expected.get("weights"));
        List<JudgedPair> judged = new ArrayList<>();
        for (int i = 0; i < weights.length; i++) {
            judged.add(new JudgedPair(weights[i], references[i][0], references[i][1], 0));
        }
        AnswerCall call = new AnswerCall(logProbabilities, Cases.none(weights.length, 2));
        Figures figures = new Figures();

        double loss = objective.evaluate(call, judged, Arrays.stream(weights).sum(), figures);

        assertThat(loss).isCloseTo(expected.get("loss").asDouble(), within(close));
        Fixtures.assertFigures(figures, expected.get("figures"), close);
        Fixtures.assertSame(Cases.logProbabilitySlopes(call), Fixtures.cube(expected.get("slopes")), close);
    }

    @ParameterizedTest
    @MethodSource("rewards")
    void aRewardModelsLossFiguresAndSlopesAreThoseOfTrl(JsonNode expected) {
        double[][] scores = Fixtures.matrix(expected.get("scores"));
        double[][] slopes = Fixtures.matrix(expected.get("slopes"));
        double[] margins = Fixtures.vector(expected.get("margins"));
        List<JudgedPair> judged = new ArrayList<>();
        double[][][] values = new double[scores.length][2][];
        double[][][] expectedSlopes = new double[scores.length][2][];
        for (int i = 0; i < scores.length; i++) {
            judged.add(new JudgedPair(1, 0, 0, margins[i]));
            for (int a = 0; a < 2; a++) { // the score is the last of the values; those before say nothing
                values[i][a] = new double[] {7, -7, scores[i][a]};
                expectedSlopes[i][a] = new double[] {0, 0, slopes[i][a]};
            }
        }
        AnswerCall call = new AnswerCall(Cases.none(scores.length, 2), values);
        Figures figures = new Figures();

        double loss = objective(expected).evaluate(call, judged, scores.length, figures);

        assertThat(loss).isCloseTo(expected.get("loss").asDouble(), within(CLOSE));
        Fixtures.assertFigures(figures, expected.get("figures"), FLOAT32); // accuracy
        Fixtures.assertSame(Cases.valueSlopes(call), expectedSlopes, CLOSE);
    }

    private static PairObjective objective(JsonNode expected) {
        return Objectives.pair(expected.get("objective").asText(), Fixtures.strings(expected.get("parameters")));
    }
}
