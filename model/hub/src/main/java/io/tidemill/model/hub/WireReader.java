package io.tidemill.model.hub;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads a protobuf message field by field, without a copy. Source: protobuf.dev, "Encoding".
 *
 * <pre>  for (WireReader in = …; in.next();) switch (in.field()) { case 1 -> in.number(); default -> {} }  </pre>
 *
 * What is not taken of a field is skipped. A length is believed only where that many bytes follow.
 */
final class WireReader {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private final ByteBuffer in;
    private final String name; // of the file, for messages
    private final long base; // where the message lies in the file

    private int field;
    private int wire = -1; // −1 once the value is taken

    WireReader(String name, ByteBuffer message) {
        this(name, message, 0);
    }

    private WireReader(String name, ByteBuffer message, long base) {
        this.name = name;
        this.in = message.slice().order(ByteOrder.LITTLE_ENDIAN);
        this.base = base;
    }

    /** Goes to the next field; false at the end. */
    boolean next() {
        if (wire >= 0) {
            skip();
        }
        if (!in.hasRemaining()) {
            return false;
        }
        long tag = varint();
        if (tag >>> 3 == 0 || tag >>> 32 != 0) {
            throw damaged("has the impossible field number " + Long.toUnsignedString(tag >>> 3));
        }
        field = (int) (tag >>> 3);
        wire = (int) (tag & 7);
        if (wire != VARINT && wire != FIXED64 && wire != BYTES && wire != FIXED32) {
            throw damaged("has field " + field + " of the unknown wire type " + wire);
        }
        return true;
    }

    int field() {
        return field;
    }

    boolean isBytes() {
        return wire == BYTES;
    }

    long number() {
        expect(VARINT);
        return varint();
    }

    int fixed32() {
        expect(FIXED32);
        need(4);
        return in.getInt();
    }

    /** The bytes of a field, where they lie. */
    ByteBuffer bytes() {
        expect(BYTES);
        return taken();
    }

    String text() {
        ByteBuffer bytes = bytes();
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw damaged("has a name that is not UTF-8");
        }
    }

    WireReader message() {
        int at = in.position();
        ByteBuffer bytes = bytes();
        return new WireReader(name, bytes, base + at);
    }

    /** A number that stands alone or, packed, among others. */
    void numbers(java.util.function.LongConsumer each) {
        if (wire == BYTES) {
            WireReader packed = message();
            while (packed.in.hasRemaining()) {
                each.accept(packed.varint());
            }
        } else {
            each.accept(number());
        }
    }

    private void skip() {
        switch (wire) {
            case VARINT -> varint();
            case FIXED64 -> advance(8);
            case FIXED32 -> advance(4);
            default -> taken();
        }
        wire = -1;
    }

    private ByteBuffer taken() {
        long length = varint();
        if (length < 0 || length > in.remaining()) {
            throw damaged("has field " + field + " of " + Long.toUnsignedString(length) + " bytes where "
                    + in.remaining() + " are left");
        }
        ByteBuffer bytes = in.slice(in.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
        in.position(in.position() + (int) length);
        return bytes;
    }

    private void advance(int bytes) {
        need(bytes);
        in.position(in.position() + bytes);
    }

    private void expect(int wanted) {
        if (wire != wanted) {
            throw damaged("has field " + field + " of wire type " + wire + " instead of " + wanted);
        }
        wire = -1;
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            need(1);
            byte next = in.get();
            value |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw damaged("has a number of more than 64 bits");
    }

    private void need(int bytes) {
        if (in.remaining() < bytes) {
            throw damaged("ends in the middle of a field");
        }
    }

    IllegalArgumentException damaged(String what) {
        return new IllegalArgumentException(name + " " + what + ", at byte " + (base + in.position()));
    }
}
