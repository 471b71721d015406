/**
 * What becomes of a version that passed its gate. In flow the completions of both arms of a canary and what people said of
 * them, out flow a verdict with its figures. A restart reads both topics again from the canary's announcement on and comes
 * to the same verdict.
 */
package io.tidemill.trainer.promotion;
