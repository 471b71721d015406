package io.tidemill.feedback.rating;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/** The lines of a stream, one at a time and each of limited length; blank ones are passed over. */
final class NdjsonLines {
    /** Each read of a body may wait for another thread, so it should bring much. */
    private static final int PIECE_BYTES = 1 << 16;

    private final InputStream stream;
    private final int longest;
    private long number;

    /** @param longest line. Unit: bytes */
    NdjsonLines(InputStream stream, int longest) {
        this.stream = new BufferedInputStream(stream, PIECE_BYTES);
        this.longest = longest;
    }

    /** The next line that is not blank; empty at the end of the stream. */
    Optional<byte[]> next() throws IOException {
        while (true) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            number++;
            boolean blank = true;
            int next = stream.read();
            if (next < 0) {
                return Optional.empty();
            }
            for (; next >= 0 && next != '\n'; next = stream.read()) {
                if (line.size() >= longest) {
                    throw new TooLong("Line " + number, longest);
                }
                blank &= Character.isWhitespace(next);
                line.write(next);
            }
            if (!blank) {
                return Optional.of(line.toByteArray());
            }
        }
    }

    /** Number of the line that was read last, from 1. */
    long number() {
        return number;
    }

    /** A line or body is longer than the limit. */
    static final class TooLong extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TooLong(String what, int longest) {
            super(what + " is longer than " + longest + " bytes (feedback.maximum-record-bytes).");
        }
    }
}
