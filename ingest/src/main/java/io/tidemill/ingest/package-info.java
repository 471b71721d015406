/**
 * The HTTP edge of ingest: resources, settings, wiring, health.
 *
 * <p>Requests flow in, answers flow out; what happens between is {@link io.tidemill.ingest.upload}. Nothing is kept on
 * disk: after a restart a repeated request is sent again under the same ids, and downstream drops the repeat.
 */
package io.tidemill.ingest;
