/**
 * The service: cleans, de-duplicates and tokenizes text, and joins completions with feedback, exactly once.
 *
 * <p>In flow {@code documents}, {@code demonstrations}, {@code completions}, {@code feedback} and {@code checkpoints},
 * out flow {@code token-sequences.<fingerprint>}, {@code preferences} and {@code rejected}. A restart repeats what the
 * last transaction had not committed, and nothing of that is seen twice under {@code read_committed}.
 */
package io.tidemill.preprocess;
