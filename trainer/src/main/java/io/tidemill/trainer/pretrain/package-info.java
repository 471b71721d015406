/**
 * Pretraining from scratch, offline. A text corpus and a configuration flow in; a Hugging Face directory flows out.
 * A restart with the same settings goes on from the newest saved step and ends with the same weights as a run that
 * was never interrupted.
 */
package io.tidemill.trainer.pretrain;
