package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.deploy.kafka.testing.SharedKafka;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.RoundEvent;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.CheckpointStore;
import io.tidemill.trainer.checkpoint.Manifest;
import io.tidemill.trainer.offline.TinyEncoder;
import io.tidemill.trainer.slice.SliceGoneException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Versions are trained again from manifest and log, beside the mill that made them. */
class RebuildTest extends TrainerRig {
    private static Path base;

    @TempDir
    private Path scratch;

    @BeforeAll
    static void writeBase() {
        base = TinyBase.write(shared.resolve("base"));
    }

    private Rebuild.Result rebuild(TestLog log, long round, List<RoundEvent> heard) throws IOException {
        try (CheckpointStore store = CheckpointStore.read(data.resolve("store"), MODEL)) {
            return new Rebuild(
                            store,
                            new TrainerClients(Map.of("bootstrap.servers", SharedKafka.bootstrapServers())),
                            log.topics(),
                            Duration.ofSeconds(30),
                            System::nanoTime,
                            scratch)
                    .run(new VersionId(MODEL, round), heard::add);
        }
    }

    /** Every stage has examples, and the third round's slice repeats some that the second has learned. */
    private TestLog threeRounds(RoundSettings settings, Path from) throws Exception {
        TestLog log = log(from);
        start(options(log, data, settings, from), System::nanoTime);
        for (int round = 1; round <= 3; round++) {
            int first = 20 * round;
            log.documents(first, first + 30, 100);
            log.conversations(first, first + 12);
            log.preferences(first, first + 30);
            log.ratings(first, first + 12);
            log.prompts(first, first + 6);
            log.startRound(MODEL);
            awaitVersion(log, round, VersionState.PROMOTED);
        }
        return log;
    }

    @Test
    void everyVersionOfALineageIsMadeAgainBitForBitFromItsManifestAndTheLogOrItsCopyOfThat() throws Exception {
        TestLog log = threeRounds(settings(0.003, AdapterSettings.OFF, false, rollout("grpo")), base);
        for (int round = 1; round <= 3; round++) {
            List<RoundEvent> heard = new ArrayList<>();
            Rebuild.Result result = rebuild(log, round, heard);
            assertThat(result.rebuilt()).isEqualTo(result.published()).isEqualTo(digest(data, round));
            assertThat(result.same()).isTrue();
            assertThat(result.elsewhere()).isEmpty();
            assertThat(result.records())
                    .isEqualTo(result.version().getLineage().getSlicesList().stream()
                            .mapToLong(range -> range.getRecords())
                            .sum());
            assertThat(heard).extracting(RoundEvent::getStage).contains("pretrain", "rollout");
        }
        log.drop(log.sequences());
        log.drop(log.topics().preferences());
        log.drop(log.topics().prompts());
        for (int round = 1; round <= 3; round++) { // from the copies that versions keep
            assertThat(rebuild(log, round, new ArrayList<>()).rebuilt()).isEqualTo(digest(data, round));
        }
        Files.write(directory(data, 2).resolve("state/slice.binpb"), new byte[] {0}, StandardOpenOption.APPEND);
        assertThatThrownBy(() -> rebuild(log, 2, new ArrayList<>()))
                .isInstanceOf(SliceGoneException.class)
                .hasMessageContaining("The log no longer holds offsets");
        try (Stream<Path> left = Files.list(scratch)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void anEncodersVersionIsMadeAgainToo() throws Exception {
        Path encoder = TinyEncoder.write(shared.resolve("encoder of a rebuild"));
        TestLog log = log(encoder);
        try (Tokenizer tokenizer = Tokenizer.load(encoder)) {
            log.sentences(0, 60, tokenizer);
        }
        log.startRound(MODEL);
        start(options(log, data, settings(0.01), encoder), System::nanoTime);
        awaitVersion(log, 1, VersionState.PROMOTED);
        assertThat(rebuild(log, 1, new ArrayList<>()).same()).isTrue();
    }

    @Test
    void aManifestThatTellsSomethingElseIsFoundOut() throws Exception {
        TestLog log = log(base);
        log.documents(0, 40, 100);
        log.startRound(MODEL);
        start(options(log, data, settings(0.01), base), System::nanoTime);
        awaitVersion(log, 1, VersionState.PROMOTED);
        Path file = directory(data, 1).resolve(Manifest.FILE);
        ObjectMapper json = new ObjectMapper();
        ObjectNode manifest = (ObjectNode) json.readTree(file.toFile());
        ((ObjectNode) manifest.at("/checkpoint/lineage")).put("seed", "7");
        ((ObjectNode) manifest.path("origin")).put("java.version", "1.4");
        json.writeValue(file.toFile(), manifest);

        Rebuild.Result result = rebuild(log, 1, new ArrayList<>());
        assertThat(result.same()).isFalse();
        assertThat(result.published()).isEqualTo(digest(data, 1));
        assertThat(result.elsewhere()).singleElement().asString().contains("java.version is ", " here and was 1.4");
    }

    @Test
    void whatCannotBeMadeAgainIsSaidWithItsReason() throws Exception {
        TestLog log = log(base);
        log.documents(0, 40, 100);
        log.startRound(MODEL);
        start(options(log, data, settings(0.01), base), System::nanoTime);
        awaitVersion(log, 1, VersionState.PROMOTED);
        assertThatThrownBy(() -> rebuild(log, 0, new ArrayList<>()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tiny-000000 is the base of its lineage");
        assertThatThrownBy(() -> rebuild(log, 9, new ArrayList<>()))
                .hasMessageContaining("tiny-000009 is not in the store, which has [tiny-000000, tiny-000001]");
        Files.delete(directory(data, 0).resolve("config.json")); // as retention does
        assertThatThrownBy(() -> rebuild(log, 1, new ArrayList<>()))
                .hasMessageContaining("was made from tiny-000000, whose weights are not in the store any more");
        Files.delete(directory(data, 1).resolve("config.json"));
        assertThatThrownBy(() -> rebuild(log, 1, new ArrayList<>()))
                .hasMessageContaining("tiny-000001 has no weights to compare with");
        assertThatThrownBy(() -> CheckpointStore.read(data.resolve("elsewhere"), MODEL))
                .hasMessageContaining("There is no checkpoint store of tiny here");
    }
}
