/**
 * Runs of one stage over files. In flow a recipe and data; out flow checkpoints, logs, and a Hugging Face directory. A
 * restart goes on from the newest checkpoint and repeats the steps since then, bit for bit.
 */
package io.tidemill.trainer.offline;
