package io.tidemill.preprocess.outcome;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** Counts what the stages decided since this process started; safe for several threads. */
public final class Outcomes {
    /** Code under which a stage counts what it let pass. */
    public static final String ACCEPTED = "accepted";

    private static final String METRIC = "preprocess.records";

    private final Map<String, Map<String, LongAdder>> counts = new ConcurrentHashMap<>();
    private final MeterRegistry meters;

    /** Counts, and shows the counts as {@code preprocess_records_total{stage,code}}. */
    public Outcomes(MeterRegistry meters) {
        this.meters = meters;
    }

    public void accepted(String stage) {
        count(stage, ACCEPTED);
    }

    public void refused(Refusal refusal) {
        count(refusal.stage(), refusal.code());
    }

    /** One more record that ended at this stage under this code. */
    public void count(String stage, String code) {
        count(stage, code, 1);
    }

    /** So many more. */
    public void count(String stage, String code, long records) {
        counts.computeIfAbsent(stage, name -> new ConcurrentHashMap<>())
                .computeIfAbsent(code, name -> new LongAdder())
                .add(records);
        meters.counter(METRIC, "stage", stage, "code", code).increment(records);
    }

    /** Records by stage and code. */
    public Map<String, Map<String, Long>> snapshot() {
        Map<String, Map<String, Long>> snapshot = new TreeMap<>();
        counts.forEach((stage, codes) -> {
            Map<String, Long> byCode = new TreeMap<>();
            codes.forEach((code, count) -> byCode.put(code, count.sum()));
            snapshot.put(stage, byCode);
        });
        return snapshot;
    }
}
