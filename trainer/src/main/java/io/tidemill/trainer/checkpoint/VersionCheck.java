package io.tidemill.trainer.checkpoint;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.Model;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.VersionState;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Holds a published version against what is said of it, from files alone: no log, no network, and no lock, so that a mill
 * may be running.
 *
 * <pre>
 *   public key ── signature ── manifest ─┬─ files ── probe
 *                                        └─ parent ── … ── base
 * </pre>
 */
public final class VersionCheck {
    /** A logit may be computed in another order than when it was written down; as the gateway asks of float32. */
    private static final double TOLERANCE = 1e-3;

    private static final String MANIFEST = "manifest";
    private static final String SIGNATURE = "signature";
    private static final String PROBE = "probe";

    private final Path directory;
    private final Optional<Path> store;
    private final VersionId version;
    private final Optional<VerifyingKey> key;

    private VersionCheck(Path directory, Optional<Path> store, VersionId version, Optional<VerifyingKey> key) {
        this.directory = directory;
        this.store = store;
        this.version = version;
        this.key = key;
    }

    /**
     * A version in a store.
     *
     * @param store holds a directory for each model
     * @param key   whose signature it should bear; empty to check none
     */
    public static VersionCheck inStore(Path store, VersionId version, Optional<VerifyingKey> key) throws IOException {
        Path root = store.resolve(version.model());
        return new VersionCheck(root.resolve(version.toString()).toRealPath(), Optional.of(root), version, key);
    }

    /** A version that was fetched into a directory; its ancestors are not there. */
    public static VersionCheck inDirectory(Path directory, VersionId version, Optional<VerifyingKey> key)
            throws IOException {
        return new VersionCheck(directory.toRealPath(), Optional.empty(), version, key);
    }

    /** What is damaged may fail in any way: each is a finding. */
    @FunctionalInterface
    private interface Check {
        Finding run() throws IOException;
    }

    private static Finding run(String name, Check check) {
        try {
            return check.run();
        } catch (IOException | RuntimeException e) {
            boolean sentence = e.getMessage() != null && !(e instanceof FileSystemException);
            return Finding.failed(name, sentence ? e.getMessage() : e.toString());
        }
    }

    /** Runs every check; a version holds if none failed. */
    public List<Finding> run() {
        List<Finding> findings = new ArrayList<>();
        Optional<Manifest> manifest = Optional.empty();
        try {
            manifest = Optional.of(Manifest.read(directory));
            findings.add(manifest(manifest.get().event()));
        } catch (IOException | RuntimeException e) {
            findings.add(Finding.failed(MANIFEST, "it cannot be read: " + e));
        }
        findings.add(run(SIGNATURE, this::signature));
        for (String name : List.of(FileCheck.NAME, PROBE, LineageCheck.NAME)) {
            findings.add(manifest.map(read -> run(name, () -> check(name, read)))
                    .orElseGet(() -> Finding.unchecked(name, "there is no manifest to compare with")));
        }
        return findings;
    }

    private Finding check(String name, Manifest manifest) throws IOException {
        return switch (name) {
            case FileCheck.NAME -> new FileCheck(directory, manifest, store.isPresent()).finding();
            case PROBE -> probe(manifest);
            default -> lineage(manifest);
        };
    }

    private Finding manifest(CheckpointEvent event) {
        if (!event.getVersion().equals(version.toString())) {
            return Finding.failed(MANIFEST, "it is that of " + event.getVersion() + ", not of " + version);
        }
        String state = event.getState().name().toLowerCase(Locale.ROOT).replace('_', ' ');
        return Finding.ok(
                MANIFEST,
                event.getParent().isEmpty() ? state + ", a base" : state + ", a child of " + event.getParent());
    }

    private Finding signature() throws IOException {
        if (key.isEmpty()) {
            boolean signed =
                    Manifest.SIGNATURES.stream().anyMatch(name -> Files.isRegularFile(directory.resolve(name)));
            return Finding.unchecked(SIGNATURE, signed ? "signed: give --public-key to check it" : "not signed");
        }
        VerifyingKey signer = key.get();
        if (!Files.isRegularFile(directory.resolve(signer.signatureFile()))) {
            return Finding.failed(SIGNATURE, "not signed: there is no " + signer.signatureFile());
        }
        return signer.flaw(directory)
                .map(flaw -> Finding.failed(SIGNATURE, flaw))
                .orElseGet(() -> Finding.ok(SIGNATURE, "of this key, over " + signer.covers()));
    }

    private Finding probe(Manifest manifest) throws IOException {
        boolean weights = manifest.event().getFilesList().stream()
                .anyMatch(file -> file.getPath().equals("config.json"));
        if (!weights && manifest.event().getState() == VersionState.REFUSED) {
            return Finding.unchecked(PROBE, "a refused version has no weights");
        }
        if (new FileCheck(directory, manifest, store.isPresent()).pruned()) {
            return Finding.unchecked(PROBE, "its weights were taken away by retention");
        }
        Probe probe = Probe.read(directory);
        try (Model<?> model = Model.load(directory, ComputeType.FLOAT32)) {
            double distance = probe.distance(model);
            String told = String.format(
                    Locale.ROOT, "the model's logits differ by %.2g at most; %.0e is allowed", distance, TOLERANCE);
            // Written so that NaN fails too.
            return distance <= TOLERANCE ? Finding.ok(PROBE, told) : Finding.failed(PROBE, told);
        }
    }

    private Finding lineage(Manifest manifest) throws IOException {
        if (store.isEmpty()) {
            String parent = manifest.event().getParent();
            return Finding.unchecked(
                    LineageCheck.NAME,
                    parent.isEmpty()
                            ? "the manifest names no parent"
                            : "the manifest names " + parent + " as parent; only a store has its ancestors");
        }
        return new LineageCheck(store.get(), key).of(manifest.event());
    }
}
