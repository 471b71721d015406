/**
 * Key-value state that forgets: entries with an age, a time limit and a size limit, over one Kafka Streams store.
 *
 * <p>In flow entries with the time at which the broker appended them, out flow the ones that are still young enough.
 * The store is logged to its changelog topic within the transaction; a restart continues from the last commit.
 */
package io.tidemill.preprocess.state;
