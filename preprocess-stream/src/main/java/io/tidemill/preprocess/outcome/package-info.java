/**
 * What becomes of a record at a stage: it passes, or it is refused with a code and a sentence.
 *
 * <p>In flow source records as bytes, out flow parsed messages and {@code Rejected} ones that carry the record itself.
 * Counts are of this process and start at nought; a restart, or a repeated transaction, counts what it repeats again.
 */
package io.tidemill.preprocess.outcome;
