/**
 * Training and judging encoders. In flow texts with labels, or without; out flow the steps of a stage and reports of what
 * a model gets right. Order and masks are functions of seed, epoch and example id, so a restart repeats them exactly.
 */
package io.tidemill.trainer.encoder;
