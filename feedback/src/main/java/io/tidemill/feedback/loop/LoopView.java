package io.tidemill.feedback.loop;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.Timestamp;
import io.tidemill.feedback.answer.Task;
import io.tidemill.feedback.log.EventLog;
import io.tidemill.feedback.serving.AnswerQueue;
import io.tidemill.feedback.serving.ModelFollower;
import io.tidemill.feedback.serving.VersionLedger;
import io.tidemill.proto.v1.ArmFigures;
import io.tidemill.proto.v1.CanaryFigures;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDigest;
import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.Lineage;
import io.tidemill.proto.v1.Notice;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.SliceRange;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.proto.v1.TopicAccount;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The state of the loop as one JSON document: what serves, the newest versions with their verdicts, the running round, what
 * this process has done, and what went wrong. Fields that hold a time are ISO-8601 in UTC; {@code _millis} are
 * milliseconds.
 */
public final class LoopView {
    /** The document is sent on every change, so it must not grow for ever; the store lists all versions. */
    private static final int NEWEST_VERSIONS = 100;

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final String model;
    private final VersionLedger ledger;
    private final Supplier<ModelFollower.Status> serving;
    private final AnswerQueue queue;
    private final Activity activity;
    private final EventLog log;
    private final Instant started;
    private final RoundTimeline timeline = new RoundTimeline();
    private volatile RoundEvent round = RoundEvent.getDefaultInstance();

    /** @param started when this process began to count */
    public LoopView(
            String model,
            VersionLedger ledger,
            Supplier<ModelFollower.Status> serving,
            AnswerQueue queue,
            Activity activity,
            EventLog log,
            Instant started) {
        this.model = model;
        this.ledger = ledger;
        this.serving = serving;
        this.queue = queue;
        this.activity = activity;
        this.log = log;
        this.started = started;
    }

    /** Takes in the newest state of the running round; rounds of other models change nothing. */
    public void round(RoundEvent event) {
        if (event.getModel().equals(model)) {
            round = event;
            timeline.take(event);
        }
    }

    /** The state now. */
    public ObjectNode json() {
        ObjectNode loop = NODES.objectNode().put("model", model);
        loop.set("served", served(serving.get()));
        loop.set("versions", versions());
        loop.set("round", round());
        loop.set("timeline", timeline.json());
        loop.set("ledger", ledger());
        loop.set("activity", activity());
        loop.set("kafka", NODES.objectNode().put("reachable", log.reachable()));
        ArrayNode errors = loop.putArray("errors");
        activity.problems().forEach(problem -> errors.addObject()
                .put("at", problem.at().toString())
                .put("where", problem.where())
                .put("message", problem.message()));
        return loop;
    }

    private static ObjectNode served(ModelFollower.Status status) {
        ObjectNode served = NODES.objectNode()
                .put("version", status.version().orElse(null))
                .put("task", status.task().map(Task::word).orElse(null))
                .put("since", status.since().map(Instant::toString).orElse(null))
                .put("parameters", status.parameters())
                .put("loading", status.loading().orElse(null))
                .put("canary", status.canary().orElse(null));
        status.failure()
                .ifPresentOrElse(
                        failure -> served.putObject("failure")
                                .put("version", failure.version())
                                .put("reason", failure.reason())
                                .put("at", failure.at().toString()),
                        () -> served.putNull("failure"));
        return served;
    }

    private ArrayNode versions() {
        ArrayNode versions = NODES.arrayNode();
        List<CheckpointEvent> oldestFirst = ledger.versions().stream()
                .sorted(Comparator.comparing(CheckpointEvent::getVersion))
                .toList();
        oldestFirst.stream()
                .skip(Math.max(0, oldestFirst.size() - NEWEST_VERSIONS))
                .forEach(event -> versions.add(version(event)));
        return versions;
    }

