/**
 * Examples as tensors want them. In flow token sequences of any length; out flow packed batches with next-token targets
 * and the ids of the examples in them. All of it is a function of the input's order, so a restart repeats it exactly.
 */
package io.tidemill.trainer.data;
