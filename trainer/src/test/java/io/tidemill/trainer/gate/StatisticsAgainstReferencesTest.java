package io.tidemill.trainer.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** What {@code bench/peers/make_gate_fixtures.py} found with SciPy, statsmodels and RapidFuzz. */
class StatisticsAgainstReferencesTest {
    private static final JsonNode TOLD = read();

    private static JsonNode read() {
        try (InputStream in = StatisticsAgainstReferencesTest.class.getResourceAsStream("/gate-statistics.json")) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static double[] numbers(JsonNode json) {
        return StreamSupport.stream(json.spliterator(), false)
                .mapToDouble(JsonNode::asDouble)
                .toArray();
    }

    private static int[] tokens(JsonNode json) {
        return StreamSupport.stream(json.spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    private static Scores ones(double[] values) {
        double[] weights = new double[values.length];
        Arrays.fill(weights, 1);
        return new Scores(values, weights);
    }

    @Test
    void holmRejectsWhatStatsmodelsRejects() {
        for (JsonNode one : TOLD.path("holm")) {
            List<Boolean> rejected = new ArrayList<>();
            one.path("rejected").forEach(each -> rejected.add(each.asBoolean()));
            assertThat(Holm.decide(numbers(one.path("p")), 0.05))
                    .as("%s", one)
                    .extracting(Holm.Decision::rejected)
                    .isEqualTo(rejected);
        }
    }

    @Test
    void exactIntervalsAreThoseOfScipy() {
        for (JsonNode one : TOLD.path("clopper_pearson")) {
            Binomial.Interval interval = Binomial.clopperPearson(
                    one.path("count").asInt(), one.path("n").asInt(), 0.95);
            assertThat(interval.low()).as("%s", one).isCloseTo(one.path("low").asDouble(), within(1e-9));
            assertThat(interval.high()).as("%s", one).isCloseTo(one.path("high").asDouble(), within(1e-9));
        }
    }

    @Test
    void intervalsOfThePairedBootstrapAreThoseOfScipy() {
        for (JsonNode one : TOLD.path("bootstrap")) {
            double[] before = numbers(one.path("before"));
            PairedBootstrap bootstrap = PairedBootstrap.of(ones(before), ones(numbers(one.path("after"))), 20_000, 1);
            Interval interval = Interval.ofPercentiles(bootstrap.differences());
            double width = one.path("high").asDouble() - one.path("low").asDouble();
            // two quantiles of 20,000 resamples each: off by about a hundredth of the width
            assertThat(interval.low()).isCloseTo(one.path("low").asDouble(), within(0.025 * width));
            assertThat(interval.high()).isCloseTo(one.path("high").asDouble(), within(0.025 * width));
        }
    }

    @Test
    void bothSidesOfAnEquivalenceHaveThePValuesOfATTest() {
        for (JsonNode one : TOLD.path("bootstrap")) {
            double margin = one.path("margin").asDouble();
            PairedBootstrap bootstrap =
                    PairedBootstrap.of(ones(numbers(one.path("before"))), ones(numbers(one.path("after"))), 20_000, 1);
            double rises = one.path("p_rises").asDouble();
            double falls = one.path("p_falls").asDouble();
            // a bootstrap is not a t distribution; the samples are large enough for two hundredths
            assertThat(bootstrap.probabilityOfInferiority(margin, -1)).isCloseTo(rises, within(0.02));
            assertThat(bootstrap.probabilityOfInferiority(margin, 1)).isCloseTo(falls, within(0.02));
            assertThat(Rule.EQUIVALENCE.pValue(bootstrap, margin, -1)).isCloseTo(Math.max(rises, falls), within(0.02));
        }
    }

    @Test
    void agreementOfAnswersIsF1OfTheirLongestCommonSubsequence() {
        for (JsonNode one : TOLD.path("agreement")) {
            Reply reply = new Reply(tokens(one.path("one")), true);
            Reply other = new Reply(tokens(one.path("other")), false);
            assertThat(reply.agreement(other))
                    .as("%s", one)
                    .isCloseTo(one.path("f1").asDouble(), within(1e-12));
        }
    }
}
