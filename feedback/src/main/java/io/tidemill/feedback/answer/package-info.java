/**
 * The port to a loaded model and its one real implementation. In flow a question and sampling settings, out flow pieces
 * of text with their tokens and log-probabilities. Nothing is kept between answers, so a restart repeats nothing.
 */
package io.tidemill.feedback.answer;
