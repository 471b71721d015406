/**
 * Versions of a model: on disk, in the log, and how one follows from another. In flow weights with their figures; out
 * flow directories that are whole or absent, and events on the {@code checkpoints} topic. A restart throws away what was
 * half written and announces again what was written but not announced.
 */
package io.tidemill.trainer.checkpoint;
