/**
 * What a run tells while it goes on: a bar or lines, TensorBoard's event files, a CSV. In flow figures of steps and
 * evaluations. After an interruption what was told of steps that are taken again no longer counts.
 */
package io.tidemill.trainer.offline.log;