    private static ObjectNode version(CheckpointEvent event) {
        ObjectNode version = NODES.objectNode()
                .put("version", event.getVersion())
                .put("parent", event.getParent())
                .put("state", event.getState().name().toLowerCase(Locale.ROOT))
                .put("time", time(event.hasEventTime(), event.getEventTime()))
                .put("reason", event.getReason())
                .put("uri", event.getUri())
                .put("files_url", event.getFilesUrl())
                .put("parameters", event.getParameters());
        ArrayNode files = version.putArray("files");
        for (FileDigest file : event.getFilesList()) {
            files.addObject()
                    .put("path", file.getPath())
                    .put("length", file.getLength())
                    .put("sha256", file.getSha256());
        }
        version.set("verdict", event.hasVerdict() ? verdict(event.getVerdict()) : NODES.nullNode());
        version.set("lineage", event.hasLineage() ? lineage(event.getLineage()) : NODES.nullNode());
        version.set("canary", event.hasCanary() ? canary(event.getCanary()) : NODES.nullNode());
        ObjectNode metrics = version.putObject("metrics");
        new TreeMap<>(event.getMetricsMap()).forEach((name, value) -> number(metrics, name, value));
        return version;
    }

    private static ObjectNode canary(CanaryFigures figures) {
        ObjectNode json = NODES.objectNode()
                .put("share", figures.getShare())
                .put("comparisons", figures.getComparisons())
                .put("comparisons_needed", figures.getComparisonsNeeded())
                .put("promoted_without_evidence", figures.getPromotedWithoutEvidence())
                .put("since", time(figures.hasSince(), figures.getSince()))
                .put("until", time(figures.hasUntil(), figures.getUntil()));
        arm(json.putObject("champion"), figures.getChampion());
        arm(json.putObject("canary"), figures.getCanary());
        number(json, "difference", figures.getDifference());
        number(json, "difference_low", figures.getDifferenceLow());
        number(json, "difference_high", figures.getDifferenceHigh());
        number(json, "margin", figures.getMargin());
        number(json, "evidence_for", figures.getEvidenceFor());
        number(json, "evidence_against", figures.getEvidenceAgainst());
        number(json, "evidence_needed", figures.getEvidenceNeeded());
        return json;
    }

    private static void arm(ObjectNode json, ArmFigures figures) {
        json.put("completions", figures.getCompletions()).put("rated", figures.getRated());
        number(json, "mean_score", figures.getMeanScore());
    }

    private static ObjectNode verdict(GateVerdict verdict) {
        ObjectNode json = NODES.objectNode().put("passed", verdict.getPassed()).put("summary", verdict.getSummary());
        ArrayNode suites = json.putArray("suites");
        for (SuiteResult suite : verdict.getSuitesList()) {
            ObjectNode result = suites.addObject()
                    .put("suite", suite.getSuite())
                    .put("against", suite.getAgainst())
                    .put("unit", suite.getUnit())
                    .put("examples", suite.getExamples())
                    .put("passed", suite.getPassed())
                    .put("rule", suite.getRule());
            number(result, "before", suite.getBefore());
            number(result, "after", suite.getAfter());
            number(result, "difference", suite.getDifference());
            number(result, "difference_low", suite.getDifferenceLow());
            number(result, "difference_high", suite.getDifferenceHigh());
            number(result, "after_low", suite.getAfterLow());
            number(result, "after_high", suite.getAfterHigh());
            number(result, "margin", suite.getMargin());
        }
        return json;
    }

    private static ObjectNode lineage(Lineage lineage) {
        long records = lineage.getSlicesList().stream()
                .mapToLong(SliceRange::getRecords)
                .sum();
        ObjectNode json = NODES.objectNode()
                .put("round", lineage.getRound())
                .put("seed", lineage.getSeed())
                .put("records", records)
                .put("first_feedback_time", time(lineage.hasFirstFeedbackTime(), lineage.getFirstFeedbackTime()));
        counts(json.putObject("examples"), lineage.getExamplesMap());
        ArrayNode slices = json.putArray("slices");
        for (SliceRange slice : lineage.getSlicesList()) {
            slices.addObject()
                    .put("topic", slice.getTopic())
                    .put("partition", slice.getPartition())
                    .put("from_offset", slice.getFromOffset())
                    .put("to_offset", slice.getToOffset())
                    .put("records", slice.getRecords());
        }
        return json;
    }

