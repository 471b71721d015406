package io.tidemill.model.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/** Python's operators. Whole numbers stay exact or are refused beyond 64 bits. */
final class Arithmetic {
    private static final long EXACT_IN_DOUBLE = 1L << 53;

    private Arithmetic() {}

    static Object add(Run run, Object left, Object right) {
        if (left instanceof Safe || right instanceof Safe) {
            if (!isText(left) || !isText(right)) {
                throw refused("+", left, right);
            }
            return new Safe(
                    run.counted(Safe.escape(left).text() + Safe.escape(right).text()));
        }
        if (left instanceof String a && right instanceof String b) {
            run.spendText(a.length() + (long) b.length());
            return a + b;
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            return joined(run, a, b);
        }
        if (left instanceof Tuple a && right instanceof Tuple b) {
            return new Tuple(joined(run, a.items(), b.items()));
        }
        return numbers("+", left, right, Math::addExact, Double::sum);
    }

    private static List<Object> joined(Run run, List<?> left, List<?> right) {
        run.spend(left.size() + (long) right.size());
        List<Object> both = new ArrayList<>(left);
        both.addAll(right);
        return both;
    }

    static Object subtract(Run run, Object left, Object right) {
        return numbers("-", left, right, Math::subtractExact, (a, b) -> a - b);
    }

    static Object multiply(Run run, Object left, Object right) {
        Object a = Values.number(left);
        Object b = Values.number(right);
        if (a instanceof Long count && !(b instanceof Number)) {
            return repeat(run, b, count, left, right);
        }
        if (b instanceof Long count && !(a instanceof Number)) {
            return repeat(run, a, count, left, right);
        }
        return numbers("*", left, right, Math::multiplyExact, (x, y) -> x * y);
    }

    private static Object repeat(Run run, Object value, long count, Object left, Object right) {
        long times = Math.max(0, count);
        if (value instanceof String text) {
            run.spendText(saturated(text.length(), times));
            return text.repeat((int) (text.isEmpty() ? 0 : times));
        }
        List<Object> items = value instanceof Tuple tuple
                ? tuple.items()
                : value instanceof List<?> list ? new ArrayList<>(list) : null;
        if (items == null) {
            throw refused("*", left, right);
        }
        run.spend(saturated(items.size(), times));
        List<Object> all = new ArrayList<>();
        for (long i = 0; i < times && !items.isEmpty(); i++) {
            all.addAll(items);
        }
        return value instanceof Tuple ? new Tuple(all) : all;
    }

    private static long saturated(long size, long times) {
        return size == 0 || times <= Integer.MAX_VALUE ? size * times : Integer.MAX_VALUE * size;
    }

    static Object divide(Run run, Object left, Object right) {
        return numbers("/", left, right, null, (a, b) -> {
            if (Math.abs(a) > EXACT_IN_DOUBLE && Values.number(left) instanceof Long
                    || Math.abs(b) > EXACT_IN_DOUBLE && Values.number(right) instanceof Long) {
                throw new JinjaException("'/' of whole numbers beyond 53 bits is not supported");
            }
            return a / nonZero(b, "/");
        });
    }

    static Object floorDivide(Run run, Object left, Object right) {
        return numbers(
                "//",
                left,
                right,
                (a, b) -> {
                    nonZero(b, "//");
                    if (a == Long.MIN_VALUE && b == -1) {
                        throw new ArithmeticException();
                    }
                    return Math.floorDiv(a, b);
                },
                (a, b) -> {
                    // Source: CPython, float_floor_div: from the remainder, which is exact.
                    double quotient = (a - floorRemainder(a, nonZero(b, "//"))) / b;
                    if (quotient == 0) {
                        return Math.copySign(0, a / b);
                    }
                    double floor = Math.floor(quotient);
                    return quotient - floor > 0.5 ? floor + 1 : floor;
                });
    }

    static Object remainder(Run run, Object left, Object right) {
        if (left instanceof String format) {
            return run.counted(Formats.percent(format, right));
        }
        return numbers(
                "%",
                left,
                right,
                (a, b) -> {
                    nonZero(b, "%");
                    return Math.floorMod(a, b);
                },
                (a, b) -> floorRemainder(a, nonZero(b, "%")));
    }

    private static double floorRemainder(double a, double b) {
        double remainder = a % b;
        if (remainder == 0) {
            return Math.copySign(0, b);
        }
        return remainder < 0 != b < 0 ? remainder + b : remainder;
    }

    static Object power(Run run, Object left, Object right) {
        Object a = Values.number(left);
        Object b = Values.number(right);
        if (a instanceof Undefined undefined) {
            throw undefined.fault();
        }
        if (!(a instanceof Long base) || !(b instanceof Long exponent) || exponent < 0) {
            throw new JinjaException(
                    "'**' is supported for whole numbers that are not negative on its right, but found "
                            + Values.shown(left) + " and " + Values.shown(right));
        }
        long result = 1;
        boolean small = base >= -1 && base <= 1;
        long times = small ? (exponent == 0 ? 0 : 2 - exponent % 2) : exponent;
        try {
            for (long i = 0; i < times; i++) {
                result = Math.multiplyExact(result, base);
            }
        } catch (ArithmeticException e) {
            throw beyond("**");
        }
        return result;
    }

    static Object negate(Object value) {
        Object number = Values.number(value);
        if (number instanceof Double decimal) {
            return -decimal;
        }
        return numbers("-", 0L, value, Math::subtractExact, (a, b) -> a - b);
    }

    static Object plus(Object value) {
        return numbers("+", 0L, value, Math::addExact, (a, b) -> b);
    }

    private static Object numbers(
            String operator, Object left, Object right, LongBinaryOperator whole, DoubleBinaryOperator decimal) {
        Object a = Values.number(left);
        Object b = Values.number(right);
        if (!(a instanceof Number x) || !(b instanceof Number y)) {
            throw refused(operator, left, right);
        }
        if (whole != null && a instanceof Long i && b instanceof Long j) {
            try {
                return whole.applyAsLong(i, j);
            } catch (ArithmeticException e) {
                throw beyond(operator);
            }
        }
        double result = decimal.applyAsDouble(x.doubleValue(), y.doubleValue());
        return result;
    }

    private static double nonZero(double divisor, String operator) {
        if (divisor == 0) {
            throw new JinjaException("'" + operator + "' by zero");
        }
        return divisor;
    }

    private static boolean isText(Object value) {
        return value instanceof String || value instanceof Safe;
    }

    private static JinjaException beyond(String operator) {
        return new JinjaException("'" + operator + "' gives a whole number beyond 64 bits, which is not supported");
    }

    private static JinjaException refused(String operator, Object left, Object right) {
        if (left instanceof Undefined undefined) {
            return undefined.fault();
        }
        if (right instanceof Undefined undefined) {
            return undefined.fault();
        }
        if (left instanceof Safe || right instanceof Safe) {
            return new JinjaException("'" + operator + "' of a text marked 'safe' is not supported");
        }
        return new JinjaException("'" + operator + "' cannot join " + Values.shown(left) + " and " + Values.shown(right)
                + ("+".equals(operator) ? "; '~' joins as text" : ""));
    }
}
