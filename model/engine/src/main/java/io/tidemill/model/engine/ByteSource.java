package io.tidemill.model.engine;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The bytes of a file, little-endian, a range at a time. */
interface ByteSource extends Closeable {
    long size() throws IOException;

    /** Valid until the next call. The caller has checked that the range lies within the size. */
    ByteBuffer at(long from, int count) throws IOException;
}
