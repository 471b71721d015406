package io.tidemill.ingest.upload;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * Cuts a body into the JSON of its records, one after the other, without ever holding more than one of them.
 *
 * <p>NDJSON is cut at line ends. Otherwise a body that starts with {@code [} is cut at the commas between its elements,
 * and any other is one record. Cutting looks only at brackets, commas and quotes, which are single bytes in UTF-8;
 * whether the record is JSON at all is found out by who reads it. A record beyond the limit is skipped, not kept.
 */
final class BodyPieces {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int END = -1;

    private final InputStream in;
    private final int maxRecordBytes;
    private final boolean lines;
    private long line;
    private State state = State.START;
    private int pushedBack = END;

    private enum State {
        START,
        ELEMENTS,
        DONE
    }

    /**
     * The pieces of a body.
     *
     * @param lines          whether each line is a record
     * @param maxRecordBytes longest record that is kept
     */
    BodyPieces(InputStream in, boolean lines, int maxRecordBytes) {
        this.in = new BufferedInputStream(in, BUFFER_BYTES);
        this.lines = lines;
        this.maxRecordBytes = maxRecordBytes;
    }

    /** The next record, or null when the body is over. */
    Piece next() throws IOException {
        if (state == State.START) {
            skipByteOrderMark();
        }
        if (lines) {
            state = State.ELEMENTS;
            return nextLine();
        }
        return switch (state) {
            case START -> first();
            case ELEMENTS -> element();
            case DONE -> null;
        };
    }

    private Piece nextLine() throws IOException {
        while (true) {
            Taker taker = new Taker();
            int b = read();
            if (b == END) {
                return null;
            }
            line++;
            while (b != '\n' && b != END) {
                taker.take(b);
                b = read();
            }
            if (!taker.blank) {
                return taker.piece();
            }
        }
    }

    private Piece first() throws IOException {
        int b = skipBlanks();
        if (b == '[') {
            state = State.ELEMENTS;
            b = skipBlanks();
            if (b == ']') {
                return end();
            }
            pushedBack = b;
            return element();
        }
        state = State.DONE;
        if (b == END) {
            return null;
        }
        line++;
        Taker taker = new Taker();
        while (b != END) {
            taker.take(b);
            b = read();
        }
        return taker.piece();
    }

    /** Reads to the comma or bracket that ends the element, which stands outside of strings and inner brackets. */
    private Piece element() throws IOException {
        line++;
        Taker taker = new Taker();
        int depth = 0;
        boolean inString = false;
        for (int b = read(); ; b = read()) {
            if (b == END) {
                state = State.DONE;
                return Piece.broken(line, "The body ends inside of the array.", "a closing bracket");
            }
            if (inString) {
                inString = b != '"';
                if (b == '\\') {
                    taker.take(b);
                    b = read();
                    if (b == END) {
                        continue;
                    }
                }
            } else if (depth == 0 && b == ',') {
                return taker.piece();
            } else if (depth == 0 && b == ']') {
                state = State.DONE;
                int after = skipBlanks();
                if (after != END) {
                    return Piece.broken(
                            line, "Something follows the array: '" + (char) after + "'.", "nothing after the array");
                }
                return taker.piece();
            } else if (b == '"') {
                inString = true;
            } else if (b == '{' || b == '[') {
                depth++;
            } else if ((b == '}' || b == ']') && depth > 0) {
                depth--;
            }
            taker.take(b);
        }
    }

    private Piece end() throws IOException {
        state = State.DONE;
        return skipBlanks() == END
                ? null
                : Piece.broken(line + 1, "Something follows the array.", "nothing after the array");
    }

    private void skipByteOrderMark() throws IOException {
        in.mark(3);
        if (in.read() != 0xEF || in.read() != 0xBB || in.read() != 0xBF) {
            in.reset();
        }
    }

    private int skipBlanks() throws IOException {
        int b = read();
        while (isBlank(b)) {
            b = read();
        }
        return b;
    }

    private int read() throws IOException {
        if (pushedBack != END) {
            int b = pushedBack;
            pushedBack = END;
            return b;
        }
        return in.read();
    }

    private static boolean isBlank(int b) {
        return b == ' ' || b == '\t' || b == '\r' || b == '\n';
    }

    /** Keeps a record's bytes up to the limit and counts the rest. */
    private final class Taker {
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
        private long length;
        private boolean blank = true;

        void take(int b) {
            blank &= isBlank(b);
            if (++length <= maxRecordBytes) {
                kept.write(b);
            }
        }

        Piece piece() {
            return length <= maxRecordBytes
                    ? Piece.of(line, kept.toByteArray())
                    : new Piece(line, new byte[0], Piece.tooLarge(maxRecordBytes, Long.toString(length)));
        }
    }
}
