package io.tidemill.model.text.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** Jinja's filters, as transformers' environment has them; the few it has and we have not are refused by name. */
final class Filters {
    private static final Set<String> UNSUPPORTED = Set.of(
            "filesizeformat", "groupby", "pprint", "random", "striptags", "urlize", "wordcount", "wordwrap", "xmlattr");
    private static final Map<String, Filter> FILTERS = new HashMap<>();

    /** A filter or a test: what it makes of a value with some arguments. */
    @FunctionalInterface
    interface Filter {
        Object apply(Run run, Object value, Args args);
    }

    static {
        texts();
        numbers();
        lists();
        choices();
        put("tojson", Json::filter);
        put("default", Filters::defaulted);
        put("d", Filters::defaulted);
        put(
                "attr",
                (run, value, args) ->
                        attribute(value, args.check("attr", 1, "name").text(0, "name", null)));
    }

    private Filters() {}

    static Filter get(String name) {
        return FILTERS.get(name);
    }

    /** Whether Jinja has a filter of this name. */
    static boolean exists(String name) {
        return FILTERS.containsKey(name) || UNSUPPORTED.contains(name);
    }

    static String known() {
        return String.join(", ", new TreeSet<>(FILTERS.keySet()));
    }

    private static void put(String name, Filter filter) {
        FILTERS.put(name, filter);
    }

    private static void plain(String name, Function<Object, Object> filter) {
        put(name, (run, value, args) -> {
            args.check("filter '" + name + "'", 0);
            return filter.apply(value);
        });
    }

    private static void text(String name, Function<String, Object> filter) {
        put(name, (run, value, args) -> {
            args.check("filter '" + name + "'", 0);
            notSafe(name, value);
            Object result = filter.apply(Values.string(value));
            run.spendText(Values.string(result).length());
            return result;
        });
    }

    private static void marked(String name, Function<Object, Object> filter) {
        put(name, (run, value, args) -> {
            args.check("filter '" + name + "'", 0);
            Object result = filter.apply(value);
            run.spendText(Values.string(result).length());
            return result;
        });
    }

    /** In Python these filters keep a safe text safe. */
    private static void notSafe(String filter, Object value) {
        if (value instanceof Safe) {
            throw new JinjaException(
                    "filter '" + filter + "' of a text marked 'safe' is not supported; mark it afterwards");
        }
    }

    private static void texts() {
        text("upper", Text::upper);
        text("lower", Text::lower);
        text("capitalize", Text::capitalize);
        text("title", Filters::title);
        marked("string", value -> value instanceof Safe ? value : Values.string(value));
        marked("safe", value -> new Safe(Values.string(value)));
        marked("escape", Safe::escape);
        marked("e", Safe::escape);
        marked("forceescape", value -> Safe.escape(Values.string(value)));
        put("trim", (run, value, args) -> {
            notSafe("trim", value);
            Object chars = args.check("trim", 0, "chars").get(0, "chars", null);
            return Text.strip(
                    run.counted(Values.string(value)), chars == null ? null : args.text(0, "chars", null), true, true);
        });
        put("replace", (run, value, args) -> {
            args.check("replace", 2, "old", "new", "count");
            Object count = args.get(2, "count", null);
            return Text.replace(
                    run,
                    Values.string(value),
                    Values.string(args.get(0, "old", null)),
                    Values.string(args.get(1, "new", null)),
                    count == null ? -1 : Values.integer(count, "count"));
        });
        put("join", (run, value, args) -> {
            args.check("join", 0, "d", "attribute");
            Function<Object, Object> part = getter(args.get(1, "attribute", null), null);
            String separator = Values.string(args.get(0, "d", ""));
            StringBuilder joined = new StringBuilder();
            String between = "";
            for (Object item : Values.items(value)) {
                String next = Values.string(part.apply(item));
                run.spendText(next.length() + (long) separator.length());
                joined.append(between).append(next);
                between = separator;
            }
            return joined.toString();
        });
        put("indent", Filters::indent);
        put("center", (run, value, args) -> {
            notSafe("center", value);
            long width = args.check("center", 0, "width").integer(0, "width", 80);
            run.spendText(Math.max(0, width));
            return Text.center(Values.string(value), width, " ");
        });
        put("truncate", Filters::truncate);
        put("format", (run, value, args) -> {
            notSafe("format", value);
            if (!args.places().isEmpty() && !args.named().isEmpty()) {
                throw new JinjaException("filter 'format' takes values by place or by name, not both");
            }
            return run.counted(Formats.percent(
                    Values.string(value), args.named().isEmpty() ? new Tuple(args.places()) : args.named()));
        });
        put("urlencode", (run, value, args) -> {
            args.check("urlencode", 0);
            if (Iterables.isIterable(value) && !(value instanceof String)) {
                throw new JinjaException("filter 'urlencode' is supported for texts, but found " + Values.shown(value));
            }
            return run.counted(urlEncoded(Values.string(value)));
        });
    }

