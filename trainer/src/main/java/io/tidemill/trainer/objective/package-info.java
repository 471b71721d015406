/**
 * What preference, reward and reinforcement stages learn by: one paper, one class. In flow a model's log-probabilities and
 * scores of answers with what is known of them; out flow the loss, its slopes, and the figures that a step logs. All are
 * functions of plain numbers, without tensors; what outlives a step, a running mean or a coefficient, is given out and
 * taken back as {@code memory}, so that a restart repeats nothing else.
 */
package io.tidemill.trainer.objective;
