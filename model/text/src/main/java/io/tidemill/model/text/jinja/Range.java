package io.tidemill.model.text.jinja;

import java.util.ArrayList;
import java.util.List;

/** Whole numbers from {@code start}, {@code step} apart, before {@code stop}. */
record Range(long start, long stop, long step) {
    /** As long as the sandbox of Jinja allows. */
    private static final long LONGEST = 100_000;

    Range {
        if (step == 0) {
            throw new JinjaException("the step of a range must not be 0");
        }
        long length = length(start, stop, step);
        if (length > LONGEST) {
            throw new JinjaException("a range may have " + LONGEST + " numbers, but would have " + length);
        }
    }

    static Object of(Args args) {
        args.check("range", 1, "start", "stop", "step");
        if (!args.named().isEmpty()) {
            throw new JinjaException("range takes no arguments by name");
        }
        long first = args.integer(0, "start", 0);
        boolean one = args.places().size() == 1;
        return new Range(one ? 0 : first, one ? first : args.integer(1, "stop", 0), args.integer(2, "step", 1));
    }

    private static long length(long start, long stop, long step) {
        if (step > 0 ? start >= stop : start <= stop) {
            return 0;
        }
        try {
            long distance = Math.subtractExact(stop, start);
            return Math.addExact((distance - (step > 0 ? 1 : -1)) / step, 1);
        } catch (ArithmeticException e) {
            return Long.MAX_VALUE;
        }
    }

    long length() {
        return length(start, stop, step);
    }

    long at(long place) {
        return start + place * step;
    }

    List<Object> numbers() {
        List<Object> numbers = new ArrayList<>();
        long length = length();
        for (long i = 0; i < length; i++) {
            numbers.add(at(i));
        }
        return numbers;
    }
}
