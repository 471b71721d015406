package io.tidemill.proto;

/** What came of reading one record: a message that holds what it must, or the reason why there is none. */
public sealed interface Reading<M> {
    /** A message with every required field. */
    record Accepted<M>(M message) implements Reading<M> {}

    /**
     * Why the record cannot be used.
     *
     * @param code     short and stable, for counting: {@code empty}, {@code unreadable}, {@code unknown-field},
     *                 {@code wrong-type}, {@code missing-field}, {@code wrong-value}
     * @param reason   one sentence with the field, its value and what is expected
     * @param field    path of the field, for instance {@code messages[1].role}; empty where it is about the whole
     * @param value    what was found there, cut to one line; may be empty
     * @param expected what should have been there; may be empty
     */
    record Refused<M>(String code, String reason, String field, String value, String expected) implements Reading<M> {
        public Refused(String code, String reason) {
            this(code, reason, "", "", "");
        }
    }
}