    /** Jinja's own notion of a title: a word begins after white space or one of {@code -([{<}. */
    private static String title(String text) {
        StringBuilder all = new StringBuilder();
        boolean starts = true;
        for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
            int point = text.codePointAt(i);
            boolean separator = Text.isSpace(point) || "-({[<".indexOf(point) >= 0;
            String character = Character.toString(point);
            all.append(starts ? Text.upper(character) : Text.lower(character));
            starts = separator;
        }
        return all.toString();
    }

    private static Object indent(Run run, Object value, Args args) {
        args.check("indent", 0, "width", "first", "blank");
        notSafe("indent", value);
        if (!(value instanceof String text)) {
            throw new JinjaException("filter 'indent' needs a text, but found " + Values.shown(value));
        }
        Object width = args.get(0, "width", 4L);
        String indent = width instanceof String given
                ? given
                : " ".repeat((int) Math.max(0, Math.min(10_000, Values.integer(width, "width"))));
        List<Object> lines = Text.lines(text + "\n", false);
        run.spendText(text.length() + lines.size() * (long) indent.length());
        StringBuilder all = new StringBuilder(args.truth(1, "first") ? indent : "");
        boolean blank = args.truth(2, "blank");
        for (int i = 0; i < lines.size(); i++) {
            String line = (String) lines.get(i);
            all.append(i == 0 ? "" : "\n").append(i > 0 && (blank || !line.isEmpty()) ? indent : "");
            all.append(line);
        }
        return all.toString();
    }

    private static Object truncate(Run run, Object value, Args args) {
        args.check("truncate", 0, "length", "killwords", "end", "leeway");
        if (!(value instanceof String text)) {
            throw new JinjaException("filter 'truncate' is supported for texts, but found " + Values.shown(value));
        }
        long length = args.integer(0, "length", 255);
        String end = args.text(2, "end", "...");
        long leeway = args.get(3, "leeway", null) == null ? 5 : args.integer(3, "leeway", 5);
        long kept = length - Values.length(end);
        if (kept < 0 || leeway < 0) {
            throw new JinjaException("filter 'truncate' needs a length of at least " + Values.length(end)
                    + " and a leeway of at least 0");
        }
        if (Values.length(text) <= length + leeway) {
            return text;
        }
        String start = text.substring(0, text.offsetByCodePoints(0, (int) kept));
        int cut = start.lastIndexOf(' ');
        return run.counted((args.truth(1, "killwords") || cut < 0 ? start : start.substring(0, cut)) + end);
    }

    private static String urlEncoded(String text) {
        StringBuilder all = new StringBuilder();
        for (byte b : text.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xFF);
            boolean kept = c < 128 && (Character.isLetterOrDigit(c) || "_.-~/".indexOf(c) >= 0);
            all.append(kept ? String.valueOf(c) : String.format("%%%02X", (int) c));
        }
        return all.toString();
    }

    private static void numbers() {
        plain("abs", value -> {
            Object number = Values.number(value);
            if (number instanceof Double decimal) {
                return Math.abs(decimal);
            }
            long whole = Values.integer(number, "filter 'abs'");
            return whole < 0 ? Arithmetic.negate(whole) : (Object) whole;
        });
        put("int", Filters::integer);
        put("float", (run, value, args) -> {
            Object absent = args.check("float", 0, "default").get(0, "default", 0.0);
            Object parsed = decimal(value);
            return parsed == null ? absent : parsed;
        });
        put("round", Filters::round);
        put("sum", (run, value, args) -> {
            args.check("sum", 0, "attribute", "start");
            Object sum = args.get(1, "start", 0L);
            if (sum instanceof String) {
                throw new JinjaException("filter 'sum' cannot add texts; '| join' does");
            }
            Function<Object, Object> part = getter(args.get(0, "attribute", null), null);
            for (Object item : Values.items(value)) {
                run.spend(1);
                sum = Arithmetic.add(run, sum, part.apply(item));
            }
            return sum;
        });
    }

    /** As Python's {@code float}, or null where that refuses. */
    private static Object decimal(Object value) {
        if (value instanceof Undefined undefined) {
            throw undefined.fault();
        }
        if (Values.number(value) instanceof Number number) {
            return number.doubleValue();
        }
        if (!(value instanceof String || value instanceof Safe)) {
            return null;
        }
        String text = Text.strip(Values.string(value), null, true, true);
        if (text.matches("[+-]?(?i:inf|infinity|nan)")) {
            boolean nan = Text.lower(text).endsWith("nan");
            return nan ? Double.NaN : text.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        String digits = "[0-9]+(?:_[0-9]+)*";
        boolean number = text.matches(
                "[+-]?(?:" + digits + "\\.?(?:" + digits + ")?|\\." + digits + ")(?:[eE][+-]?" + digits + ")?");
        if (!number && text.codePoints().anyMatch(point -> point > 127 && Character.isDigit(point))) {
            throw new JinjaException("digits other than 0 to 9 are not supported: '" + text + "'");
        }
        return number ? (Object) Double.valueOf(text.replace("_", "")) : null;
    }

    private static Object integer(Run run, Object value, Args args) {
        args.check("int", 0, "default", "base");
        Object absent = args.get(0, "default", 0L);
        if (args.integer(1, "base", 10) != 10) {
            throw new JinjaException("filter 'int' is supported with base 10");
        }
        if (Values.number(value) instanceof Long whole) {
            return whole;
        }
        if (value instanceof String given) {
            String text = Text.strip(given, null, true, true);
            if (text.matches("[+-]?[0-9]+(?:_[0-9]+)*")) {
                try {
                    return Long.valueOf(text.replace("_", ""));
                } catch (NumberFormatException e) {
                    throw new JinjaException("whole numbers beyond 64 bits are not supported, but found " + text);
                }
            }
        }
        Object parsed = decimal(value);
        if (!(parsed instanceof Double number) || number.isNaN() || number.isInfinite()) {
            return absent;
        }
        if (Math.abs(number) >= 9.2e18) {
            throw new JinjaException("whole numbers beyond 64 bits are not supported, but found " + number);
        }
        return number.longValue();
    }

    private static Object round(Run run, Object value, Args args) {
        args.check("round", 0, "precision", "method");
        long precision = args.integer(0, "precision", 0);
        String method = args.text(1, "method", "common");
        Object number = Values.number(value);
        if (!Set.of("common", "ceil", "floor").contains(method)) {
            throw new JinjaException("method of 'round' must be common, ceil or floor, but was " + method);
        }
        if (!(number instanceof Number given) || Math.abs(precision) > 300) {
            throw new JinjaException("filter 'round' needs a number, but found " + Values.shown(value));
        }
        if (given instanceof Double decimal && (decimal.isNaN() || decimal.isInfinite())) {
            throw new JinjaException("filter 'round' of " + Values.shown(value) + " is not supported");
        }
        if (method.equals("common")) {
            if (given instanceof Long whole) {
                return precision >= 0
                        ? whole
                        : (Object) BigDecimal.valueOf(whole)
                                .setScale((int) precision, RoundingMode.HALF_EVEN)
                                .longValueExact();
            }
            double rounded = new BigDecimal(given.doubleValue())
                    .setScale((int) precision, RoundingMode.HALF_EVEN)
                    .doubleValue();
            return rounded == 0 ? Math.copySign(0.0, given.doubleValue()) : rounded;
        }
        if (precision < 0 || precision > 15) {
            throw new JinjaException("filter 'round' with '" + method + "' is supported for 0 to 15 digits");
        }
        double factor = Math.pow(10, precision);
        double scaled = given.doubleValue() * factor;
        if (Math.abs(scaled) > 1L << 53) {
            throw new JinjaException("filter 'round' of a number as large as " + given + " is not supported");
        }
        double whole = method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled);
        return (whole == 0 ? 0.0 : whole) / factor;
    }

    private static void lists() {
        plain("length", Values::length);
        plain("count", Values::length);
        put("list", (run, value, args) -> {
            args.check("list", 0);
            return spent(run, Values.items(value));
        });
        plain("first", value -> {
            Iterator<Object> items = Iterables.of(value).iterator();
            return items.hasNext() ? items.next() : new Undefined("there is no first item: the list is empty");
        });
        plain("last", value -> {
            if (value instanceof Iterables.Once) {
                throw new JinjaException("filter 'last' needs a list that ends; put '| list' before it");
            }
            List<Object> items = Values.items(value);
            return items.isEmpty()
                    ? new Undefined("there is no last item: the list is empty")
                    : items.get(items.size() - 1);
        });
        plain(
                "items",
                value -> Iterables.later(() -> value instanceof Undefined
                        ? Collections.emptyIterator()
                        : new View(View.Kind.ITEMS, Values.mapping(value, "filter 'items'"))
                                .list()
                                .iterator()));
        put("reverse", (run, value, args) -> {
            args.check("reverse", 0);
            notSafe("reverse", value);
            if (value instanceof String text) {
                return run.counted(reversed(text));
            }
            List<Object> items = spent(run, Values.items(value));
            Collections.reverse(items);
            return value instanceof Iterables.Once ? items : new Iterables.Once(items.iterator());
        });
        put("sort", (run, value, args) -> {
            args.check("sort", 0, "reverse", "case_sensitive", "attribute");
            List<Object> items = spent(run, Values.items(value));
            return sorted(
                    run,
                    items,
                    keys(args.get(2, "attribute", null), args.truth(1, "case_sensitive")),
                    args.truth(0, "reverse"));
        });
        put("dictsort", (run, value, args) -> {
            args.check("dictsort", 0, "case_sensitive", "by", "reverse");
            String by = args.text(1, "by", "key");
            if (!by.equals("key") && !by.equals("value")) {
                throw new JinjaException("filter 'dictsort' sorts by key or value, but was told " + by);
            }
            boolean exact = args.truth(0, "case_sensitive");
            List<Object> items =
                    spent(run, new View(View.Kind.ITEMS, Values.mapping(value, "filter 'dictsort'")).list());
            int place = by.equals("key") ? 0 : 1;
            return sorted(
                    run,
                    items,
                    item -> exact
                            ? ((Tuple) item).items().get(place)
                            : ignoreCase(((Tuple) item).items().get(place)),
                    args.truth(2, "reverse"));
        });
        put("unique", (run, value, args) -> {
            args.check("unique", 0, "case_sensitive", "attribute");
            Function<Object, Object> key = key(args.get(1, "attribute", null), args.truth(0, "case_sensitive"));
            Set<Object> seen = new HashSet<>();
            return Iterables.later(() -> lazy(run, value, item -> {
                Object of = key.apply(item);
                return seen.add(of instanceof Undefined ? Frame.MISSING : Values.setKey(of));
            }));
        });
        put("min", (run, value, args) -> extreme(run, "min", value, args, -1));
        put("max", (run, value, args) -> extreme(run, "max", value, args, 1));
        put("batch", (run, value, args) -> {
            args.check("batch", 1, "linecount", "fill_with");
            return Iterables.later(
                    () -> batches(run, value, args.integer(0, "linecount", 0), args.get(1, "fill_with", null)));
        });
        put("slice", (run, value, args) -> {
            args.check("slice", 1, "slices", "fill_with");
            return Iterables.later(() -> slices(run, value, args));
        });
    }

    private static List<Object> spent(Run run, List<Object> items) {
        run.spend(items.size());
        return items;
    }

    private static String reversed(String text) {
        StringBuilder all = new StringBuilder();
        int[] points = text.codePoints().toArray();
        for (int i = points.length - 1; i >= 0; i--) {
            all.appendCodePoint(points[i]);
        }
        return all.toString();
    }

    private static List<Object> sorted(Run run, List<Object> items, Function<Object, Object> key, boolean reverse) {
        List<Object[]> keyed = new ArrayList<>();
        items.forEach(item -> keyed.add(new Object[] {key.apply(item), item}));
        Comparator<Object[]> order = (a, b) -> Order.of(run, a[0], b[0]);
        keyed.sort(reverse ? (a, b) -> order.compare(b, a) : order);
        List<Object> sorted = new ArrayList<>();
        keyed.forEach(each -> sorted.add(each[1]));
        return sorted;
    }

    private static Object ignoreCase(Object value) {
        return value instanceof String text ? Text.lower(text) : value;
    }

    private static Function<Object, Object> key(Object attribute, boolean caseSensitive) {
        Function<Object, Object> part = getter(attribute, null);
        return caseSensitive ? part : part.andThen(Filters::ignoreCase);
    }

    /** What to sort by: a list with one entry for each attribute between commas. */
    private static Function<Object, Object> keys(Object attribute, boolean caseSensitive) {
        List<Function<Object, Object>> parts = new ArrayList<>();
        List<?> attributes = attribute instanceof String text ? Text.split(text, ",", -1) : Arrays.asList(attribute);
        attributes.forEach(each -> parts.add(key(each, caseSensitive)));
        return item -> {
            List<Object> keys = new ArrayList<>();
            parts.forEach(part -> keys.add(part.apply(item)));
            return keys;
        };
    }

    /** Looks up {@code a.b.0} in an item, place by place. */
    private static Function<Object, Object> getter(Object attribute, Object absent) {
        if (attribute == null) {
            return item -> item;
        }
        List<?> parts = attribute instanceof String text ? Text.split(text, ".", -1) : List.of(attribute);
        return item -> {
            Object value = item;
            for (Object part : parts) {
                boolean place = part instanceof String name && name.matches("[0-9]{1,9}");
                value = Members.item(value, place ? Long.valueOf((String) part) : part);
                if (absent != null && value instanceof Undefined) {
                    value = absent;
                }
            }
            return value;
        };
    }

    private static Object attribute(Object owner, String name) {
        if (owner instanceof Map<?, ?>) {
            Object found = Members.attribute(Map.of(), name);
            return found instanceof Callable
                    ? Members.attribute(owner, name)
                    : new Undefined("'" + name + "' is undefined");
        }
        return Members.attribute(owner, name);
    }

    private static Object extreme(Run run, String name, Object value, Args args, int wanted) {
        args.check(name, 0, "case_sensitive", "attribute");
        Function<Object, Object> key = key(args.get(1, "attribute", null), args.truth(0, "case_sensitive"));
        Iterator<Object> items = Iterables.of(value).iterator();
        if (!items.hasNext()) {
            return new Undefined("there is no '" + name + "': the list is empty");
        }
        Object best = items.next();
        Object bestKey = key.apply(best);
        while (items.hasNext()) {
            run.spend(1);
            Object item = items.next();
            Object itemKey = key.apply(item);
            if (Order.test(run, wanted < 0 ? "<" : ">", itemKey, bestKey)) {
                best = item;
                bestKey = itemKey;
            }
        }
        return best;
    }

    private static Iterator<Object> batches(Run run, Object value, long size, Object fill) {
        List<Object> rows = new ArrayList<>();
        List<Object> row = new ArrayList<>();
        for (Object item : spent(run, Values.items(value))) {
            if (row.size() == size) {
                rows.add(row);
                row = new ArrayList<>();
            }
            row.add(item);
        }
        if (!row.isEmpty()) {
            run.spend(Math.max(0, fill == null ? 0 : size));
            while (fill != null && row.size() < size) {
                row.add(fill);
            }
            rows.add(row);
        }
        return rows.iterator();
    }

    private static Iterator<Object> slices(Run run, Object value, Args args) {
        long slices = args.integer(0, "slices", 0);
        Object fill = args.get(1, "fill_with", null);
        List<Object> items = spent(run, Values.items(value));
        if (slices == 0) {
            throw new JinjaException("filter 'slice' cannot make 0 slices");
        }
        run.spend(Math.max(0, slices));
        List<Object> all = new ArrayList<>();
        int at = 0;
        for (long i = 0; i < slices; i++) {
            boolean extra = i < items.size() % slices;
            int end = at + (int) (items.size() / slices) + (extra ? 1 : 0);
            List<Object> part = new ArrayList<>(items.subList(at, end));
            if (fill != null && !extra) {
                part.add(fill);
            }
            all.add(part);
            at = end;
        }
        return all.iterator();
    }

    private static void choices() {
        put(
                "map",
                (run, value, args) -> Iterables.later(() -> {
                    if (!Values.isTrue(value)) {
                        return Collections.emptyIterator();
                    }
                    Function<Object, Object> change = change(run, args);
                    Iterator<Object> items = Iterables.of(value).iterator();
                    return new Iterator<>() {
                        @Override
                        public boolean hasNext() {
                            return items.hasNext();
                        }

                        @Override
                        public Object next() {
                            run.spend(1);
                            return change.apply(items.next());
                        }
                    };
                }));
        choice("select", false, true);
        choice("reject", false, false);
        choice("selectattr", true, true);
        choice("rejectattr", true, false);
    }

    private static Function<Object, Object> change(Run run, Args args) {
        if (args.places().isEmpty() && args.named().containsKey("attribute")) {
            args.named().keySet().forEach(name -> {
                if (!name.equals("attribute") && !name.equals("default")) {
                    throw new JinjaException("filter 'map' takes no argument '" + name + "'");
                }
            });
            return getter(args.named().get("attribute"), args.named().get("default"));
        }
        String name = args.text(0, "filter", null);
        Filter filter = get(name);
        if (filter == null) {
            throw new JinjaException("filter '" + name + "' is not supported; chat templates may use " + known());
        }
        return item -> filter.apply(run, item, args.after(1));
    }

    /** A filter that keeps the items that pass a test, or those that do not. */
    private static void choice(String filter, boolean byAttribute, boolean wanted) {
        put(
                filter,
                (run, value, args) -> Iterables.later(() -> {
                    if (!Values.isTrue(value)) {
                        return Collections.emptyIterator();
                    }
                    if (byAttribute && args.places().isEmpty()) {
                        throw new JinjaException("filter '" + filter + "' needs the name of an attribute");
                    }
                    Function<Object, Object> part =
                            byAttribute ? getter(args.places().get(0), null) : item -> item;
                    Args rest = byAttribute ? args.after(1) : args;
                    if (rest.places().isEmpty()) {
                        return lazy(run, value, item -> Values.isTrue(part.apply(item)) == wanted);
                    }
                    String name = rest.text(0, "test", null);
                    Filter test = Tests.get(name);
                    if (test == null) {
                        throw new JinjaException(
                                "test '" + name + "' is not supported; chat templates may use " + Tests.known());
                    }
                    return lazy(
                            run,
                            value,
                            item -> Values.isTrue(test.apply(run, part.apply(item), rest.after(1))) == wanted);
                }));
    }

    private static Iterator<Object> lazy(Run run, Object value, java.util.function.Predicate<Object> test) {
        return Iterables.filter(run, Iterables.of(value).iterator(), test);
    }

    private static Object defaulted(Run run, Object value, Args args) {
        args.check("default", 0, "default_value", "boolean");
        boolean missing = value instanceof Undefined || (args.truth(1, "boolean") && !Values.isTrue(value));
        return missing ? args.get(0, "default_value", "") : value;
    }
}
