/**
 * Learning from answers that the model gives itself. In flow prompts, rewards and a reference; out flow the steps of a stage:
 * answers are drawn with the weights as they are, judged, kept on disk, and only then learned from. A restart reads what was
 * kept and repeats the rest, answer for answer and bit for bit.
 */
package io.tidemill.trainer.rollout;
