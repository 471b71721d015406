/**
 * The training itself. In flow a stage's examples and the weights it starts from; out flow the weights it ends with and
 * a report a step. The steps are a function of examples, order and settings, and a stage goes on from its last saved
 * step, so a restart repeats at most the steps since then, bit for bit.
 */
package io.tidemill.trainer.stage;
