package io.tidemill.trainer.offline.data;

/** What is wrong with one example, and how to mend it. */
public final class Mistake extends Exception {
    private static final long serialVersionUID = 1L;

    private final String kind;

    /** @param kind short and stable, for counting: {@code wrong-type}, {@code too-long}, … */
    public Mistake(String kind, String message) {
        super(message);
        this.kind = kind;
    }

    String kind() {
        return kind;
    }
}
