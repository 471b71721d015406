package io.tidemill.trainer.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.WeightType;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.checkpoint.FileDigests;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.SliceRange;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.trainer.checkpoint.Finding.Outcome;
import io.tidemill.trainer.data.RoundExamples.LedgerEntry;
import io.tidemill.trainer.round.TinyBase;
import io.tidemill.trainer.slice.Slice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Versions that hold, and what is said of them once they are damaged. */
class VersionCheckTest {
    @TempDir
    static Path shared;

    private static Path base;
    private static Probe probe;

    @TempDir
    Path data;

    private KeyFiles keys;
    private CheckpointStore store;

    @BeforeAll
    static void writeBase() throws IOException {
        base = TinyBase.write(shared.resolve("base"));
        try (Tokenizer tokenizer = Tokenizer.load(base)) {
            probe = Probe.of(base, tokenizer);
        }
    }

    @BeforeEach
    void open() throws IOException {
        keys = KeyFiles.write(data.resolve("key"));
        store = CheckpointStore.open(data, "tiny");
    }

    @AfterEach
    void close() throws IOException {
        store.close();
    }

    private static VersionId version(long round) {
        return new VersionId("tiny", round);
    }

    private Path directory(long round) {
        return store.directory(version(round));
    }

    /** A signed version that has read {@code [from, to)}; parent -1 for none. */
    private void publish(long round, long parent, VersionState state, long from, long to) throws IOException {
        Path aside = store.aside(version(round));
        if (state == VersionState.PROMOTED) {
            VersionFiles.copyWeights(base, aside);
            VersionFiles.copyCompanions(base, aside);
            probe.write(aside);
            Ledger.write(
                    Files.createDirectory(aside.resolve(CheckpointStore.STATE)), List.of(new LedgerEntry("a", "sft")));
        }
        Files.writeString(aside.resolve(ModelCard.FILE), "# " + version(round));
        finish(aside, round, parent, state, from, to);
    }

    private void finish(Path aside, long round, long parent, VersionState state, long from, long to)
            throws IOException {
        CheckpointEvent.Builder event = CheckpointEvent.newBuilder()
                .setModel("tiny")
                .setVersion(version(round).toString())
                .setParent(parent < 0 ? "" : version(parent).toString())
                .setState(state)
                .addAllFiles(VersionFiles.digests(aside));
        event.getLineageBuilder()
                .setRound(round)
                .addSlices(SliceRange.newBuilder()
                        .setTopic("t")
                        .setFromOffset(from)
                        .setToOffset(to));
        write(aside, event.build());
        SigningKey.read(keys.secret()).sign(aside);
        store.publish(aside, version(round));
    }

    private static void write(Path directory, CheckpointEvent event) throws IOException {
        JsonNodeFactory json = JsonNodeFactory.instance;
        new Manifest(event, "embedded", Slice.EMPTY, json.objectNode(), json.objectNode(), "").write(directory);
    }

    /** Base and a child. */
    private void publishTwo() throws IOException {
        publish(0, -1, VersionState.PROMOTED, 0, 0);
        publish(1, 0, VersionState.PROMOTED, 0, 10);
    }

    /** Changes a manifest that stands and signs it anew, as only the owner of the key can. */
    private void rewrite(long round, Function<CheckpointEvent.Builder, CheckpointEvent.Builder> change)
            throws IOException {
        write(
                directory(round),
                change.apply(Manifest.read(directory(round)).event().toBuilder())
                        .build());
        SigningKey.read(keys.secret()).sign(directory(round));
    }

    private Optional<VerifyingKey> key() {
        return Optional.of(VerifyingKey.read(keys.shown()));
    }

    private static Map<String, Finding> byName(VersionCheck check) {
        return check.run().stream().collect(Collectors.toMap(Finding::check, Function.identity()));
    }

    private Map<String, Finding> check(long round) throws IOException {
        return byName(VersionCheck.inStore(data, version(round), key()));
    }

    private static Set<String> failed(Map<String, Finding> findings) {
        return findings.values().stream()
                .filter(Finding::failed)
                .map(Finding::check)
                .collect(Collectors.toSet());
    }

    /** Flips a bit in the middle. */
    private static void damage(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 4;
        Files.write(file, bytes);
    }

    // ---- the tests --------------------------------------------------------------------------------------------------

    @Test
    void aVersionAsItWasPublishedHoldsWhileTheStoreIsInUse() throws IOException {
        publishTwo();
        Map<String, Finding> findings = check(1);
        assertThat(findings.values()).extracting(Finding::outcome).containsOnly(Outcome.OK);
        assertThat(findings.keySet()).containsExactlyInAnyOrder("manifest", "signature", "files", "probe", "lineage");
        assertThat(findings.get("manifest").told()).isEqualTo("promoted, a child of tiny-000000");
        assertThat(findings.get("files").told())
                .contains("with length and SHA-256")
                .endsWith("state/ is the trainer's own and not covered");
        assertThat(findings.get("lineage").told())
                .isEqualTo("1 step back to tiny-000000, all files of the ancestors as listed, 1 of 1 signed;"
                        + " no offset was read twice");
        assertThat(failed(check(0))).isEmpty();
    }

