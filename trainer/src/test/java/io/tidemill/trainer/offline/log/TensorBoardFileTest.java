package io.tidemill.trainer.offline.log;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardFileTest {
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochMilli(1_700_000_000_500L), ZoneOffset.UTC);

    @TempDir
    Path directory;

    /** What an event says: step, then "version …", "tag=value" or "session". */
    record Read(double wallTime, long step, String what) {}

    @Test
    void scalarsAreReadAsTheyWereWritten() throws IOException {
        try (TensorBoardFile file = new TensorBoardFile(directory, CLOCK, 0)) {
            file.add(10, Map.of("train/loss", 2.5));
            file.add(20, Map.of("eval/accuracy", 0.75));
        }

        assertThat(read(directory.resolve("events.out.tfevents.1700000000.tidemill.000")))
                .containsExactly(
                        new Read(1_700_000_000.5, 0, "brain.Event:2"),
                        new Read(1_700_000_000.5, 10, "train/loss=2.5"),
                        new Read(1_700_000_000.5, 20, "eval/accuracy=0.75"));
    }

    @Test
    void afterAnInterruptionLaterStepsOfTheFileBeforeAreTakenBack() throws IOException {
        try (TensorBoardFile first = new TensorBoardFile(directory, CLOCK, 0)) {
            first.add(30, Map.of("train/loss", 2.0));
        }
        try (TensorBoardFile second = new TensorBoardFile(directory, CLOCK, 20)) {
            second.add(30, Map.of("train/loss", 1.0));
        }

        assertThat(read(directory.resolve("events.out.tfevents.1700000000.tidemill.001")))
                .extracting(Read::step, Read::what)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(0L, "brain.Event:2"),
                        org.assertj.core.groups.Tuple.tuple(21L, "session 1"),
                        org.assertj.core.groups.Tuple.tuple(30L, "train/loss=1.0"));
    }

    /** CRC-32C of "123456789" is e3069283 (RFC 3720, B.4); rotated right by 15: 0d3c7 · · ·, plus a282ead8. */
    @Test
    void checksumsAreMaskedAsTensorFlowDoes() {
        int crc = 0xe3069283;
        int expected = ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
        assertThat(TensorBoardFile.masked("123456789".getBytes(StandardCharsets.US_ASCII)))
                .isEqualTo(expected);
    }

    static List<Read> read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<Read> events = new ArrayList<>();
        while (bytes.hasRemaining()) {
            byte[] length = new byte[8];
            bytes.get(length);
            assertThat(bytes.getInt()).isEqualTo(TensorBoardFile.masked(length));
            byte[] event = new byte
                    [(int) ByteBuffer.wrap(length)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong()];
            bytes.get(event);
            assertThat(bytes.getInt()).isEqualTo(TensorBoardFile.masked(event));
            events.add(event(event));
        }
        return events;
    }

    private static Read event(byte[] bytes) throws IOException {
        CodedInputStream in = CodedInputStream.newInstance(bytes);
        double wallTime = 0;
        long step = 0;
        String what = "";
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            switch (WireFormat.getTagFieldNumber(tag)) {
                case 1 -> wallTime = in.readDouble();
                case 2 -> step = in.readInt64();
                case 3 -> what = in.readString();
                case 5 -> what = value(in.readByteArray());
                case 7 -> what = "session " + in.readByteArray()[1];
                default -> in.skipField(tag);
            }
        }
        return new Read(wallTime, step, what);
    }

    private static String value(byte[] summary) throws IOException {
        CodedInputStream in = CodedInputStream.newInstance(summary);
        in.readTag();
        CodedInputStream value = CodedInputStream.newInstance(in.readByteArray());
        value.readTag();
        String name = value.readString();
        value.readTag();
        return name + "=" + value.readFloat();
    }
}
