package io.tidemill.model.text.jinja;

/**
 * How much one rendering may do. A template is a program from outside: one that never ends, or whose text doubles with
 * every turn, stops here with an error that names the limit.
 *
 * @param steps statements, rounds of loops, calls, and items handled
 * @param chars characters that all operations and the output together may produce
 * @param depth calls inside calls, and values inside values
 */
public record Limits(long steps, long chars, int depth) {
    /** Far more than any conversation needs: at most some hundred MiB and some seconds. */
    public static final Limits USUAL = new Limits(100_000_000, 200_000_000, 100);
}
