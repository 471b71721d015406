package io.tidemill.feedback.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.Principal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiKeysTest {
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-23T08:00:00Z"), ZoneOffset.UTC);

    @TempDir
    Path data;

    private final List<String> announced = new ArrayList<>();

    @Test
    void theFirstStartMakesOneKeyShowsItOnceAndKeepsOnlyItsHash() throws IOException {
        ApiKeys keys = open(1);
        assertThat(announced).hasSize(1);
        String key = announced.get(0);
        String secret = key.substring(key.lastIndexOf('-') + 1);
        assertThat(Files.readString(file())).doesNotContain(secret);
        Principal principal = keys.authenticate(Optional.of(key)).orElseThrow();
        assertThat(principal.getSubject()).isEqualTo("key:" + key.split("-")[1]);
        assertThat(principal.getAssurance()).isEqualTo(Principal.Assurance.API_KEY);
    }

    @Test
    void laterStartsKnowTheKeyAndAnnounceNothing() throws IOException {
        open(1);
        ApiKeys again = open(2);
        assertThat(announced).hasSize(1);
        assertThat(again.authenticate(Optional.of(announced.get(0)))).isPresent();
    }

    @Test
    void everythingElseIsRefused() throws IOException {
        ApiKeys keys = open(1);
        String key = announced.get(0);
        String changed = key.substring(0, key.length() - 1) + (key.endsWith("0") ? "1" : "0");
        for (String wrong : List.of(changed, key.substring(3), "", "tm-", "tm-x-y", key + "0")) {
            assertThat(keys.authenticate(Optional.of(wrong))).as(wrong).isEmpty();
        }
        assertThat(keys.authenticate(Optional.empty())).isEmpty();
    }

    @Test
    void onlyTheOwnerReadsTheFile() throws IOException {
        open(1);
        if (Files.getFileStore(data).supportsFileAttributeView("posix")) {
            assertThat(Files.getPosixFilePermissions(file()))
                    .containsExactlyInAnyOrder(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
        }
    }

    private ApiKeys open(long seed) throws IOException {
        return ApiKeys.open(file(), new Random(seed), CLOCK, announced::add);
    }

    private Path file() {
        return data.resolve("feedback").resolve("api-keys.json");
    }
}
