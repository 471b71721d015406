/**
 * Data of runs over files. In flow JSON, CSV, plain text, slices of topics and what this build brings; out flow examples
 * in text, or what is wrong with them, by file and line. A restart reads all of it again.
 */
package io.tidemill.trainer.offline.data;
