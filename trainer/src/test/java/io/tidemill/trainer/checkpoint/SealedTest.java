package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SealedTest {
    @TempDir
    Path directory;

    private Path file;

    @BeforeEach
    void write() throws IOException {
        file = directory.resolve("position.json");
        Sealed.write(file, "{\"step\":3}\n");
    }

    @Test
    void whatWasWrittenIsReadAndAnAbsentFileIsEmpty() throws IOException {
        assertThat(Sealed.read(file)).hasValue("{\"step\":3}\n".getBytes(StandardCharsets.UTF_8));
        assertThat(Sealed.read(directory.resolve("absent"))).isEmpty();
        Sealed.write(file, new byte[0]);
        assertThat(Sealed.read(file)).hasValue(new byte[0]);
    }

    @Test
    void everyBitThatChangesAndEveryTruncationIsNoticed() throws IOException {
        byte[] whole = Files.readAllBytes(file);
        for (int bit = 0; bit < 8 * whole.length; bit++) {
            byte[] changed = whole.clone();
            changed[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(file, changed);
            assertThatThrownBy(() -> Sealed.read(file)).isInstanceOf(DamagedFileException.class);
        }
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> Sealed.read(file))
                    .isInstanceOf(DamagedFileException.class)
                    .hasMessageContaining("position.json is not as it was written");
        }
    }

    @Test
    void aDamagedFileThatCanBeMadeAgainIsForgotten() throws IOException {
        Files.writeString(file, "{\"step\":3}\n");
        assertThat(Sealed.readOrForget(file)).isEmpty();
        assertThat(file).doesNotExist();
    }

    @Test
    void sumsNameWhatDiffersAndAllowWhatReplacesAFile() throws IOException {
        Path state = Files.createDirectory(directory.resolve("state"));
        Files.writeString(state.resolve("held-out-pairs.binpb"), "pairs");
        Files.writeString(state.resolve("examples.tsv"), "sft\tone\n");
        Sums.write(state);
        Files.writeString(state.resolve("other"), "of no account: it came later");
        assertThat(Sums.flaws(state, true)).isEmpty();

        // as HeldOut replaces it: whenever it is interrupted, one of the two digests fits
        Path pairs = state.resolve("held-out-pairs.binpb");
        Sums.allow(state, "held-out-pairs.binpb", "6c3fd0ec0b6d2cbaf3aefec5ed0e41a2b7d2a8e6b4d05f1f16f4ff56ff7c9d11");
        assertThat(Sums.flaws(state, true)).isEmpty();
        Files.writeString(pairs, "damaged");
        assertThat(Sums.flaws(state, true)).singleElement().asString().startsWith("File held-out-pairs.binpb in ");

        Files.delete(pairs);
        assertThat(Sums.flaws(state, false)).isEmpty(); // taken away by retention
        assertThat(Sums.flaws(state, true)).singleElement().asString().contains("held-out-pairs.binpb is missing");

        Files.writeString(state.resolve("examples.tsv"), "sft\tother\n");
        assertThatThrownBy(() -> Sums.check(state, "examples.tsv"))
                .isInstanceOf(DamagedFileException.class)
                .hasMessageContaining("File examples.tsv in ")
                .hasMessageContaining("Put it back from a copy.");

        Files.write(state.resolve(Sums.FILE), List.of("nothing"));
        assertThat(Sums.flaws(state, true)).singleElement().asString().contains("is not as it was written");
    }
}
