package io.tidemill.trainer.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * An element of DER (ITU-T X.690), as keys are written in: as much of it as a public key inside a private one needs.
 *
 * @param tag     identifier octet; tags above 30 are not read
 * @param content without identifier and length
 */
record Der(int tag, byte[] content) {
    static final int SEQUENCE = 0x30;
    static final int OCTET_STRING = 0x04;
    static final int BIT_STRING = 0x03;

    /** Explicitly tagged {@code [1]}. */
    static final int CONTEXT_1 = 0xa1;

    /** @throws IOException if an element is longer than what is there */
    static List<Der> read(byte[] encoded) throws IOException {
        List<Der> elements = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(encoded);
        try {
            while (in.hasRemaining()) {
                int tag = in.get() & 0xff;
                byte[] content = new byte[length(in)];
                in.get(content);
                elements.add(new Der(tag, content));
            }
        } catch (BufferUnderflowException e) {
            throw new IOException("its DER is cut off", e);
        }
        return elements;
    }

    private static int length(ByteBuffer in) throws IOException {
        int first = in.get() & 0xff;
        int length = first;
        if (first > 0x7f) {
            length = 0;
            for (int i = 0; i < (first & 0x7f); i++) {
                length = length << 8 | in.get() & 0xff;
            }
        }
        if (length < 0 || length > in.remaining()) {
            throw new IOException("its DER is cut off");
        }
        return length;
    }

    /** The element at that place of a constructed one. */
    Der child(int index, int expected) throws IOException {
        List<Der> children = read(content);
        if (index >= children.size() || children.get(index).tag != expected) {
            throw new IOException("its DER is not that of a key");
        }
        return children.get(index);
    }

    byte[] encoded() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.length > 0x7f) {
            byte[] length = BigInteger.valueOf(content.length).toByteArray();
            int skipped = length[0] == 0 ? 1 : 0; // the sign: the shortest form alone is DER
            out.write(0x80 | length.length - skipped);
            out.write(length, skipped, length.length - skipped);
        } else {
            out.write(content.length);
        }
        out.writeBytes(content);
        return out.toByteArray();
    }
}
