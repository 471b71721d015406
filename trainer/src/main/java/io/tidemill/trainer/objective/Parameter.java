package io.tidemill.trainer.objective;

import java.util.List;
import java.util.Optional;
import java.util.function.DoublePredicate;

/** A setting that an objective takes as text. Each kind knows what it accepts. */
sealed interface Parameter {
    /** Stands for a number that is not given. */
    String NONE = "none";

    String name();

    String defaultValue();

    /** Of the default as well. */
    String meaning();

    /** In words. */
    String accepted();

    /** Whether it can be read. */
    boolean accepts(String value);

    default ObjectiveDescription.Parameter describe() {
        return new ObjectiveDescription.Parameter(name(), accepted(), defaultValue(), meaning());
    }

    /** @param range what a number must be, and the same in words */
    record Number(String name, String defaultValue, String meaning, String accepted, DoublePredicate range)
            implements Parameter {
        @Override
        public boolean accepts(String value) {
            return read(value).map(range::test).orElse(false);
        }

        static Optional<Double> read(String value) {
            try {
                return Optional.of(Double.valueOf(value.strip())).filter(Double::isFinite);
            } catch (NumberFormatException e) {
                return Optional.empty();
            }
        }
    }

    /** A number, or none. */
    record OptionalNumber(Number number) implements Parameter {
        @Override
        public String name() {
            return number.name();
        }

        @Override
        public String defaultValue() {
            return number.defaultValue();
        }

        @Override
        public String meaning() {
            return number.meaning();
        }

        @Override
        public String accepted() {
            return number.accepted() + ", or " + NONE;
        }

        @Override
        public boolean accepts(String value) {
            return NONE.equals(value.strip()) || number.accepts(value);
        }
    }

    /** One of a few words. */
    record Choice(String name, String defaultValue, String meaning, List<String> words) implements Parameter {
        @Override
        public String accepted() {
            return String.join(" or ", words);
        }

        @Override
        public boolean accepts(String value) {
            return words.contains(value.strip());
        }
    }

    static Parameter positive(String name, String defaultValue, String meaning) {
        return new Number(name, defaultValue, meaning, "above 0", value -> value > 0);
    }

    static Parameter notNegative(String name, String defaultValue, String meaning) {
        return new Number(name, defaultValue, meaning, "0 or more", value -> value >= 0);
    }

    static Parameter share(String name, String defaultValue, String meaning) {
        return new Number(name, defaultValue, meaning, "above 0 and at most 1", value -> value > 0 && value <= 1);
    }

    static Parameter smoothing(String defaultValue, String meaning) {
        return new Number(
                "label-smoothing",
                defaultValue,
                meaning,
                "0 or more and below 0.5",
                value -> value >= 0 && value < 0.5);
    }

    static Parameter count(String name, String defaultValue, String meaning) {
        return new Number(
                name,
                defaultValue,
                meaning,
                "a whole number of at least 1",
                value -> value >= 1 && value == Math.rint(value) && value <= Integer.MAX_VALUE);
    }

    static Parameter optionalPositive(String name, String defaultValue, String meaning) {
        return new OptionalNumber(new Number(name, defaultValue, meaning, "above 0", value -> value > 0));
    }

    static Parameter flag(String name, boolean defaultValue, String meaning) {
        return new Choice(name, Boolean.toString(defaultValue), meaning, List.of("true", "false"));
    }
}
