/**
 * Whether a candidate may replace the champion. In flow both models and examples that no training has seen; out flows a
 * verdict with each suite's numbers. Scores are kept by version and example, so a restart repeats only what was not
 * scored yet, and resampling is seeded, so the verdict is the same.
 */
package io.tidemill.trainer.gate;
