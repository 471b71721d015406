package io.tidemill.standalone.demo;

import io.tidemill.proto.v1.SuiteResult;
import java.util.List;
import java.util.Optional;

/**
 * A suite's change from the first version of the lineage to the last promoted one, on the same examples: the paired
 * bootstrap of the gate's own comparison with its pinned ancestor.
 *
 * @param before     of the first version
 * @param after      of the last promoted version
 * @param examples   in the suite
 */
record Trend(double before, double after, double difference, double low, double high, long examples) {

    static Optional<Trend> of(String suite, List<RoundResult> rounds) {
        return rounds.stream()
                .filter(RoundResult::promoted)
                .reduce((earlier, later) -> later)
                .flatMap(last -> last.suiteSinceStart(suite))
                .map(Trend::of);
    }

    private static Trend of(SuiteResult result) {
        return new Trend(
                result.getBefore(),
                result.getAfter(),
                result.getDifference(),
                result.getDifferenceLow(),
                result.getDifferenceHigh(),
                result.getExamples());
    }

    boolean rose() {
        return low > 0;
    }

    boolean fell() {
        return high < 0;
    }
}
