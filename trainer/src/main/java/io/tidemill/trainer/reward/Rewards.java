package io.tidemill.trainer.reward;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Several rewards as one: {@code Σ weight · part}, each part within its own limits and the sum within those of the whole.
 * A reward without an opinion adds nothing to that answer, as in TRL; an answer on which none has one is an error.
 */
public final class Rewards implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Rewards.class);

    /** The kind that is no reward but the limits of the sum. */
    private static final String TOTAL = "total";

    private static final Map<String, Function<Parameters, Reward>> KINDS = new TreeMap<>(Map.of(
            "length", LengthReward::of,
            "format", FormatReward::of,
            "exact", ExactReward::of,
            "json", JsonReward::of,
            "repetition", RepetitionReward::of,
            "http", HttpReward::of,
            "model", ModelReward::of));

    /** Between which numbers something is kept. */
    public record Limits(double minimum, double maximum) {
        public static final Limits NONE = new Limits(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);

        public Limits {
            if (!(minimum <= maximum)) {
                throw new IllegalArgumentException(
                        "minimum must not be above maximum, but they were " + minimum + " and " + maximum);
            }
        }

        double clip(double value) {
            return Math.min(maximum, Math.max(minimum, value));
        }
    }

    /**
     * One of several.
     *
     * @param name   in figures, logs and errors; no other has it
     * @param weight may be negative, which makes a penalty of it
     */
    public record Part(String name, Reward reward, double weight, Limits limits) {
        public Part {
            if (!Double.isFinite(weight)) {
                throw new IllegalArgumentException("weight of reward " + name + " must be finite, but was " + weight);
            }
        }
    }

    private final List<Part> parts;
    private final Limits limits;

    /** @param limits of the sum */
    public Rewards(List<Part> parts, Limits limits) {
        Set<String> names = parts.stream().map(Part::name).collect(Collectors.toSet());
        if (parts.isEmpty() || names.size() < parts.size()) {
            throw new IllegalArgumentException(
                    "At least one reward is needed, and each needs a name of its own, but the" + " names were "
                            + parts.stream().map(Part::name).toList() + ". Set name where a kind is used twice");
        }
        this.parts = List.copyOf(parts);
        this.limits = limits;
    }

    /**
     * Rewards as recipes and settings write them: each with its {@code kind}, and, where wanted, {@code name} (the kind),
     * {@code weight} (1), {@code minimum} and {@code maximum}, and what the kind has. {@code kind: total} is no reward; its
     * {@code minimum} and {@code maximum} are those of the sum.
     *
     * @throws IllegalArgumentException for what is unknown, missing or out of range, by name and with what is accepted
     */
    public static Rewards of(List<Map<String, String>> settings) {
        List<Part> parts = new ArrayList<>();
        Limits limits = Limits.NONE;
        try {
            boolean limited = false;
            for (int i = 0; i < settings.size(); i++) {
                Parameters parameters = new Parameters("Reward " + (i + 1), settings.get(i));
                String kind = parameters.required("kind", "one of " + kinds());
                Parameters own = new Parameters("Reward " + (i + 1) + " (" + kind + ")", settings.get(i));
                own.text("kind");
                if (kind.equals(TOTAL)) {
                    if (limited) {
                        throw new IllegalArgumentException("kind: total may be given once, but is given twice");
                    }
                    limited = true;
                    limits = limits(own);
                    own.done();
                } else {
                    parts.add(part(kind, own));
                }
            }
            return new Rewards(parts, limits);
        } catch (RuntimeException e) {
            parts.forEach(part -> part.reward().close());
            throw e;
        }
    }

    private static Part part(String kind, Parameters own) {
        Function<Parameters, Reward> make = KINDS.get(kind);
        if (make == null) {
            throw own.wrong("kind", "one of " + kinds(), kind);
        }
        String name = own.text("name").orElse(kind);
        if (!name.matches("[A-Za-z0-9_-]+")) {
            throw own.wrong("name", "of letters, digits, - and _", name);
        }
        double weight = own.number("weight", 1, "a finite number", v -> true);
        Limits limits = limits(own);
        Reward reward = make.apply(own);
        try {
            own.done();
        } catch (IllegalArgumentException e) {
            reward.close();
            throw e;
        }
        return new Part(name, reward, weight, limits);
    }

    private static Limits limits(Parameters own) {
        double minimum = own.number("minimum").orElse(Double.NEGATIVE_INFINITY);
        double maximum = own.number("maximum").orElse(Double.POSITIVE_INFINITY);
        if (!(minimum <= maximum)) {
            throw own.wrong("minimum", "at most maximum, " + maximum, Double.toString(minimum));
        }
        return new Limits(minimum, maximum);
    }

    private static String kinds() {
        return String.join(", ", KINDS.keySet()) + ", " + TOTAL;
    }

    /** Their names, in order. */
    public List<String> names() {
        return parts.stream().map(Part::name).toList();
    }

    /**
     * What each answer is worth, in order; each is logged with its parts at DEBUG, without any text.
     *
     * @throws RewardException if one cannot judge, says something that is not a finite number, or none has an opinion
     */
    public List<Judgement> judge(List<GivenAnswer> answers) {
        List<Map<String, Double>> said = new ArrayList<>();
        answers.forEach(answer -> said.add(new LinkedHashMap<>()));
        double[] totals = new double[answers.size()];
        for (Part part : parts) {
            List<OptionalDouble> opinions = opinions(part, answers);
            for (int i = 0; i < answers.size(); i++) {
                if (opinions.get(i).isPresent()) {
                    double value = opinions.get(i).getAsDouble();
                    said.get(i).put(part.name(), value);
                    totals[i] += part.weight() * part.limits().clip(value);
                }
            }
        }
        List<Judgement> judgements = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            judgements.add(judgement(answers.get(i), totals[i], said.get(i)));
        }
        return judgements;
    }

    private List<OptionalDouble> opinions(Part part, List<GivenAnswer> answers) {
        List<OptionalDouble> opinions = part.reward().judge(answers);
        if (opinions.size() != answers.size()) {
            throw new RewardException("Reward " + part.name() + " gave " + opinions.size() + " numbers for "
                    + answers.size() + " answers, the first to prompt "
                    + answers.stream().map(GivenAnswer::promptId).findFirst().orElse("(none)")
                    + ". It must give one each, or no opinion");
        }
        for (int i = 0; i < opinions.size(); i++) {
            if (opinions.get(i).isPresent() && !Double.isFinite(opinions.get(i).getAsDouble())) {
                throw new RewardException("Reward " + part.name() + " gave "
                        + opinions.get(i).getAsDouble() + " for an answer to prompt "
                        + answers.get(i).promptId() + ". It must be a finite number");
            }
        }
        return opinions;
    }

    private Judgement judgement(GivenAnswer answer, double total, Map<String, Double> said) {
        if (said.isEmpty()) {
            throw new RewardException("No reward has an opinion on an answer to prompt " + answer.promptId()
                    + "; asked were " + String.join(", ", names()) + ". Add one that judges every answer");
        }
        double clipped = limits.clip(total);
        if (!Double.isFinite(clipped)) {
            throw new RewardException("The rewards of an answer to prompt " + answer.promptId() + " add up to "
                    + clipped + ": " + said + ". Set minimum and maximum");
        }
        if (LOG.isDebugEnabled()) {
            LOG.debug("reward prompt={} total={} parts={}", answer.promptId(), clipped, said);
        }
        return new Judgement(clipped, said);
    }

    @Override
    public void close() {
        parts.forEach(part -> part.reward().close());
    }
}
