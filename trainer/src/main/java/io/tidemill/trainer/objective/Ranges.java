package io.tidemill.trainer.objective;

/** Refuses numbers that an objective cannot work with; gives back those that it can. */
final class Ranges {
    private Ranges() {}

    static double positive(String name, double value) {
        return check(name, value, value > 0, "above 0");
    }

    static double notNegative(String name, double value) {
        return check(name, value, value >= 0, "0 or more");
    }

    /** A share of labels that are the wrong way round: from half on, nothing would be known. */
    static double smoothing(String name, double value) {
        return check(name, value, value >= 0 && value < 0.5, "0 or more and below 0.5");
    }

    static double share(String name, double value) {
        return check(name, value, value >= 0 && value <= 1, "between 0 and 1");
    }

    static double below1(String name, double value) {
        return check(name, value, value > 0 && value < 1, "above 0 and below 1");
    }

    private static double check(String name, double value, boolean holds, String accepted) {
        if (!holds || !Double.isFinite(value)) {
            throw new IllegalArgumentException(name + " must be " + accepted + ", but was " + value);
        }
        return value;
    }
}
