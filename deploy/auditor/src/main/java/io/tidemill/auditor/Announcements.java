package io.tidemill.auditor;

import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.proto.v1.FileDigest;
import io.tidemill.proto.v1.VersionState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Proves that the manifests of the store are those that were announced. */
final class Announcements {
    private static final String MANIFEST = "manifest.json";

    /** Stand in no manifest, because they cover it. */
    private static final Set<String> SIGNATURES = Set.of("manifest.json.sig", "model.sig");

    private final Course course;
    private final Store store;
    private final Findings findings;

    Announcements(Course course, Store store, Findings findings) {
        this.course = course;
        this.store = store;
        this.findings = findings;
    }

    void check() {
        course.announced().forEach((version, event) -> {
            Optional<Store.Manifest> manifest = store.manifest(version);
            if (manifest.isPresent()) {
                compare(event, manifest.get());
            } else if (course.ancestry().contains(version)) {
                findings.add("Version " + version + " of the live ancestry has no " + MANIFEST + " in the store.");
            } else {
                findings.uncheckable("Version " + version + " is not in the store.");
            }
        });
    }

    private void compare(CheckpointEvent event, Store.Manifest manifest) {
        String version = event.getVersion();
        List<FileDigest> covered = new ArrayList<>();
        Optional<FileDigest> own = Optional.empty();
        for (FileDigest file : event.getFilesList()) {
            if (file.getPath().equals(MANIFEST)) {
                own = Optional.of(file);
            } else if (!SIGNATURES.contains(file.getPath())) {
                covered.add(file);
            }
        }
        if (own.isEmpty()) {
            findings.add("Version " + version + " was announced without the digest of its " + MANIFEST + ".");
        } else if (!own.get().getSha256().equals(manifest.sha256()) || own.get().getLength() != manifest.length()) {
            findings.add("The " + MANIFEST + " of " + version + " has SHA-256 " + manifest.sha256() + " and "
                    + manifest.length() + " bytes, but was announced with "
                    + own.get().getSha256() + " and "
                    + own.get().getLength() + " bytes.");
        }
        // A candidate or a canary that was declined later had a manifest already.
        if (manifest.event().getState() == VersionState.REFUSED) {
            compareQuarantine(version, manifest.quarantined());
        }
        CheckpointEvent announced =
                event.toBuilder().clearFiles().addAllFiles(covered).build();
        if (!announced.equals(manifest.event())) {
            findings.add("The " + MANIFEST + " of " + version + " is not what was announced: they differ in "
                    + String.join(", ", differences(announced, manifest.event())) + ".");
        }
    }

    /** What the manifest passes over against what the events say was refused twice. */
    private void compareQuarantine(String version, List<Span> quarantined) {
        List<Span> twice = course.refusedTwiceWith(version);
        if (!covers(twice, quarantined) || !covers(quarantined, twice)) {
            findings.add("The " + MANIFEST + " of " + version + " passes over " + quarantined + ", but " + twice
                    + " was refused twice with it.");
        }
    }

    private static boolean covers(List<Span> all, List<Span> part) {
        Spans left = new Spans();
        left.add(part);
        left.remove(all);
        return left.all().isEmpty();
    }

    private static TreeSet<String> differences(CheckpointEvent one, CheckpointEvent other) {
        TreeSet<String> names = new TreeSet<>();
        CheckpointEvent.getDescriptor().getFields().forEach(field -> {
            if (!one.getField(field).equals(other.getField(field))) {
                names.add(field.getName());
            }
        });
        return names;
    }
}
