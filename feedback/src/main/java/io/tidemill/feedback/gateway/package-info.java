/**
 * OpenAI's interface to the version that serves. In flow requests, out flow answers, and each answer as a
 * {@code Completion} on the log. A restart loses the answers that were on their way; clients ask again.
 */
package io.tidemill.feedback.gateway;
