package io.tidemill.trainer.round;

import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.data.LoggedAnswer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Log-probabilities of answers under the reference, the champion that a round started from: computed once a round, and
 * not at all where they were logged when this very version gave the answer.
 *
 * <p>Logged ones come from generation, computed ones from scoring: the same weights by other products, in another order. So
 * some of those that were logged are computed as well, and if any is further off than the bound, all are computed.
 */
final class References {
    /** Texts that are scored before commands are looked at. */
    private static final int AT_ONCE = 64;

    /** Logged answers that are computed too, at most. */
    private static final int PROBES = 16;

    /** Asks the reference: for each text the log-probability of each answer; nats. */
    interface Scoring {
        List<double[]> logProbabilities(List<PromptAnswers> texts);
    }

    /**
     * One text.
     *
     * @param logged what was kept of each of its answers; empty where nothing can have been
     */
    record Asked(PromptAnswers text, List<LoggedAnswer> logged) {}

    private final WorkDirectory work;
    private final String champion;
    private final double bound;
    private final Scoring scoring;
    private final Runnable between;
    private final Map<String, Double> metrics;

    /**
     * @param bound   how far a logged log-probability may be from the computed one, nats per token; 0 uses none
     * @param between called between two calls: commands, a sign of life
     * @param metrics get how many were logged, and how far off the probes were
     */
    References(
            WorkDirectory work,
            String champion,
            double bound,
            Scoring scoring,
            Runnable between,
            Map<String, Double> metrics) {
        this.work = work;
        this.champion = champion;
        this.bound = bound;
        this.scoring = scoring;
        this.between = between;
        this.metrics = metrics;
    }

    /**
     * For each text the log-probability of each of its answers; nats.
     *
     * @param name under which the round keeps them
     */
    List<double[]> of(String name, List<Asked> asked) throws IOException {
        Optional<List<double[]>> kept = work.references(name, asked.size());
        if (kept.isPresent()) {
            return kept.get();
        }
        Map<Integer, double[]> known = logged(name, asked);
        List<Integer> unknown = new ArrayList<>();
        for (int i = 0; i < asked.size(); i++) {
            if (!known.containsKey(i)) {
                unknown.add(i);
            }
        }
        known.putAll(computed(asked, unknown));
        List<double[]> references = new ArrayList<>();
        for (int i = 0; i < asked.size(); i++) {
            references.add(known.get(i));
        }
        work.keepReferences(name, references);
        return references;
    }

    private Map<Integer, double[]> computed(List<Asked> asked, List<Integer> which) {
        Map<Integer, double[]> results = new HashMap<>();
        for (int from = 0; from < which.size(); from += AT_ONCE) {
            between.run();
            List<Integer> some = which.subList(from, Math.min(which.size(), from + AT_ONCE));
            List<double[]> answers = scoring.logProbabilities(
                    some.stream().map(index -> asked.get(index).text()).toList());
            for (int i = 0; i < some.size(); i++) {
                results.put(some.get(i), answers.get(i));
            }
        }
        return results;
    }

    /** By index, those that the log knows; none where a probe is too far off. */
    private Map<Integer, double[]> logged(String name, List<Asked> asked) {
        Map<Integer, double[]> logged = new HashMap<>();
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < asked.size() && bound > 0; i++) {
            Asked one = asked.get(i);
            if (isLogged(one)) {
                logged.put(i, one.logged.stream().mapToDouble(LoggedAnswer::sum).toArray());
                order.add(i);
            }
        }
        if (order.isEmpty()) {
            return logged;
        }
        List<Integer> probes = order.subList(0, Math.min(PROBES, order.size()));
        double furthest = 0;
        for (Map.Entry<Integer, double[]> probe : computed(asked, probes).entrySet()) {
            List<int[]> answers = asked.get(probe.getKey()).text().answers();
            for (int a = 0; a < answers.size(); a++) {
                double off = Math.abs(probe.getValue()[a] - logged.get(probe.getKey())[a]);
                furthest = Math.max(furthest, off / answers.get(a).length);
            }
        }
        boolean trusted = furthest <= bound;
        metrics.put(name + "_references_logged", trusted ? (double) order.size() : 0);
        metrics.put(name + "_references_off_nats_per_token", furthest);
        return trusted ? logged : new HashMap<>();
    }

    private boolean isLogged(Asked one) {
        List<int[]> answers = one.text.answers();
        if (one.logged.size() != answers.size()) {
            return false;
        }
        for (int a = 0; a < answers.size(); a++) {
            if (!one.logged.get(a).is(champion, answers.get(a))) {
                return false;
            }
        }
        return true;
    }
}