    @Test
    void aChangedManifestIsNoticedWhereNobodySignedItAndNoChildNamesIt() throws IOException {
        Path aside = store.aside(version(0));
        VersionFiles.copyWeights(base, aside);
        VersionFiles.copyCompanions(base, aside);
        probe.write(aside);
        Files.writeString(aside.resolve(ModelCard.FILE), "# tiny-000000");
        CheckpointEvent event = CheckpointEvent.newBuilder()
                .setModel("tiny")
                .setVersion("tiny-000000")
                .setState(VersionState.PROMOTED)
                .addAllFiles(VersionFiles.digests(aside))
                .putMetrics("held_out_loss_after", 4.25)
                .build();
        write(aside, event);
        CheckpointStore.seal(aside);
        store.publish(aside, version(0));
        assertThat(failed(byName(VersionCheck.inStore(data, version(0), Optional.empty()))))
                .isEmpty();

        Path manifest = directory(0).resolve(Manifest.FILE);
        Files.writeString(manifest, Files.readString(manifest).replace("4.25", "4.24"));
        Map<String, Finding> findings = byName(VersionCheck.inStore(data, version(0), Optional.empty()));
        assertThat(failed(findings)).containsExactly("files");
        assertThat(findings.get("files").told()).contains("../manifest.json");
    }

    @Test
    void withoutAPublicKeyItIsSaidThatTheSignatureWasNotChecked() throws IOException {
        publishTwo();
        VersionCheck check = VersionCheck.inStore(data, version(1), Optional.empty());
        assertThat(byName(check).get("signature"))
                .isEqualTo(Finding.unchecked("signature", "signed: give --public-key to check it"));
        Files.delete(directory(1).resolve(Manifest.SIGNATURE));
        assertThat(byName(check).get("signature")).isEqualTo(Finding.unchecked("signature", "not signed"));
        assertThat(failed(byName(check))).isEmpty();

        assertThat(failed(check(1))).as("with a key it has to be signed").containsExactly("signature");
    }

    @Test
    void anotherKeyDoesNotHold() throws IOException {
        publishTwo();
        VerifyingKey other =
                VerifyingKey.read(KeyFiles.write(data.resolve("other")).shown());
        Map<String, Finding> findings = byName(VersionCheck.inStore(data, version(0), Optional.of(other)));
        assertThat(failed(findings)).containsExactly("signature");
        findings = byName(VersionCheck.inStore(data, version(1), Optional.of(other)));
        assertThat(failed(findings)).containsExactlyInAnyOrder("signature", "lineage");
        assertThat(findings.get("lineage").told()).isEqualTo("tiny-000000 does not bear this key's signature.");
    }

    @Test
    void aFlippedBitIsFoundInAnyFile() throws IOException {
        publishTwo();
        for (String file : List.of("model.safetensors", "tokenizer.json", "README.md")) {
            byte[] whole = Files.readAllBytes(directory(1).resolve(file));
            damage(directory(1).resolve(file));
            Map<String, Finding> findings = check(1);
            assertThat(failed(findings)).as(file).contains("files").doesNotContain("signature", "manifest");
            assertThat(findings.get("files").told())
                    .contains("File " + file)
                    .contains("SHA-256")
                    .doesNotContain("probe.json");
            Files.write(directory(1).resolve(file), whole);
        }
        assertThat(failed(check(1))).isEmpty();
    }

    @Test
    void aFileThatIsShorterMissingOrNotListedIsNamed() throws IOException {
        publishTwo();
        Path weights = directory(1).resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(whole, whole.length - 8));
        Map<String, Finding> findings = check(1);
        assertThat(failed(findings)).containsExactlyInAnyOrder("files", "probe");
        assertThat(findings.get("files").told()).contains((whole.length - 8) + " bytes instead of " + whole.length);
        Files.delete(weights);
        assertThat(check(1).get("files").told()).contains("File model.safetensors is missing");
        Files.write(weights, whole);

