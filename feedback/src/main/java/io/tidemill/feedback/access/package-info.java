/**
 * Who may call, and who it is. In flow HTTP requests, out flow the same with a {@code Principal}, or refusals. API keys
 * are made once and kept hashed; a restart reads them again.
 */
package io.tidemill.feedback.access;
