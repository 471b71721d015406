/**
 * Takes a body of one or many records and writes what is valid to Kafka.
 *
 * <p>A stream of bytes flows in through {@link io.tidemill.ingest.upload.Uploads}; protobuf records flow out to the
 * topics of the catalogue, and an {@link io.tidemill.ingest.upload.Answer} that names every line. No more of a body is
 * in memory than its limits say. A restart forgets which idempotency keys were seen, not which ids they stand for.
 */
package io.tidemill.ingest.upload;
