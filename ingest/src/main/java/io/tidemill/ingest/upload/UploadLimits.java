package io.tidemill.ingest.upload;

import java.time.Duration;

/**
 * How much of a request may be in memory, and how long it may take.
 *
 * @param maxRecordBytes     longest record
 * @param batchRecords       most records of a body that is taken whole or not at all
 * @param batchBytes         most bytes of such a body; a longer one is a stream
 * @param inFlightRecords    most records of a stream that wait for their acknowledgement
 * @param inFlightBytes      most bytes of such records
 * @param maxRefusedLines    a stream with more refused lines is broken off
 * @param concurrentUploads  most requests at a time
 * @param acknowledgeTimeout how long a record may wait to be sent, and how long for its acknowledgement
 */
public record UploadLimits(
        int maxRecordBytes,
        int batchRecords,
        int batchBytes,
        int inFlightRecords,
        long inFlightBytes,
        int maxRefusedLines,
        int concurrentUploads,
        Duration acknowledgeTimeout) {}
