package io.tidemill.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDirectoryTest {
    @TempDir
    Path parent;

    @Test
    void aNewDirectoryIsMadeAndNamesItsFormat() throws IOException {
        Path data = parent.resolve("new/data");
        try (DataDirectory held = DataDirectory.open(data, 0)) {
            assertThat(held).isNotNull();
            assertThat(data.resolve("format-version")).hasContent("1\n");
        }
    }

    @Test
    void aSecondInstanceIsToldWhichDirectoryIsInUse() {
        Path data = parent.resolve("data");
        try (DataDirectory first = DataDirectory.open(data, 0)) {
            assertThat(first).isNotNull();
            assertThatThrownBy(() -> DataDirectory.open(data, 0))
                    .isInstanceOf(CannotStartException.class)
                    .hasMessage("Another Tidemill is running on --data " + data
                            + "; stop it, or choose another directory with --data.");
        }
    }

    @Test
    void aDirectoryThatWasLetGoCanBeOpenedAgain() {
        Path data = parent.resolve("data");
        DataDirectory.open(data, 0).close();
        DataDirectory.open(data, 0).close();
    }

    @Test
    void aDirectoryKeepsItsNameAndSharesItWithNoOther() {
        String name = nameOf("data");
        assertThat(name).startsWith("mill-");
        assertThat(nameOf("data")).isEqualTo(name);
        assertThat(nameOf("other")).isNotEqualTo(name);
    }

    private String nameOf(String directory) {
        try (DataDirectory held = DataDirectory.open(parent.resolve(directory), 0)) {
            return held.instance();
        }
    }

    @Test
    void theFormatOfAnotherReleaseIsRefusedAndTheDirectoryLetGo() throws IOException {
        Path data = Files.createDirectory(parent.resolve("data"));
        Files.writeString(data.resolve("format-version"), "7\n");
        for (int attempt = 0; attempt < 2; attempt++) {
            assertThatThrownBy(() -> DataDirectory.open(data, 0))
                    .hasMessage("--data " + data + " has format '7', but this Tidemill reads format 1;"
                            + " use the release that wrote it, or choose another directory with --data.");
        }
    }

    @Test
    void aDirectoryWithSomebodysFilesIsLeftAlone() throws IOException {
        Path photos = Files.createDirectory(parent.resolve("photos"));
        Files.writeString(photos.resolve("sea.jpg"), "…");
        assertThatThrownBy(() -> DataDirectory.open(photos, 0))
                .hasMessage("--data " + photos + " holds files but no format-version, so it is no data directory of"
                        + " Tidemill; choose another with --data.");
        assertThat(photos).isDirectoryContaining("glob:**sea.jpg");
        assertThat(photos.toFile().list()).containsExactly("sea.jpg");
    }

    @Test
    void aFullDiskIsNamedBeforeAnythingIsWritten() {
        Path data = parent.resolve("data");
        assertThatThrownBy(() -> DataDirectory.open(data, Long.MAX_VALUE))
                .isInstanceOf(CannotStartException.class)
                .hasMessageStartingWith("The disk of --data " + data + " has ")
                .hasMessageContaining(" MiB free, but Tidemill needs 8796093022207 MiB");
        assertThat(data.resolve("format-version")).doesNotExist();
    }

    @Test
    void aFileIsNoDirectory() throws IOException {
        Path file = Files.writeString(parent.resolve("file"), "");
        assertThatThrownBy(() -> DataDirectory.open(file, 0))
                .hasMessage("--data " + file + " is a file, not a directory.");
    }
}