    private ObjectNode round() {
        RoundEvent now = round;
        ObjectNode json = NODES.objectNode()
                .put("round", now.getRound())
                .put("version", now.getVersion())
                .put("phase", now.getPhase().name().toLowerCase(Locale.ROOT).replace("_phase", ""))
                .put("stage", now.getStage())
                .put("step", now.getStep())
                .put("steps", now.getSteps())
                .put("time", time(now.hasEventTime(), now.getEventTime()))
                .put("started", time(now.hasStarted(), now.getStarted()))
                .put("message", now.getMessage());
        number(json, "loss", now.getLoss());
        number(json, "learning_rate", now.getLearningRate());
        number(json, "tokens_per_second", now.getTokensPerSecond());
        number(json, "preference_accuracy", now.getPreferenceAccuracy());
        counts(json.putObject("examples"), now.getExamplesMap());
        counts(json.putObject("waiting"), now.getWaitingMap());
        json.set("verdict", now.hasVerdict() ? verdict(now.getVerdict()) : NODES.nullNode());
        json.set("canary", now.hasCanary() ? canary(now.getCanary()) : NODES.nullNode());
        json.set("notice", now.hasNotice() ? notice(now.getNotice()) : NODES.nullNode());
        return json;
    }

    private static ObjectNode notice(Notice notice) {
        return NODES.objectNode()
                .put("command_id", notice.getCommandId())
                .put("done", notice.getDone())
                .put("text", notice.getText())
                .put("time", time(notice.hasEventTime(), notice.getEventTime()));
    }

    /** What became of the records that the live version and its ancestors read, and what waits, by topic. */
    private ObjectNode ledger() {
        Map<String, Map<String, Long>> topics = new TreeMap<>();
        for (CheckpointEvent version : ledger.ancestry()) {
            for (TopicAccount topic : version.getAccount().getTopicsList()) {
                Map<String, Long> outcomes = topics.computeIfAbsent(topic.getTopic(), none -> new TreeMap<>());
                topic.getOutcomesMap().forEach((outcome, records) -> outcomes.merge(outcome, records, Long::sum));
                outcomes.merge("received", topic.getRecords(), Long::sum);
            }
        }
        round.getWaitingByTopicMap().forEach((topic, records) -> {
            Map<String, Long> outcomes = topics.computeIfAbsent(topic, none -> new TreeMap<>());
            outcomes.merge("waiting", records, Long::sum);
            outcomes.merge("received", records, Long::sum);
        });
        ObjectNode json = NODES.objectNode();
        topics.forEach((topic, outcomes) -> {
            if (outcomes.getOrDefault("received", 0L) > 0) {
                counts(json.putObject(topic), outcomes);
            }
        });
        return json;
    }

    private ObjectNode activity() {
        Activity.Counts counts = activity.counts();
        ObjectNode json = NODES.objectNode()
                .put("since", started.toString())
                .put("asked", counts.asked())
                .put("answered", counts.answered())
                .put("turned_away", counts.turnedAway())
                .put("completions", counts.stored())
                .put("partial_completions", counts.partial())
                .put("waiting", queue.waiting())
                .put("running", queue.running());
        counts(json.putObject("feedback"), counts.feedback());
        percentiles(json.putObject("answer_millis"), activity.answerTimes());
        percentiles(json.putObject("first_token_millis"), activity.firstTokenTimes());
        return json;
    }

    private static void percentiles(ObjectNode json, Percentiles times) {
        json.put("samples", times.samples()).put("p50", times.millis(0.5)).put("p95", times.millis(0.95));
    }

    private static void counts(ObjectNode json, Map<String, Long> counts) {
        new TreeMap<>(counts).forEach(json::put);
    }

    /** JSON has no NaN: what is no number is null. */
    private static void number(ObjectNode json, String name, double value) {
        if (Double.isFinite(value)) {
            json.put(name, value);
        } else {
            json.putNull(name);
        }
    }

    private static String time(boolean present, Timestamp time) {
        return present
                ? Instant.ofEpochSecond(time.getSeconds(), time.getNanos()).toString()
                : null;
    }
}
