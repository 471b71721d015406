/**
 * OpenAI's interface to the version that serves. In flow requests, out flow answers, each of which becomes a
 * {@code Completion} on the log, or what an encoder says of texts, which nobody keeps. A restart loses the answers that were on their way; clients ask again.
 */
package io.tidemill.feedback.gateway;
