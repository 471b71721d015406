package io.tidemill.proto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.proto.v1.ChatMessage;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The golden values were worked out with Python's hashlib and struct, not with the code under test. */
class IdsTest {
    @Test
    void aContentHashNeverChanges() {
        assertThat(Ids.contentHash("The tide turns.")).isEqualTo("8160f4cdb297cff74a957354838120ff");
        assertThat(Ids.contentHash("ab".getBytes(UTF_8), "c".getBytes(UTF_8)))
                .isEqualTo("601d5476e2ccfe2c87a2bba7a3226597")
                .isNotEqualTo(Ids.contentHash("a".getBytes(UTF_8), "bc".getBytes(UTF_8)));
    }

    @Test
    void anExamplesIdNeverChanges() {
        assertThat(Ids.exampleId(List.of("doc-1"), "CAUSAL_LM", 0))
                .isEqualTo("81e159b4cc099be0dbc93b5031017db5b4b30b381f8867d94b8f8d4214c162fd");
    }

    @Test
    void aTurnsHashNeverChanges() {
        assertThat(Ids.turnHash(List.of(message("user", "Hello"), message("assistant", "Hi"))))
                .isEqualTo("d0e06649c35beb951b8c8b54e0577d06");
    }

    @Test
    void aUuidMadeOfPartsNeverChangesAndIsOfVersion8() {
        UUID id = UUID.fromString(Ids.uuid8("key-1", "0"));
        assertThat(id).hasToString("766120ac-1540-8952-b153-7e8538611ead");
        assertThat(id.version()).isEqualTo(8);
        assertThat(id.variant()).isEqualTo(2);
    }

    @Test
    void aUuidOfVersion7StartsWithItsMillisecond() {
        Clock clock = Clock.fixed(Instant.ofEpochMilli(0x0193_5e2a_1b2cL), ZoneOffset.UTC);
        String id = Ids.uuid7(clock, new Random(7));
        assertThat(id).startsWith("01935e2a-1b2c-7");
        assertThat(UUID.fromString(id).variant()).isEqualTo(2);
        assertThat(Ids.uuid7()).isNotEqualTo(Ids.uuid7());
    }

    @Test
    void aVersionIsItsModelAndSixDigitsOfItsRound() {
        VersionId version = new VersionId("my-model", 12);
        assertThat(version).hasToString("my-model-000012");
        assertThat(version.uri()).isEqualTo("tidemill:my-model/my-model-000012");
        assertThat(VersionId.parse("my-model-000012")).isEqualTo(version);
        assertThat(version).isLessThan(new VersionId("my-model", 1_000_000));
        assertThatThrownBy(() -> VersionId.parse("my-model-12")).hasMessageContaining("but was 'my-model-12'");
        assertThatThrownBy(() -> VersionId.parse("../../etc-000012")).hasMessageContaining("'../../etc'");
    }

    @Test
    void aCompletionIsItsResponseAndChoice() {
        assertThat(CompletionId.parse("resp/7/2")).isEqualTo(new CompletionId("resp/7", 2));
        assertThat(new CompletionId("r", 0)).hasToString("r/0");
        assertThatThrownBy(() -> CompletionId.parse("r")).hasMessageContaining("but was 'r'");
        assertThatThrownBy(() -> new DocumentId(" ")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new TurnId("")).isInstanceOf(IllegalArgumentException.class);
    }

    private static ChatMessage message(String role, String content) {
        return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }
}
