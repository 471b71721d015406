package io.tidemill.deploy.services;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.deploy.Program;
import io.tidemill.deploy.kubernetes.Environments;
import io.tidemill.feedback.access.ApiKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The script that makes keys, against the service's own reading of them. */
@EnabledOnOs(OS.LINUX)
class ApiKeyTest {
    @TempDir
    Path folder;

    @Test
    void theServiceAcceptsTheKeyThatTheScriptPrintsAndNoOther() throws Exception {
        Path file = folder.resolve("api-keys.json");
        String key = newKey(file).output().trim();

        ApiKeys keys = open(file);

        assertThat(keys.authenticate(Optional.of(key)))
                .hasValueSatisfying(
                        principal -> assertThat(principal.getSubject()).startsWith("key:"));
        String last = key.substring(key.length() - 1);
        String other = key.substring(0, key.length() - 1) + (last.equals("0") ? "1" : "0");
        assertThat(keys.authenticate(Optional.of(other))).isEmpty();
        assertThat(Files.readString(file)).doesNotContain(key.substring(key.lastIndexOf('-') + 1));
    }

    @Test
    void theFileIsForItsOwnerAloneAndIsNeverWrittenOver() throws Exception {
        Path file = folder.resolve("api-keys.json");
        newKey(file);
        String before = Files.readString(file);

        Program.Result again = newKey(file);

        assertThat(again.status()).isNotZero();
        assertThat(again.errors()).contains("is there already");
        assertThat(Files.readString(file)).isEqualTo(before);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }

    @Test
    void theKeysAreUnderTheDataDirectoryOfTheService() {
        assertThat(Environments.apiKeysFile())
                .isEqualTo(Environments.shared().get("TIDEMILL_DATA") + "/feedback/api-keys.json");
    }

    private static Program.Result newKey(Path file) throws IOException, InterruptedException {
        return Program.run("bash", "new-api-key", file.toString());
    }

    private static ApiKeys open(Path file) throws IOException {
        return ApiKeys.open(file, RandomGenerator.getDefault(), Clock.systemUTC(), key -> {
            throw new AssertionError("The file was not found, and another key was made.");
        });
    }
}
