package io.tidemill.preprocess.route;

import io.tidemill.preprocess.outcome.Origin;
import io.tidemill.proto.v1.Feedback;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Feedback that has not met its completion yet, with where it was read, for the day it is refused. */
record Waiting(Feedback feedback, Origin origin) {
    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeUTF(origin.topic());
            out.writeInt(origin.partition());
            out.writeLong(origin.offset());
            byte[] key = origin.key();
            out.writeInt(key == null ? -1 : key.length);
            out.write(key == null ? new byte[0] : key);
            feedback.writeTo(out);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    static Waiting fromBytes(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            String topic = in.readUTF();
            int partition = in.readInt();
            long offset = in.readLong();
            int keyLength = in.readInt();
            byte[] key = keyLength < 0 ? null : in.readNBytes(keyLength);
            return new Waiting(Feedback.parseFrom(in), new Origin(topic, partition, offset, key));
        } catch (IOException e) {
            throw new UncheckedIOException("The store of waiting feedback holds something else: " + e.getMessage(), e);
        }
    }
}
