package io.tidemill.preprocess.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StopMarkTest {
    @TempDir
    Path directory;

    @Test
    void storesThatWereClosedInOrderAreKept() throws IOException {
        Path store = store();
        StopMark mark = new StopMark(directory, "app");
        mark.stopped();
        mark.starts();

        assertThat(store).exists();
    }

    @Test
    void storesThatWereNotAreDeletedAndTheProcessIdStays() throws IOException {
        Path store = store();
        Path process = Files.writeString(directory.resolve("app/kafka-streams-process-metadata"), "id");
        new StopMark(directory, "app").starts();

        assertThat(store).doesNotExist();
        assertThat(directory.resolve("app/0_1")).doesNotExist();
        assertThat(process).hasContent("id");
    }

    @Test
    void aMarkIsGoodForOneStart() throws IOException {
        StopMark mark = new StopMark(directory, "app");
        mark.stopped();
        mark.starts();
        Path store = store();
        mark.starts();

        assertThat(store).doesNotExist();
    }

    @Test
    void theFirstStartFindsNothingToDo() {
        new StopMark(directory.resolve("new"), "app").starts();

        assertThat(directory.resolve("new")).isDirectory();
    }

    private Path store() throws IOException {
        Path store = directory.resolve("app/0_1/rocksdb/contents");
        Files.createDirectories(store.getParent());
        return Files.writeString(store, "entries");
    }
}
