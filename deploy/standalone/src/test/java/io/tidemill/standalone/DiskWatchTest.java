package io.tidemill.standalone;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class DiskWatchTest {
    private static final long MEBIBYTE = 1024 * 1024;

    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
    private final AtomicInteger stops = new AtomicInteger();

    @Test
    void aDiskThatIsNearlyFullStopsTheMillWithOneSentence() {
        assertThat(watch(() -> 127 * MEBIBYTE).look()).isTrue();
        assertThat(stops).hasValue(1);
        assertThat(errors.toString(UTF_8))
                .isEqualTo("tidemill: The disk of --data /mill has only 127 MiB left, so Tidemill stops; make room and"
                        + " start it again: what was acknowledged is kept." + System.lineSeparator());
    }

    @Test
    void roomEnoughIsNoNews() {
        assertThat(watch(() -> 128 * MEBIBYTE).look()).isFalse();
        assertThat(stops).hasValue(0);
        assertThat(errors.size()).isZero();
    }

    @Test
    void aDiskThatDoesNotTellIsNotFull() {
        assertThat(watch(() -> {
                            throw new IOException("no such device");
                        })
                        .look())
                .isFalse();
        assertThat(stops).hasValue(0);
    }

    private DiskWatch watch(DiskWatch.Room room) {
        return new DiskWatch(Path.of("/mill"), room, new PrintStream(errors, true, UTF_8), stops::incrementAndGet);
    }
}
