/**
 * Strict reading of JSON requests and the one shape of errors. In flow bytes, out flow checked values or a refusal that
 * names field, value and what is expected. Nothing is kept, so a restart repeats nothing.
 */
package io.tidemill.feedback.request;