        Path adapter = Files.createDirectory(directory(1).resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), "{}");
        Files.writeString(directory(1).resolve("added\n\u001b[2Jjson"), "{}");
        findings = check(1);
        assertThat(failed(findings)).containsExactly("files");
        assertThat(findings.get("files").told())
                .isEqualTo("Not covered by the manifest: adapter/adapter_config.json, added ?[2Jjson.");
    }

    @Test
    void aManifestThatIsChangedSwappedOrGoneDoesNotHold() throws IOException {
        publishTwo();
        Path manifest = directory(1).resolve(Manifest.FILE);
        String whole = Files.readString(manifest);
        Files.writeString(manifest, whole.replace("\"embedded\"", "\"elsewhere\""));
        assertThat(failed(check(1))).containsExactly("signature");

        // manifest and signature of another version: both genuine
        for (String file : List.of(Manifest.FILE, Manifest.SIGNATURE)) {
            Files.copy(directory(0).resolve(file), directory(1).resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
        Map<String, Finding> findings = check(1);
        assertThat(failed(findings)).containsExactlyInAnyOrder("manifest", "files");
        assertThat(findings.get("manifest").told()).isEqualTo("it is that of tiny-000000, not of tiny-000001");

        Files.writeString(manifest, whole.substring(0, whole.length() / 2));
        assertThat(failed(check(1))).containsExactlyInAnyOrder("manifest", "signature");
        Files.delete(manifest);
        findings = check(1);
        assertThat(failed(findings)).containsExactlyInAnyOrder("manifest", "signature");
        assertThat(findings.get("files").outcome()).isEqualTo(Outcome.UNCHECKED);
    }

    @Test
    void aManifestThatNamesFilesOutsideDoesNotHold() throws IOException {
        publishTwo();
        Files.writeString(data.resolve("tiny").resolve("secret"), "secret");
        rewrite(1, event -> {
            event.addFilesBuilder().setPath("../secret").setLength(6).setSha256("ab");
            return event;
        });
        assertThat(check(1).get("files").told()).contains("'../secret' does not name a file inside the version");
    }

    @Test
    void aModelThatSaysSomethingElseThanItsProbeDoesNotHold() throws IOException {
        publish(0, -1, VersionState.PROMOTED, 0, 0);
        float[] logits = probe.logits().clone();
        logits[3] += 0.01f;
        List<Probe> wrong = List.of(
                new Probe(probe.ids(), logits),
                new Probe(probe.ids(), new float[] {probe.logits()[0]}),
                new Probe(probe.ids(), new float[0]),
                new Probe(new int[] {1 << 30}, probe.logits()));
        for (int round = 1; round <= wrong.size(); round++) {
            Path aside = store.aside(version(round));
            VersionFiles.copyWeights(base, aside);
            wrong.get(round - 1).write(aside);
            finish(aside, round, 0, VersionState.PROMOTED, 0, 10);
            Map<String, Finding> findings = check(round);
            assertThat(failed(findings)).as("%d: %s", round, findings).containsExactly("probe");
        }
        assertThat(check(1).get("probe").told())
                .isEqualTo("the model's logits differ by 0.010 at most; 1e-03 is allowed");
    }

    @Test
    void aVersionInBfloat16HoldsAsCloselyAsOneInFloat32() throws IOException {
        publish(0, -1, VersionState.PROMOTED, 0, 0);
        Path aside = store.aside(version(1));
        VersionFiles.copyCompanions(base, aside);
        try (LanguageModel model = LanguageModel.load(base, ComputeType.FLOAT32);
                Tokenizer tokenizer = Tokenizer.load(base)) {
            model.save(aside, WeightType.BFLOAT16);
            Probe.of(aside, tokenizer).write(aside);
        }
        finish(aside, 1, 0, VersionState.PROMOTED, 0, 10);
        assertThat(failed(check(1))).isEmpty();
    }

    @Test
    void whereRetentionTookTheWeightsTheRestIsChecked() throws IOException {
        publishTwo();
        publish(2, 1, VersionState.PROMOTED, 10, 20);
        store.prune(1, Instant.MIN, Set.of());
        Map<String, Finding> findings = check(1);
        assertThat(failed(findings)).isEmpty();
        assertThat(findings.get("files").told())
                .startsWith("2 with length and SHA-256")
                .contains("taken away by retention");
        assertThat(findings.get("probe"))
                .isEqualTo(Finding.unchecked("probe", "its weights were taken away by retention"));
        assertThat(failed(check(2))).isEmpty();

        damage(directory(1).resolve("README.md"));
        assertThat(failed(check(1))).containsExactly("files");
        assertThat(failed(check(2))).as("its child tells too").containsExactly("lineage");
    }

    @Test
    void aRefusedVersionIsItsCardAndManifest() throws IOException {
        publish(0, -1, VersionState.PROMOTED, 0, 0);
        publish(1, 0, VersionState.REFUSED, 0, 10);
        Map<String, Finding> findings = check(1);
        assertThat(failed(findings)).isEmpty();
        assertThat(findings.get("probe")).isEqualTo(Finding.unchecked("probe", "a refused version has no weights"));
    }

    @Test
    void aVersionThatNamesItsParentsManifestByDigestHoldsWithThatOneAlone() throws IOException {
        publishTwo();
        Manifest child = Manifest.read(directory(1));
        new Manifest(
                        child.event(),
                        child.base(),
                        child.quarantined(),
                        child.settings(),
                        child.origin(),
                        FileDigests.of(directory(0), directory(0).resolve(Manifest.FILE))
                                .getSha256())
                .write(directory(1));
        SigningKey.read(keys.secret()).sign(directory(1));
        assertThat(failed(check(1))).isEmpty();

        rewrite(
                0,
                event -> event.setReason("another story")); // signed by the owner of the key, and yet not what was then
        assertThat(failed(check(1))).containsExactly("lineage");
        assertThat(check(1).get("lineage").told())
                .contains("The manifest of tiny-000000 is not the one that tiny-000001 names as its parent's");
        assertThat(failed(check(0))).as("itself, by what its child says").containsExactly("lineage");
        assertThat(check(0).get("lineage").told())
                .contains("The manifest of tiny-000000 is not the one that tiny-000001 names as its parent's");
    }

    @Test
    void aParentThatIsAbsentUnreadableRefusedOrLaterDoesNotHold() throws IOException {
        publishTwo();
        publish(2, 1, VersionState.REFUSED, 10, 20);
        publish(3, 1, VersionState.PROMOTED, 10, 30);
        Map<String, String> wrong = Map.of(
                "tiny-000009", "names tiny-000009 as its parent, which is no earlier version",
                "other-000001", "names other-000001 as its parent, which is no earlier version",
                "tiny-000002", "tiny-000002 has a child, but was never promoted.",
                "nonsense", "but was 'nonsense'",
                "", "tiny-000003 names no parent, but only round 0 has none.");
        for (Map.Entry<String, String> parent : wrong.entrySet()) {
            rewrite(3, event -> event.setParent(parent.getKey()));
            Map<String, Finding> findings = check(3);
            assertThat(failed(findings)).as(parent.getKey()).containsExactly("lineage");
            assertThat(findings.get("lineage").told()).contains(parent.getValue());
        }
        rewrite(3, event -> event.setParent("tiny-000001"));
        assertThat(failed(check(3))).isEmpty();

        Files.writeString(directory(1).resolve(Manifest.FILE), "{");
        assertThat(check(3).get("lineage").told()).contains("The manifest of tiny-000001 cannot be read");
        Durable.deleteTree(directory(1));
        assertThat(check(3).get("lineage").told())
                .contains("The parent tiny-000001 of tiny-000003 is not in the store.");
    }

    @Test
    void offsetsThatAreReadTwiceDoNotHold() throws IOException {
        publishTwo();
        publish(2, 1, VersionState.PROMOTED, 9, 20);
        publish(3, 2, VersionState.PROMOTED, 20, 30);
        Map<String, Finding> findings = check(2);
        assertThat(failed(findings)).containsExactly("lineage");
        assertThat(findings.get("lineage").told())
                .isEqualTo("tiny-000002 has read t-0:9..20, of which its ancestors had read all up to 10.");
        assertThat(failed(check(3))).as("in an ancestor").containsExactly("lineage");
    }

    @Test
    void whatARefusalPassedOverIsNoGapAndAnotherGapIsNamed() throws IOException {
        publishTwo();
        publish(2, 1, VersionState.REFUSED, 10, 20);
        publish(3, 1, VersionState.PROMOTED, 20, 30);
        publish(4, 3, VersionState.PROMOTED, 35, 40);
        assertThat(check(3).get("lineage").told()).endsWith("no offset was read twice");
        Finding named = check(4).get("lineage");
        assertThat(named.outcome()).isEqualTo(Outcome.OK);
        assertThat(named.told())
                .endsWith("no version of the store has read t-0:30..35 (retention of the log takes what waits too"
                        + " long)");
    }

    @Test
    void aFetchedDirectoryIsCheckedWithoutItsAncestors() throws IOException {
        publishTwo();
        Path fetched = data.resolve("fetched");
        Files.move(directory(1), fetched);
        Map<String, Finding> findings = byName(VersionCheck.inDirectory(fetched, version(1), key()));
        assertThat(failed(findings)).isEmpty();
        assertThat(findings.get("lineage").outcome()).isEqualTo(Outcome.UNCHECKED);
        assertThat(findings.get("lineage").told()).contains("the manifest names tiny-000000 as parent");

        Set<String> kept = Set.of(Manifest.FILE, Manifest.SIGNATURE, ModelCard.FILE, Probe.FILE);
        for (String file : fetched.toFile().list()) {
            if (!kept.contains(file)) {
                Durable.deleteTree(fetched.resolve(file));
            }
        }
        assertThat(failed(byName(VersionCheck.inDirectory(fetched, version(1), key()))))
                .as("retention takes nothing from what was fetched")
                .containsExactlyInAnyOrder("files", "probe");
    }
}
