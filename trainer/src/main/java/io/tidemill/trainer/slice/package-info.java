/**
 * What of the log a round reads. In flow offsets and committed records; out flow frozen slices and the records inside
 * them. A slice names the same records at every reading, so a restart repeats exactly the reading that was cut short.
 */
package io.tidemill.trainer.slice;
