package io.tidemill.model.text.jinja;

import java.math.BigDecimal;
import java.util.List;

/** Which of two values comes first, as in Python. */
final class Order {
    private Order() {}

    static boolean test(Run run, String operator, Object left, Object right) {
        Object a = Values.number(left);
        Object b = Values.number(right);
        boolean unordered = isNaN(a) || isNaN(b);
        int order = of(run, a, b);
        return !unordered
                && switch (operator) {
                    case "<" -> order < 0;
                    case "<=" -> order <= 0;
                    case ">" -> order > 0;
                    default -> order >= 0;
                };
    }

    private static boolean isNaN(Object value) {
        return value instanceof Double number && number.isNaN();
    }

    static int of(Run run, Object left, Object right) {
        run.spend(1);
        Object a = Values.number(left);
        Object b = Values.number(right);
        if (a instanceof Number x && b instanceof Number y) {
            return compare(x, y);
        }
        if ((a instanceof String || a instanceof Safe) && (b instanceof String || b instanceof Safe)) {
            run.spendWalk(Values.string(a));
            return compare(Values.string(a), Values.string(b));
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            return compare(run, x, y);
        }
        if (a instanceof Tuple x && b instanceof Tuple y) {
            return compare(run, x.items(), y.items());
        }
        if (a instanceof Undefined undefined) {
            throw undefined.fault();
        }
        throw new JinjaException("cannot compare " + Values.shown(left) + " with " + Values.shown(right));
    }

    static int compare(Number left, Number right) {
        if (left instanceof Long a && right instanceof Long b) {
            return Long.compare(a, b);
        }
        double a = left.doubleValue();
        double b = right.doubleValue();
        if (Double.isNaN(a) || Double.isNaN(b) || Double.isInfinite(a) || Double.isInfinite(b)) {
            return Double.compare(a, b);
        }
        return exact(left).compareTo(exact(right));
    }

    private static BigDecimal exact(Number number) {
        return number instanceof Long whole ? BigDecimal.valueOf(whole) : new BigDecimal(number.doubleValue());
    }

    /** By code points, which is not the order of Java's chars. */
    private static int compare(String left, String right) {
        int length = Math.min(left.length(), right.length());
        for (int i = 0; i < length; i++) {
            char a = left.charAt(i);
            char b = right.charAt(i);
            if (a != b) {
                boolean surrogates = Character.isSurrogate(a) != Character.isSurrogate(b);
                return surrogates ? (Character.isSurrogate(a) ? 1 : -1) : Character.compare(a, b);
            }
        }
        return left.length() - right.length();
    }

    private static int compare(Run run, List<?> left, List<?> right) {
        for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
            if (!Values.equal(run, left.get(i), right.get(i))) {
                return of(run, left.get(i), right.get(i));
            }
        }
        return Integer.compare(left.size(), right.size());
    }
}
