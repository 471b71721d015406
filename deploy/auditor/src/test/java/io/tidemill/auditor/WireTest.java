package io.tidemill.auditor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.Document;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;

class WireTest {
    private static final Document DOCUMENT =
            Document.newBuilder().setDocumentId("d").setText("text").build();

    @Test
    void readsWhatProducersWrite() {
        byte[] protobuf = DOCUMENT.toByteArray();
        assertThat(read(protobuf, new RecordHeaders())).contains(DOCUMENT);

        // Confluent's frame: a zero byte, the schema's id, no message indexes.
        byte[] framed = ByteBuffer.allocate(6 + protobuf.length)
                .put((byte) 0)
                .putInt(7)
                .put((byte) 0)
                .put(protobuf)
                .array();
        assertThat(read(framed, new RecordHeaders())).contains(DOCUMENT);

        Headers json = new RecordHeaders().add("Content-Type", "application/json; charset=utf-8".getBytes(UTF_8));
        assertThat(read("{\"documentId\":\"d\",\"text\":\"text\",\"more\":1}".getBytes(UTF_8), json))
                .contains(DOCUMENT);
    }

    @Test
    void whatIsNoMessageIsNone() {
        assertThat(read(null, new RecordHeaders())).isEmpty();
        assertThat(read(new byte[0], new RecordHeaders())).isEmpty();
        assertThat(read("no protobuf at all".getBytes(UTF_8), new RecordHeaders()))
                .isEmpty();
        assertThat(read(new byte[] {0, 1, 2, 3, 4, 99}, new RecordHeaders())).isEmpty();
    }

    private static Optional<Document> read(byte[] value, Headers headers) {
        return Wire.read(Document.getDefaultInstance(), value, headers);
    }
}
