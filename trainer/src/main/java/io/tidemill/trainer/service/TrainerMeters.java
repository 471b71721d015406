package io.tidemill.trainer.service;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.trainer.checkpoint.Conservation;
import io.tidemill.trainer.round.TrainerStatus;
import io.tidemill.trainer.slice.Waiting;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Figures of a model's versions and its ledger, told anew when they have changed. */
final class TrainerMeters {
    /** A label's value stays in a metrics store for as long as it is told. */
    private static final int NEWEST_VERSIONS = 20;

    private final Tags model;
    private final MultiGauge received;
    private final MultiGauge outcomes;
    private final MultiGauge differences;
    private final MultiGauge states;
    private final MultiGauge figures;
    private final MultiGauge suites;
    private final MultiGauge phases;
    private RoundEvent.Phase phase = RoundEvent.Phase.UNRECOGNIZED; // told none
    private List<CheckpointEvent> told = List.of();
    private Map<String, Long> waiting = Map.of();

    TrainerMeters(MeterRegistry meters, String model) {
        this.model = Tags.of("model", model);
        received = gauge(
                meters, "trainer_received_records", "Records that live versions read, that were passed over, or wait");
        outcomes = gauge(meters, "trainer_ledger_records", "What became of each of the records received");
        differences = gauge(
                meters, "trainer_conservation_difference_records", "Received, less all that something became of; 0");
        states = gauge(meters, "trainer_version_info", "1 for each of the newest versions, with its state");
        figures = gauge(
                meters,
                "trainer_version_figure",
                "What the round measured of a version: losses, gradient norms, KL, …");
        suites = gauge(meters, "trainer_gate_suite", "What a suite of the gate measured of a version");
        phases = gauge(
                meters, "trainer_phase_info", "1 for what the trainer does: waiting, training, gating, failed, …");
    }

    private static MultiGauge gauge(MeterRegistry meters, String name, String description) {
        return MultiGauge.builder(name).description(description).register(meters);
    }

    void refresh(TrainerStatus status) {
        phase(status.round().getPhase());
        boolean versionsChanged = told.size() != status.events().size();
        Map<String, Long> waitingNow = status.round().getWaitingByTopicMap();
        if (versionsChanged || !waiting.equals(waitingNow)) {
            ledger(Conservation.of(status.events(), waitingNow));
        }
        if (versionsChanged) {
            versions(status.events());
        }
        told = status.events();
        waiting = waitingNow;
    }

    private void phase(RoundEvent.Phase now) {
        if (now != phase) {
            String name = now.name().toLowerCase(Locale.ROOT).replace("_phase", ""); // promoted, refused
            phases.register(List.of(Row.of(model.and("phase", name), 1)), true);
            phase = now;
        }
    }

    private void ledger(Conservation conservation) {
        List<Row<?>> all = new ArrayList<>();
        List<Row<?>> parts = new ArrayList<>();
        List<Row<?>> off = new ArrayList<>();
        conservation.topics().forEach((name, topic) -> {
            Tags tags = model.and("topic", name);
            all.add(Row.of(tags, topic.received()));
            off.add(Row.of(tags, topic.difference()));
            topic.outcomes()
                    .forEach((stage, records) -> parts.add(Row.of(
                            tags.and("outcome", Waiting.isTrained(stage) ? "trained" : stage, "stage", stage),
                            records)));
        });
        received.register(all, true);
        outcomes.register(parts, true);
        differences.register(off, true);
    }

    private void versions(List<CheckpointEvent> events) {
        Map<String, CheckpointEvent> newest = new LinkedHashMap<>();
        events.forEach(event -> newest.put(event.getVersion(), event));
        List<Row<?>> info = new ArrayList<>();
        List<Row<?>> measured = new ArrayList<>();
        List<Row<?>> judged = new ArrayList<>();
        newest.values().stream()
                .skip(Math.max(0, newest.size() - NEWEST_VERSIONS))
                .forEach(event -> {
                    Tags version = model.and("version", event.getVersion());
                    String state = event.getState().name().toLowerCase(Locale.ROOT);
                    info.add(Row.of(version.and("parent", event.getParent(), "state", state), 1));
                    event.getMetricsMap()
                            .forEach((name, value) -> measured.add(Row.of(version.and("figure", name), value)));
                    event.getVerdict().getSuitesList().forEach(suite -> judged.addAll(suite(version, suite)));
                });
        states.register(info, true);
        figures.register(measured, true);
        suites.register(judged, true);
    }

    private static List<Row<?>> suite(Tags version, SuiteResult suite) {
        Tags tags = version.and("suite", suite.getSuite(), "against", suite.getAgainst());
        return List.of(
                Row.of(tags.and("figure", "before"), suite.getBefore()),
                Row.of(tags.and("figure", "after"), suite.getAfter()),
                Row.of(tags.and("figure", "difference"), suite.getDifference()),
                Row.of(tags.and("figure", "difference_low"), suite.getDifferenceLow()),
                Row.of(tags.and("figure", "difference_high"), suite.getDifferenceHigh()),
                Row.of(tags.and("figure", "examples"), suite.getExamples()),
                Row.of(tags.and("figure", "passed"), suite.getPassed() ? 1 : 0));
    }
}
