package io.tidemill.ingest.upload;

import io.tidemill.proto.Reading;

/**
 * One record's place in a body.
 *
 * @param line    line of NDJSON, or number of the element in an array; from 1
 * @param bytes   the record's JSON; empty where there is a problem
 * @param problem why there is no JSON; null where there is
 */
@SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
record Piece(long line, byte[] bytes, Reading.Refused<?> problem) {
    static final String TOO_LARGE = "too-large";

    static Piece of(long line, byte[] bytes) {
        return new Piece(line, bytes, null);
    }

    static Piece broken(long line, String reason, String expected) {
        return new Piece(
                line,
                new byte[0],
                new Reading.Refused<>("unreadable", reason + " Expected: " + expected + ".", "", "", expected));
    }

    static Reading.Refused<?> tooLarge(long limitBytes, String found) {
        String expected = "at most " + limitBytes + " bytes";
        return new Reading.Refused<>(
                TOO_LARGE, "A record must have " + expected + ", but this one has " + found + ".", "", found, expected);
    }
}
