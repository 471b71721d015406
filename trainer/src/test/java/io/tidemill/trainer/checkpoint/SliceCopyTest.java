package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.proto.ErasureSet;
import io.tidemill.proto.v1.Erasure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SliceCopyTest {
    @TempDir
    Path state;

    private static ConsumerRecord<byte[], byte[]> record(long offset, String key, String value) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("schema", new byte[] {1, 2});
        byte[] keyBytes = key == null ? null : key.getBytes(StandardCharsets.UTF_8);
        byte[] valueBytes = value.getBytes(StandardCharsets.UTF_8);
        return new ConsumerRecord<>(
                "preferences",
                2,
                offset,
                1_700_000_000_123L,
                TimestampType.CREATE_TIME,
                0,
                valueBytes.length,
                keyBytes,
                valueBytes,
                headers,
                Optional.empty());
    }

    private void write() throws IOException {
        SliceCopy copy = new SliceCopy();
        copy.add(record(7, "k", "of anna"), Set.of("subject/anna", "document/d7"));
        copy.add(record(9, null, "of nobody"), Set.of());
        copy.write(state);
        Sums.write(state);
    }

    private String text() throws IOException {
        return Files.readString(state.resolve(SliceCopy.FILE), StandardCharsets.ISO_8859_1);
    }

    @Test
    void recordsAreAsTheyWereRead() throws IOException {
        write();
        List<ConsumerRecord<byte[], byte[]>> records = SliceCopy.read(state);
        assertThat(records).hasSize(2).allSatisfy(record -> {
            assertThat(record.topic()).isEqualTo("preferences");
            assertThat(record.partition()).isEqualTo(2);
            assertThat(record.timestamp()).isEqualTo(1_700_000_000_123L);
            assertThat(record.headers().lastHeader("schema").value()).containsExactly(1, 2);
        });
        assertThat(records.get(0).offset()).isEqualTo(7);
        assertThat(records.get(0).key()).isEqualTo("k".getBytes(StandardCharsets.UTF_8));
        assertThat(records.get(0).value()).isEqualTo("of anna".getBytes(StandardCharsets.UTF_8));
        assertThat(records.get(1).offset()).isEqualTo(9);
        assertThat(records.get(1).key()).isNull();
    }

    @Test
    void whatIsErasedIsTakenOutWithItsNamesAndTheRestIsStillWhole() throws IOException {
        write();
        assertThat(SliceCopy.purge(state, ErasureSet.of(List.of(erasure("ben")))))
                .isZero();
        assertThat(SliceCopy.purge(state, ErasureSet.of(List.of(erasure("anna")))))
                .isEqualTo(1);
        assertThat(SliceCopy.read(state))
                .singleElement()
                .extracting(ConsumerRecord::offset)
                .isEqualTo(9L);
        assertThat(text()).doesNotContain("anna");
        Sums.check(state, SliceCopy.FILE);
        Files.writeString(state.resolve(SliceCopy.FILE), "\0");
        assertThatThrownBy(() -> Sums.check(state, SliceCopy.FILE)).isInstanceOf(DamagedFileException.class);
    }

    private static Erasure erasure(String subject) {
        return Erasure.newBuilder().setErasureId(subject).setSubject(subject).build();
    }
}
