package io.tidemill.trainer.gate;

import io.tidemill.trainer.data.ExampleOrder;
import io.tidemill.trainer.gate.OperatorProbe.Kind;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The suites for which a model answers: the operator's probes, and the manner of its answers. Read from their files as they
 * are now.
 */
public final class OperatorSuites {
    public static final String PROBES = "probes";
    public static final String SAFETY = "safety-probes";
    public static final String LABELS = "label-probes";

    private static final long SAMPLE = 0x6472_6966L;

    private final GatePolicy policy;
    private final Map<String, List<OperatorProbe>> probes = new LinkedHashMap<>(); // by suite
    private final List<OperatorProbe> driftPrompts;
    private final List<OperatorLabels> labels;

    private OperatorSuites(GatePolicy policy) {
        this.policy = policy;
        named(PROBES, policy.probes()).forEach(probe -> probes.computeIfAbsent(
                        probe.suite().isEmpty() ? PROBES : PROBES + "-" + probe.suite(), suite -> new ArrayList<>())
                .add(probe));
        List<OperatorProbe> safety = named(SAFETY, policy.safetyProbes());
        if (!safety.isEmpty()) {
            probes.put(SAFETY, safety);
        }
        this.driftPrompts = policy.drift().prompts().isEmpty()
                ? List.of()
                : read("drift-prompts", policy.drift().prompts(), Kind.PROMPT);
        this.labels = policy.labelProbes().isEmpty() ? List.of() : readLabels(policy.labelProbes());
    }

    /**
     * Reads the files of a policy.
     *
     * @throws IllegalArgumentException if one cannot be used; the message names setting, file, line and remedy
     */
    public static OperatorSuites read(GatePolicy policy) {
        OperatorSuites suites = new OperatorSuites(policy);
        suites.probes.forEach((suite, probes) -> {
            if (!suite.equals(SAFETY) && probes.size() < policy.minimumProbes()) {
                throw new IllegalArgumentException("trainer.gate.probes: suite " + suite + " has " + probes.size()
                        + (probes.size() == 1 ? " probe" : " probes") + ", but is judged from "
                        + policy.minimumProbes()
                        + " on (trainer.gate.minimum-probes), and without it nothing is promoted."
                        + " Write more, or put them into one suite.");
            }
        });
        return suites;
    }

    private static List<OperatorProbe> named(String key, List<String> files) {
        List<OperatorProbe> probes = new ArrayList<>();
        Set<String> ids = new HashSet<>();
        for (String file : files) {
            for (OperatorProbe probe : read(key, file, Kind.PROBE)) {
                if (!ids.add(probe.id())) {
                    throw new IllegalArgumentException("trainer.gate." + key + ": " + probe.place() + ": id \""
                            + probe.id() + "\" stands in another file too");
                }
                probes.add(probe);
            }
        }
        return probes;
    }

    private static List<OperatorProbe> read(String key, String file, Kind kind) {
        try {
            return OperatorProbe.read(Path.of(file), kind);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("trainer.gate." + key + ": " + e.getMessage(), e);
        }
    }

    private static List<OperatorLabels> readLabels(String file) {
        try {
            return OperatorLabels.read(Path.of(file));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("trainer.gate." + LABELS + ": " + e.getMessage(), e);
        }
    }

    /** Names of the operator's own suites. */
    public Set<String> names() {
        Set<String> names = new TreeSet<>(probes.keySet());
        if (!labels.isEmpty()) {
            names.add(LABELS);
        }
        return names;
    }

    /** Whether there is something that only a model that writes can be asked. */
    public boolean wantAnswers() {
        return !probes.isEmpty() || !driftPrompts.isEmpty();
    }

    /** Texts with their labels, for a classifier. */
    public List<OperatorLabels> labels() {
        return List.copyOf(labels);
    }

    /**
     * What the gate asks beyond the suites' own rules: the operator's suites are required.
     *
     * @param more names of suites whose examples are the operator's too
     */
    public Gate.Policy policy(Set<String> more) {
        Set<String> required = new TreeSet<>(names());
        required.addAll(policy.required());
        Set<String> operator = new TreeSet<>(names());
        operator.addAll(more);
        return new Gate.Policy(required, new TreeSet<>(policy.superior()), operator);
    }

    /** @throws IllegalArgumentException if a model cannot be asked something; the message names line and remedy */
    public void check(AskedModel model) {
        probeSuites(model);
        driftPrompts.forEach(prompt -> model.tokenize(prompt, policy.drift().tokens()));
    }

    /** Suites of the operator's probes. */
    public List<Suite<Scoring>> probeSuites(AskedModel model) {
        List<Suite<Scoring>> suites = new ArrayList<>();
        probes.forEach((name, some) -> suites.add(new ProbeSuite(
                name,
                some.stream()
                        .map(probe -> model.tokenize(probe, policy.probeTokens()))
                        .toList(),
                model.tokenizer()::decode,
                name.equals(SAFETY) ? Rule.NO_REGRESSION : Rule.NON_INFERIORITY,
                name.equals(SAFETY) ? 0 : policy.probeMargin(),
                name.equals(SAFETY) ? 1 : policy.minimumProbes())));
        return suites;
    }

    /**
     * Suites of the manner of answers.
     *
     * @param otherwise prompts to take where the operator gives none
     * @param parent    name of the champion
     */
    public List<Suite<Scoring>> driftSuites(AskedModel model, List<int[]> otherwise, String parent, Scoring champion) {
        GatePolicy.Drift drift = policy.drift();
        if (drift.sample() == 0) {
            return List.of();
        }
        List<Question> questions = questions(model, otherwise);
        return List.of(
                new DriftSuite(DriftSuite.Figure.LENGTH, questions, drift.lengthMargin(), drift.minimum()),
                new DriftSuite(DriftSuite.Figure.REPETITION, questions, drift.repetitionMargin(), drift.minimum()),
                new AgreementSuite(questions, parent, champion, drift.agreementMargin(), drift.minimum()));
    }

    private List<Question> questions(AskedModel model, List<int[]> otherwise) {
        int tokens = policy.drift().tokens();
        List<Question> asked = driftPrompts.isEmpty()
                ? otherwise.stream().map(prompt -> new Question(prompt, tokens)).toList()
                : driftPrompts.stream()
                        .map(prompt -> model.question(prompt, tokens))
                        .toList();
        Map<String, Question> distinct = new LinkedHashMap<>();
        asked.stream()
                .filter(question -> question.prompt().length + question.maxTokens() <= model.positions())
                .forEach(question -> distinct.putIfAbsent(question.contentId(), question));
        return new ExampleOrder(SAMPLE)
                .first(policy.drift().sample(), List.copyOf(distinct.values()), Question::contentId);
    }
}
