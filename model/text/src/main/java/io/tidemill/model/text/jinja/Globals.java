package io.tidemill.model.text.jinja;

import java.time.ZonedDateTime;
import java.time.format.TextStyle;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The functions that a template finds: Jinja's own, and those that transformers adds. */
final class Globals {
    private static final Map<String, Callable> FUNCTIONS = Map.of(
            "range", (run, args) -> Range.of(args),
            "dict", (run, args) -> dict(run, args),
            "namespace", (run, args) -> new Namespace(dict(run, args)),
            "cycler", (run, args) -> new Cycler(args),
            "joiner", (run, args) -> joiner(args.check("joiner", 0, "sep").get(0, "sep", ", ")),
            "lipsum",
                    (run, args) -> {
                        throw new JinjaException("function 'lipsum' is not supported: it is random");
                    },
            "raise_exception",
                    (run, args) -> {
                        Object message =
                                args.check("raise_exception", 1, "message").get(0, "message", null);
                        throw new JinjaException("The chat template says: " + Values.string(message));
                    },
            "strftime_now",
                    (run, args) ->
                            now(run, args.check("strftime_now", 1, "format").text(0, "format", null)));

    private Globals() {}

    /** A function by its name, or null. */
    static Callable get(String name) {
        return FUNCTIONS.get(name);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> dict(Run run, Args args) {
        Map<String, Object> members = new LinkedHashMap<>();
        if (args.places().size() > 1
                || (args.places().size() == 1 && !(args.places().get(0) instanceof Map))) {
            throw new JinjaException("dict and namespace are supported with names and one mapping");
        }
        if (args.places().size() == 1) {
            run.spend(((Map<?, ?>) args.places().get(0)).size());
            members.putAll((Map<String, Object>) args.places().get(0));
        }
        members.putAll(args.named());
        return members;
    }

    private static Callable joiner(Object separator) {
        boolean[] used = new boolean[1];
        return (run, args) -> {
            args.check("a joiner", 0);
            Object text = used[0] ? separator : "";
            used[0] = true;
            return text;
        };
    }

    /** Goes through its values again and again. */
    static final class Cycler {
        private final List<Object> items;
        private int at;

        Cycler(Args args) {
            Members.noNames("cycler", args);
            this.items = args.places();
            if (items.isEmpty()) {
                throw new JinjaException("cycler needs values");
            }
        }

        Object member(String name) {
            return switch (name) {
                case "current" -> items.get(at);
                case "next" ->
                    (Callable) (run, args) -> {
                        Object item = items.get(at);
                        at = (at + 1) % items.size();
                        return item;
                    };
                case "reset" ->
                    (Callable) (run, args) -> {
                        at = 0;
                        return null;
                    };
                default -> throw new JinjaException("member '" + name + "' of a cycler is not supported");
            };
        }
    }

    /** Python's {@code strftime} in the C locale. */
    private static String now(Run run, String format) {
        ZonedDateTime now = ZonedDateTime.now(run.clock);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%') {
                text.append(c);
                continue;
            }
            boolean bare = format.startsWith("-", i + 1);
            i += bare ? 2 : 1;
            String field = field(now, i < format.length() ? format.charAt(i) : ' ');
            if (field == null || (bare && !field.matches("[0-9]+"))) {
                throw new JinjaException("strftime_now of '" + format + "' is not supported");
            }
            text.append(bare ? field.replaceFirst("^0+(?=.)", "") : field);
        }
        return run.counted(text.toString());
    }

    private static String field(ZonedDateTime now, char code) {
        return switch (code) {
            case 'Y' -> String.valueOf(now.getYear());
            case 'y' -> two(now.getYear() % 100);
            case 'm' -> two(now.getMonthValue());
            case 'd' -> two(now.getDayOfMonth());
            case 'H' -> two(now.getHour());
            case 'I' -> two((now.getHour() + 11) % 12 + 1);
            case 'M' -> two(now.getMinute());
            case 'S' -> two(now.getSecond());
            case 'p' -> now.getHour() < 12 ? "AM" : "PM";
            case 'j' -> String.format("%03d", now.getDayOfYear());
            case 'B' -> now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'b', 'h' ->
                now.getMonth().getDisplayName(TextStyle.FULL, Locale.ENGLISH).substring(0, 3);
            case 'A' -> now.getDayOfWeek().getDisplayName(TextStyle.FULL, Locale.ENGLISH);
            case 'a' ->
                now.getDayOfWeek()
                        .getDisplayName(TextStyle.FULL, Locale.ENGLISH)
                        .substring(0, 3);
            case 'u' -> String.valueOf(now.getDayOfWeek().getValue());
            case 'w' -> String.valueOf(now.getDayOfWeek().getValue() % 7);
            case 'F' -> field(now, 'Y') + "-" + field(now, 'm') + "-" + field(now, 'd');
            case 'T' -> field(now, 'H') + ":" + field(now, 'M') + ":" + field(now, 'S');
            case '%' -> "%";
            default -> null;
        };
    }

    private static String two(int number) {
        return number < 10 ? "0" + number : String.valueOf(number);
    }
}
