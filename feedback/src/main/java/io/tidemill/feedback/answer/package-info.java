/**
 * The ports to a loaded model and their real implementations. In flow questions with sampling settings, or texts, out flow
 * pieces of text with their tokens and log-probabilities, or what an encoder says of the texts. Nothing is kept between
 * answers, so a restart repeats nothing.
 */
package io.tidemill.feedback.answer;
