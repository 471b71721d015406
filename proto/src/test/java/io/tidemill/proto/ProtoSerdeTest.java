package io.tidemill.proto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Rejected;
import java.time.Instant;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;

class ProtoSerdeTest {
    private final ProtoSerde<Document> serde = ProtoSerde.of(Document.getDefaultInstance());

    @Test
    void aForwardedJsonHeaderIsReplacedByWhatWasWritten() {
        Headers headers = new RecordHeaders()
                .add("content-type", "application/json".getBytes(UTF_8))
                .add("trace", new byte[] {1});
        byte[] bytes = serde.serializer()
                .serialize("t", headers, Document.newBuilder().setText("a").build());
        assertThat(headers.headers("content-type"))
                .singleElement()
                .satisfies(header -> assertThat(header.value()).asString().isEqualTo("application/x-protobuf"));
        assertThat(headers.lastHeader("trace").value()).containsExactly(1);
        assertThat(Readers.documents().read(bytes, headers)).isInstanceOf(Reading.Accepted.class);
    }

    @Test
    void nothingStaysNothingAndRubbishIsNamed() {
        assertThat(serde.serializer().serialize("t", new RecordHeaders(), null)).isNull();
        assertThat(serde.deserializer().deserialize("t", null)).isNull();
        assertThatThrownBy(() -> serde.deserializer().deserialize("topic-7", new byte[] {1, 2, 3}))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("topic-7")
                .hasMessageContaining("3 bytes is not a Document");
    }

    @Test
    void theLargestRejectedRecordFitsItsTopic() {
        Headers headers = new RecordHeaders();
        for (int i = 0; i < 100; i++) {
            headers.add("h" + i, new byte[20_000]);
        }
        Rejected rejected = Rejections.of(
                "parse",
                "unreadable",
                "é".repeat(100_000),
                "tidemill.documents",
                3,
                42,
                new byte[1_000_000],
                new byte[10_000_000],
                headers,
                Instant.EPOCH,
                null);
        assertThat(rejected.getSerializedSize())
                .isGreaterThan(TopicCatalogue.MAX_SOURCE_RECORD_BYTES)
                .isLessThan(TopicCatalogue.MAX_SOURCE_RECORD_BYTES + TopicCatalogue.REJECTED_FRAME_BYTES - 1024);
        assertThat(rejected.getHeadersMap()).containsEntry(Rejections.CLIPPED_FROM, "10000000");
        assertThat(rejected.getSourceId()).isEqualTo(Ids.contentHash(new byte[10_000_000]));
    }

    @Test
    void aRejectedRecordKeepsTheRecordAsItCame() {
        byte[] value = {1, 2, 3};
        Rejected rejected = Rejections.of(
                "parse",
                "unreadable",
                "why",
                "t",
                1,
                2,
                null,
                value,
                new RecordHeaders().add("a", null),
                Instant.ofEpochSecond(5),
                "id-1");
        assertThat(rejected.getValue().toByteArray()).isEqualTo(value);
        assertThat(rejected.getSourceId()).isEqualTo("id-1");
        assertThat(rejected.getRejectedAt().getSeconds()).isEqualTo(5);
        assertThat(rejected.getHeadersMap()).containsEntry("a", "");
    }
}
