package io.tidemill.standalone.demo;

import io.tidemill.proto.v1.SuiteResult;
import java.util.List;
import java.util.Optional;

/**
 * A suite's change over all promoted rounds: the sum of their differences, between the sums of their intervals' ends.
 *
 * <p>Each round's interval is the paired bootstrap's of candidate against champion. The sum of the ends is wider than
 * an interval of the sum would be, so what it says is said with care.
 *
 * @param before     of the first champion
 * @param after      of the last promoted version
 * @param examples   in the newest round's suite
 */
record Trend(double before, double after, double difference, double low, double high, long examples) {

    static Optional<Trend> of(String suite, List<RoundResult> rounds) {
        List<SuiteResult> results = rounds.stream()
                .filter(RoundResult::promoted)
                .flatMap(round -> round.suite(suite).stream())
                .toList();
        if (results.isEmpty()) {
            return Optional.empty();
        }
        SuiteResult last = results.get(results.size() - 1);
        return Optional.of(new Trend(
                results.get(0).getBefore(),
                last.getAfter(),
                results.stream().mapToDouble(SuiteResult::getDifference).sum(),
                results.stream().mapToDouble(SuiteResult::getDifferenceLow).sum(),
                results.stream().mapToDouble(SuiteResult::getDifferenceHigh).sum(),
                last.getExamples()));
    }

    boolean rose() {
        return low > 0;
    }

    boolean fell() {
        return high < 0;
    }
}
