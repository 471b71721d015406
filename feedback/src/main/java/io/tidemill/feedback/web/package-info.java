/**
 * What the endpoints have in common on the wire: responses that are written from other threads, and server-sent events.
 * In flow events of this service, out flow bytes to a client. Nothing is kept, so a restart repeats nothing.
 */
package io.tidemill.feedback.web;
