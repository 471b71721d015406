package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** What bench/peers/make_objective_fixtures.py wrote. */
final class Fixtures {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Fixtures() {}

    static JsonNode read(String name) {
        try (InputStream in = Fixtures.class.getResourceAsStream("/fixtures/objectives/" + name)) {
            return JSON.readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Stream<JsonNode> elements(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false);
    }

    static Map<String, String> strings(JsonNode node) {
        return JSON.convertValue(node, new TypeReference<Map<String, String>>() {});
    }

    static double[] vector(JsonNode node) {
        return JSON.convertValue(node, double[].class);
    }

    static double[][] matrix(JsonNode node) {
        return JSON.convertValue(node, double[][].class);
    }

    /** {@code [text][answer][token]}. */
    static double[][][] cube(JsonNode node) {
        return JSON.convertValue(node, double[][][].class);
    }

    static void assertSame(double[][][] actual, double[][][] expected, double tolerance) {
        assertThat(actual).hasDimensions(expected.length, expected[0].length);
        for (int f = 0; f < expected.length; f++) {
            for (int a = 0; a < expected[f].length; a++) {
                assertThat(actual[f][a])
                        .as("text %d, answer %d", f, a)
                        .containsExactly(expected[f][a], within(tolerance));
            }
        }
    }

    /** Every figure of the fixture is logged; what else is logged does not matter. */
    static void assertFigures(Figures actual, JsonNode expected, double tolerance) {
        Map<String, Double> means = actual.means();
        List<Map.Entry<String, JsonNode>> figures = List.copyOf(expected.properties());
        for (Map.Entry<String, JsonNode> figure : figures) {
            assertThat(means).containsKey(figure.getKey());
            assertThat(means.get(figure.getKey()))
                    .as(figure.getKey())
                    .isCloseTo(figure.getValue().asDouble(), within(tolerance));
        }
    }
}
