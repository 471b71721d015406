package io.tidemill.feedback.loop;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.util.Timestamps;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.RoundEvent.Phase;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The newest rounds, each with its phases and how long they took, as the events on {@code rounds} tell it. An event that was
 * lost makes a phase look longer or shorter by a second; a round that was interrupted goes on in the same entry.
 */
final class RoundTimeline {
    private static final int NEWEST = 12;
    private static final Set<Phase> WORK = EnumSet.of(Phase.READING, Phase.TRAINING, Phase.GATING, Phase.PUBLISHING);

    private final Deque<Round> rounds = new ArrayDeque<>();

    private static final class Round {
        private final String version;
        private final long startedMillis;
        private final List<Span> spans = new ArrayList<>();
        private String outcome = "";

        Round(String version, long startedMillis) {
            this.version = version;
            this.startedMillis = startedMillis;
        }
    }

    private static final class Span {
        private final String name;
        private final long startedMillis;
        private long endedMillis;

        Span(String name, long startedMillis) {
            this.name = name;
            this.startedMillis = startedMillis;
            this.endedMillis = startedMillis;
        }
    }

    synchronized void take(RoundEvent event) {
        if (event.getVersion().isEmpty()) {
            return;
        }
        long now = Timestamps.toMillis(event.getEventTime());
        Round last = rounds.peekLast();
        boolean same = last != null && last.version.equals(event.getVersion());
        if (!WORK.contains(event.getPhase())) {
            if (same && last.outcome.isEmpty()) {
                end(last, event.getPhase(), now);
            }
            return;
        }
        if (!same) {
            last = new Round(event.getVersion(), now);
            rounds.addLast(last);
            while (rounds.size() > NEWEST) {
                rounds.removeFirst();
            }
        }
        last.outcome = "";
        String name = event.getPhase() == Phase.TRAINING && !event.getStage().isEmpty()
                ? event.getStage()
                : word(event.getPhase());
        Span open = last.spans.isEmpty() ? null : last.spans.get(last.spans.size() - 1);
        if (open != null) {
            open.endedMillis = Math.max(open.endedMillis, now);
        }
        if (open == null || !open.name.equals(name)) {
            last.spans.add(new Span(name, now));
        }
    }

    private static void end(Round round, Phase phase, long now) {
        if (!round.spans.isEmpty()) {
            Span open = round.spans.get(round.spans.size() - 1);
            open.endedMillis = Math.max(open.endedMillis, now);
        }
        // A round whose version waits for a decision is over too.
        round.outcome = phase == Phase.WAITING ? "passed" : word(phase);
    }

    private static String word(Phase phase) {
        return phase.name().toLowerCase(Locale.ROOT).replace("_phase", "");
    }

    /** Oldest first; {@code outcome} is empty while a round runs. */
    synchronized ArrayNode json() {
        ArrayNode json = JsonNodeFactory.instance.arrayNode();
        for (Round round : rounds) {
            ObjectNode one = json.addObject()
                    .put("version", round.version)
                    .put("started", Instant.ofEpochMilli(round.startedMillis).toString())
                    .put("outcome", round.outcome);
            ArrayNode phases = one.putArray("phases");
            for (Span span : round.spans) {
                phases.addObject().put("name", span.name).put("elapsed_millis", span.endedMillis - span.startedMillis);
            }
        }
        return json;
    }
}
