package io.tidemill.trainer.rollout;

import io.tidemill.trainer.objective.AdaptiveKl;
import io.tidemill.trainer.objective.GeneralisedAdvantage;
import io.tidemill.trainer.objective.GroupAdvantages;
import io.tidemill.trainer.objective.ObjectiveDescription;
import io.tidemill.trainer.objective.Objectives;
import io.tidemill.trainer.objective.PolicyObjective;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Makes ways to learn from rollouts by name, from settings as text. Parameters of the objective itself are those of
 * {@link Objectives#policy}; the others are:
 *
 * <pre>
 *   ppo                  gamma 1, lambda 0.95, kl-coefficient 0.05, kl-target none, kl-horizon 10000
 *   grpo, dapo, gspo     scale-rewards group | batch | none (group)
 *   dr-grpo              scale-rewards (none)
 *   rloo                 kl-coefficient 0.05, normalise-advantages false
 *   reinforce-plus-plus  kl-coefficient 0.01
 *   all of these         importance-correction sequence-mask, importance-maximum 3
 *   online-dpo           objective dpo, and its parameters
 *   rejection-sampling   threshold none
 * </pre>
 */
public final class Algorithms {
    public static final String ONLINE_DPO = "online-dpo";
    public static final String REJECTION_SAMPLING = "rejection-sampling";

    private static final String NONE = "none";

    private Algorithms() {}

    /** All names. */
    public static List<String> names() {
        return Stream.concat(
                        Objectives.describe().stream()
                                .filter(one -> one.kind() == ObjectiveDescription.Kind.POLICY)
                                .map(ObjectiveDescription::name),
                        Stream.of(ONLINE_DPO, REJECTION_SAMPLING))
                .toList();
    }

    /**
     * A way to learn.
     *
     * @param parameters by name; what is missing has its default
     * @param longest    tokens that an answer has at most
     * @param length     positions of a row where answers are packed
     * @throws IllegalArgumentException naming what is not accepted, and what is
     */
    public static RolloutLearning of(String name, Map<String, String> parameters, int longest, int length) {
        Given given = new Given(name, parameters);
        if (name.equals(ONLINE_DPO)) {
            String objective = given.text("objective", "dpo");
            return new OnlinePreference(Objectives.pair(objective, given.rest()));
        } else if (name.equals(REJECTION_SAMPLING)) {
            OptionalDouble threshold = given.optional("threshold");
            given.done("threshold");
            return new BestAnswers(threshold, 8, length);
        } else if (!names().contains(name)) {
            throw new IllegalArgumentException(
                    "No way to learn from rollouts is called " + name + ". There are " + String.join(", ", names()));
        }
        ImportanceCorrection correction = new ImportanceCorrection(
                ImportanceCorrection.Form.of(given.text("importance-correction", "sequence-mask")),
                given.number("importance-maximum", 3));
        if (name.equals("dr-grpo") && !parameters.containsKey("longest")) {
            given.set("longest", Integer.toString(longest));
        }
        return switch (name) {
            case "ppo" -> {
                GeneralisedAdvantage estimate =
                        new GeneralisedAdvantage(given.number("gamma", 1), given.number("lambda", 0.95));
                KlControl control = control(given, 0.05);
                yield policy(given, new AdvantageRules.OfCritic(estimate, paysFor(control)), control, correction);
            }
            case "rloo" -> {
                KlControl control = control(given, 0.05);
                boolean normalises = Boolean.parseBoolean(given.text("normalise-advantages", "false"));
                yield policy(given, new AdvantageRules.LeaveOneOut(normalises, paysFor(control)), control, correction);
            }
            case "reinforce-plus-plus" -> {
                KlControl control = control(given, 0.01);
                yield policy(given, new AdvantageRules.OfBatch(paysFor(control)), control, correction);
            }
            default -> {
                String scale = given.text("scale-rewards", name.equals("dr-grpo") ? NONE : "group");
                yield policy(given, new AdvantageRules.OfGroup(scale(scale)), KlControl.fixed(0), correction);
            }
        };
    }

    private static RolloutLearning policy(
            Given given, AdvantageRule rule, KlControl control, ImportanceCorrection correction) {
        PolicyObjective objective = Objectives.policy(given.name, given.rest());
        return new PolicyLearning(objective, rule, control, correction, objective.needsReference());
    }

    private static boolean paysFor(KlControl control) {
        return control.coefficient(Map.of()) > 0;
    }

    private static KlControl control(Given given, double otherwise) {
        double coefficient = given.number("kl-coefficient", otherwise);
        OptionalDouble target = given.optional("kl-target");
        double horizon = given.number("kl-horizon", 10_000);
        return target.isPresent()
                ? KlControl.adaptive(new AdaptiveKl(coefficient, target.getAsDouble(), horizon))
                : KlControl.fixed(coefficient);
    }

    private static GroupAdvantages.Scale scale(String text) {
        try {
            return GroupAdvantages.Scale.valueOf(text.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("scale-rewards must be group, batch or none, but was " + text, e);
        }
    }

    /** What was given, less what has been asked for. */
    private static final class Given {
        private final String name;
        private final Map<String, String> left;

        Given(String name, Map<String, String> parameters) {
            this.name = name;
            this.left = new HashMap<>(parameters);
        }

        String text(String key, String otherwise) {
            String value = left.remove(key);
            return value == null ? otherwise : value.strip();
        }

        double number(String key, double otherwise) {
            String value = left.remove(key);
            try {
                return value == null ? otherwise : Double.parseDouble(value.strip());
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(key + " of " + name + " must be a number, but was " + value, e);
            }
        }

        OptionalDouble optional(String key) {
            String value = left.getOrDefault(key, NONE).strip();
            if (value.equals(NONE)) {
                left.remove(key);
                return OptionalDouble.empty();
            }
            return OptionalDouble.of(number(key, 0));
        }

        void set(String key, String value) {
            left.put(key, value);
        }

        Map<String, String> rest() {
            return Map.copyOf(left);
        }

        void done(String known) {
            if (!left.isEmpty()) {
                throw new IllegalArgumentException(name + " has no parameter "
                        + String.join(", ", new TreeMap<>(left).keySet()) + ". It takes " + known);
            }
        }
    }
}
