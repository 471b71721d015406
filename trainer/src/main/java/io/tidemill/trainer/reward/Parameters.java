package io.tidemill.trainer.reward;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoublePredicate;

/** The settings of one reward as they were written; whoever reads them all calls {@link #done}, which refuses the rest. */
final class Parameters {
    private final String owner;
    private final Map<String, String> given;
    private final Set<String> known = new TreeSet<>();

    /** @param owner whose they are, for errors */
    Parameters(String owner, Map<String, String> given) {
        this.owner = owner;
        this.given = new LinkedHashMap<>(given);
        for (Map.Entry<String, String> entry : given.entrySet()) {
            if (entry.getValue() == null) {
                throw new IllegalArgumentException(
                        owner + ": " + entry.getKey() + " has no value. Give it one or leave it out");
            }
        }
    }

    /** Refuses what nobody asked for. */
    void done() {
        Set<String> unknown = new TreeSet<>(given.keySet());
        unknown.removeAll(known);
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    owner + " has no setting " + String.join(", ", unknown) + "; it has " + String.join(", ", known));
        }
    }

    Optional<String> text(String name) {
        known.add(name);
        return Optional.ofNullable(given.get(name));
    }

    String required(String name, String what) {
        return text(name)
                .filter(value -> !value.isBlank())
                .orElseThrow(() -> new IllegalArgumentException(owner + " needs " + name + ": " + what));
    }

    String oneOf(String name, String otherwise, String... choices) {
        String value = text(name).orElse(otherwise);
        if (!Arrays.asList(choices).contains(value)) {
            throw wrong(name, "one of " + String.join(", ", choices), value);
        }
        return value;
    }

    boolean flag(String name, boolean otherwise) {
        return oneOf(name, Boolean.toString(otherwise), "true", "false").equals("true");
    }

    OptionalDouble number(String name) {
        Optional<String> value = text(name);
        if (value.isEmpty()) {
            return OptionalDouble.empty();
        }
        try {
            double number = Double.parseDouble(value.get().strip());
            if (Double.isFinite(number)) {
                return OptionalDouble.of(number);
            }
        } catch (NumberFormatException e) {
            // said below, as is a number that is not finite
        }
        throw wrong(name, "a finite number", value.get());
    }

    double number(String name, double otherwise, String expected, DoublePredicate accepts) {
        OptionalDouble given = number(name);
        if (given.isPresent() && !accepts.test(given.getAsDouble())) {
            throw wrong(name, expected, text(name).orElse(""));
        }
        return given.orElse(otherwise);
    }

    int whole(String name, int otherwise, int least, int most) {
        String expected = "a whole number from " + least + " to " + most;
        double value = number(name, otherwise, expected, v -> v == Math.rint(v) && v >= least && v <= most);
        return (int) value;
    }

    Optional<Pattern> pattern(String name) {
        return text(name).map(text -> {
            try {
                return Pattern.compile(text, Pattern.DOTALL);
            } catch (PatternSyntaxException e) {
                throw new IllegalArgumentException(
                        owner + ": " + name + " is no regular expression of RE2: " + e.getMessage()
                                + ". Look-around and back-references do not exist there",
                        e);
            }
        });
    }

    /** As in {@code 500ms}, {@code 10s}, {@code 2m}, or ISO 8601, {@code PT10S}. */
    Duration duration(String name, Duration otherwise) {
        Optional<String> value = text(name);
        if (value.isEmpty()) {
            return otherwise;
        }
        try {
            String text = value.get().strip().toLowerCase(Locale.ROOT);
            Duration duration = text.endsWith("ms")
                    ? Duration.ofMillis(
                            Long.parseLong(text.substring(0, text.length() - 2).strip()))
                    : Duration.parse(text.startsWith("p") ? text : "pt" + text);
            if (!duration.isNegative()) {
                return duration;
            }
        } catch (DateTimeException | NumberFormatException e) {
            // said below
        }
        throw wrong(name, "a duration such as 500ms, 10s or 2m", value.get());
    }

    /** Names separated by commas. */
    List<String> names(String name) {
        List<String> names = new ArrayList<>();
        for (String part : text(name).orElse("").split(",", -1)) {
            if (!part.isBlank()) {
                names.add(part.strip());
            }
        }
        return names;
    }

    IllegalArgumentException wrong(String name, String expected, String value) {
        return new IllegalArgumentException(owner + ": " + name + " must be " + expected + ", but was " + value);
    }
}
