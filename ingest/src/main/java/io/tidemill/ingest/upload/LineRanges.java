package io.tidemill.ingest.upload;

/** Ascending line numbers, written as {@code 1-40,42,50-61}. */
final class LineRanges {
    private final StringBuilder closed = new StringBuilder();
    private long from = -1;
    private long to = -1;

    void add(long line) {
        if (from >= 0 && line == to + 1) {
            to = line;
            return;
        }
        closed.append(open());
        if (!closed.isEmpty()) {
            closed.append(',');
        }
        from = line;
        to = line;
    }

    private String open() {
        return from < 0 ? "" : from == to ? Long.toString(from) : from + "-" + to;
    }

    @Override
    public String toString() {
        return closed + open();
    }
}
