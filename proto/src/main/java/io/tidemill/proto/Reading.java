package io.tidemill.proto;

/** What came of reading one record: a message that holds what it must, or the reason why there is none. */
public sealed interface Reading<M> {
    /** A message with every required field. */
    record Accepted<M>(M message) implements Reading<M> {}

    /**
     * Why the record cannot be used.
     *
     * @param code   short and stable, for counting: {@code empty}, {@code unreadable}, {@code unknown-field},
     *               {@code wrong-type}, {@code missing-field}, {@code wrong-value}
     * @param reason one sentence with the field, its value and what is expected
     */
    record Refused<M>(String code, String reason) implements Reading<M> {}
}
