package io.tidemill.auditor;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.Comment;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.KeptRecord;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.Thumb;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.VersionState;
import io.tidemill.proto.v1.Withdrawal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One lineage that closes, and every lie that can be told of one. */
class AuditTest {
    @TempDir
    Path data;

    private World world;

    @BeforeEach
    void begin() {
        world = new World(data);
    }

    @AfterEach
    void end() {
        world.close();
    }

    @Test
    void everythingIsAccountedForByName() throws IOException {
        String trained = world.document("d0", Split.TRAIN);
        String heldOut = world.document("d1", Split.HELD_OUT);
        long again = world.sendDocument("d0");
        world.refuse(world.topics.documents().name(), again, "repeated");
        String pair = world.compared("t0", Split.TRAIN);
        world.version(1)
                .slice(world.sequences(), 0, 2)
                .slice(world.preferences(), 0, 1)
                .line("pretrain", trained)
                .line("held-out", heldOut)
                .line("preference", pair)
                .announce();

        world.document("d2", Split.TRAIN); // beyond the frontier
        String feedback = world.topics.feedback().name();
        Feedback comment = Feedback.newBuilder()
                .setFeedbackId("comment")
                .setTurnId("t0")
                .setComment(Comment.newBuilder().setText("nice"))
                .build();
        world.refuse(feedback, world.send(feedback, comment), "without-objective");
        Feedback early = Feedback.newBuilder()
                .setFeedbackId("early")
                .setTurnId("t9")
                .setThumb(Thumb.newBuilder().setCompletionId("t9/a").setUp(true))
                .build();
        world.send(feedback, early);
        Feedback takenBack = comment.toBuilder()
                .setFeedbackId("never-mind")
                .setWithdrawal(Withdrawal.newBuilder().setFeedbackId("comment"))
                .build();
        world.send(feedback, takenBack);
        world.preprocessed();
        world.sendDocument("d3"); // not read yet

        Report report = world.audit();

        assertThat(report.findings()).isEmpty();
        assertThat(report.uncheckable()).isEmpty();
        assertThat(report.closes()).isTrue();
        assertThat(report.live()).isEqualTo("tiny-000001");
        assertThat(report.examples())
                .containsEntry(world.sequences(), Map.of("trained", 1L, "held out", 1L, "waiting", 1L))
                .containsEntry(world.preferences(), Map.of("trained", 1L));
        assertThat(report.events())
                .containsEntry(
                        world.topics.documents().name(),
                        Map.of("trained", 1L, "held out", 1L, "repeated", 1L, "waiting", 2L))
                .containsEntry(world.topics.completions().name(), Map.of("trained", 2L))
                .containsEntry(
                        feedback, Map.of("trained", 1L, "without objective", 1L, "waiting", 1L, "withdrawal", 1L));
        assertThat(world.audit()).isEqualTo(report);

        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Path json = data.resolve("report.json");
        int status = Audit.run(
                new String[] {
                    "--data", data.toString(), "--bootstrap-servers",
                            world.settings().bootstrapServers(),
                    "--topic-prefix", world.topics.prefix(), "--json", json.toString()
                },
                new PrintStream(out, true, StandardCharsets.UTF_8),
                System.err);
        assertThat(status).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("documents: 5 received = 1 trained + 1 held out + 2 waiting + 1 repeated")
                .endsWith("The ledger closes.\n");
        assertThat(Files.readString(json)).contains("\"closes\" : true");
    }

    @Test
    void refusedTwiceIsInQuarantineAndRefusedOnceWaits() {
        for (int i = 0; i < 4; i++) {
            world.document("d" + i, Split.TRAIN);
        }
        String sequences = world.sequences();
        world.version(1).slice(sequences, 0, 4).as(VersionState.REFUSED).announce();
        world.version(2)
                .parent(0)
                .slice(sequences, 0, 2)
                .as(VersionState.REFUSED)
                .quarantined(sequences, 0, 2)
                .announce();
        world.quarantine(sequences, 0);
        world.preprocessed();

        Report report = world.audit();
        assertThat(report.examples()).containsEntry(sequences, Map.of("quarantined", 2L, "waiting for a retry", 2L));
        assertThat(report.findings())
                .singleElement()
                .asString()
                .isEqualTo("Record " + sequences + "-0:1 was refused twice, but "
                        + world.topics.quarantine().name() + " has no copy of it.");

        world.quarantine(sequences, 1);
        assertThat(world.audit().findings()).isEmpty();
    }

    @Test
    void aRolledBackVersionGivesItsSliceBackAndNoNewDataIsReadBeforeIt() {
        String first = world.document("d0", Split.TRAIN);
        String sequences = world.sequences();
        var event =
                world.version(1).slice(sequences, 0, 1).line("pretrain", first).announce();
        world.send(
                world.topics.checkpoints().name(),
                event.toBuilder().setState(VersionState.ROLLED_BACK).build());
        world.preprocessed();
        assertThat(world.audit().findings()).isEmpty();
        assertThat(world.audit().examples()).containsEntry(sequences, Map.of("waiting for a retry", 1L));

        String second = world.document("d1", Split.TRAIN);
        world.preprocessed();
        world.version(2)
                .parent(0)
                .slice(sequences, 1, 2)
                .line("pretrain", second)
                .announce();
        assertThat(world.audit().findings())
                .containsExactly(
                        "Record " + sequences + "-0:0 was refused or rolled back and waited for its retry, but a"
                                + " later version has read new data without it.");
    }

    @Test
    void trainedTwice() {
        String example = world.document("d0", Split.TRAIN);
        String next = world.document("d1", Split.TRAIN);
        world.preprocessed();
        world.version(1)
                .slice(world.sequences(), 0, 1)
                .line("pretrain", example)
                .announce();
        world.version(2)
                .slice(world.sequences(), 1, 2)
                .line("pretrain", next, example)
                .announce();
        assertThat(world.audit().findings())
                .contains("Example " + example
                        + " was trained twice: by tiny-000001 (pretrain) and by tiny-000002 (pretrain).");
    }

    @Test
    void trainedAndHeldOut() {
        String example = world.document("d0", Split.HELD_OUT);
        world.preprocessed();
        world.version(1)
                .slice(world.sequences(), 0, 1)
                .line("pretrain", example)
                .announce();
        assertThat(world.audit().findings())
                .containsExactly("Example " + example + " at " + world.sequences()
                        + "-0:0 was trained (pretrain), but it is held out.");
    }

    @Test
    void onTheWrongSideOfTheSplit() {
        for (int i = 0; i < 20; i++) {
            world.document("right-" + i, i < 10 ? Split.TRAIN : Split.HELD_OUT);
        }
        world.sendDocument("wrong");
        // Far below the share, among those that are held out.
        String group = World.group("wrong", Split.HELD_OUT);
        while (Hash.fraction("tidemill", group) > 0.001) {
            group = World.group(group, Split.HELD_OUT);
        }
        String example = world.sequence("wrong", group, Split.TRAIN);
        world.preprocessed();
        assertThat(world.audit().findings())
                .singleElement()
                .asString()
                .startsWith("Example " + example + " at " + world.sequences()
                        + "-0:20 should be held out, but is for training: the hash of its group '" + group + "'");
        assertThat(Audit.run(world.settings().withSplit("tidemill", OptionalDouble.of(World.SHARE)))
                        .findings())
                .hasSize(1);
        assertThat(Audit.run(world.settings().withSplit("another", OptionalDouble.of(World.SHARE)))
                        .findings())
                .hasSizeGreaterThan(5);
    }

    @Test
    void trainedWithoutEverHavingBeenInTheLog() {
        String example = world.document("d0", Split.TRAIN);
        world.preprocessed();
        world.version(1)
                .slice(world.sequences(), 0, 1)
                .line("pretrain", example, "from-nowhere")
                .announce();
        assertThat(world.audit().findings())
                .containsExactly(
                        "Example from-nowhere stands as pretrain in the ledger of tiny-000001, but no record of"
                                + " its slice has that id: it was never accepted.");
    }

    @Test
    void readButInNoLedger() {
        String example = world.document("d0", Split.TRAIN);
        String left = world.document("d1", Split.TRAIN);
        world.preprocessed();
        world.version(1)
                .slice(world.sequences(), 0, 2)
                .line("pretrain", example)
                .announce();
        assertThat(world.audit().findings())
                .containsExactly("Example " + left + " at " + world.sequences()
                        + "-0:1 is in the slice of tiny-000001, but stands in no ledger.");
    }

    @Test
    void lostBetweenTwoSlices() {
        String first = world.document("d0", Split.TRAIN);
        world.document("d1", Split.TRAIN);
        String third = world.document("d2", Split.TRAIN);
        world.preprocessed();
        world.version(1).slice(world.sequences(), 0, 1).line("pretrain", first).announce();
        world.version(2).slice(world.sequences(), 2, 3).line("pretrain", third).announce();
        assertThat(world.audit().findings())
                .containsExactly(
                        "Record " + world.sequences() + "-0:1 lies between the slices of the lineage: no version"
                                + " has read it, it does not wait, and it is not in quarantine.");
    }

    @Test
    void readTwice() {
        String first = world.document("d0", Split.TRAIN);
        world.preprocessed();
        world.version(1).slice(world.sequences(), 0, 1).line("pretrain", first).announce();
        world.version(2).slice(world.sequences(), 0, 1).count("repeated", 1).announce();
        assertThat(world.audit().findings())
                .contains("tiny-000002 has read " + world.sequences() + "-0:0..1, of which an ancestor had read "
                        + world.sequences() + "-0:0..1: each offset belongs to one slice at most.");
    }

    @Test
    void wrongCounts() {
        String first = world.document("d0", Split.TRAIN);
        world.sequence("d0", Split.TRAIN); // the same once more
        world.sendDocument("d0");
        world.preprocessed();
        world.version(1)
                .slice(world.sequences(), 0, 2, 3)
                .line("pretrain", first)
                .count("pretrain", 2)
                .announce();
        assertThat(world.audit().findings())
                .containsExactly(
                        "Version tiny-000001 says that " + world.sequences()
                                + "-0:0..2 has 3 records, but the log has 2 there.",
                        "Version tiny-000001 says that 2 examples were pretrain, but its ledger has 1.",
                        "Version tiny-000001 says that 0 examples were repeated, but the log has 1.");
    }

    @Test
    void aManifestThatIsNotTheAnnouncedOne() throws IOException {
        world.version(1).announce();
        Path manifest = data.resolve("store/tiny/tiny-000001/manifest.json");
        Files.writeString(manifest, Files.readString(manifest).replace("tiny-000000", "tiny-000009"));
        assertThat(world.audit().findings())
                .hasSize(2)
                .anyMatch(finding -> finding.startsWith("The manifest.json of tiny-000001 has SHA-256 "))
                .contains("The manifest.json of tiny-000001 is not what was announced: they differ in parent.");

        Files.delete(manifest);
        assertThat(world.audit().findings())
                .containsExactly("Version tiny-000001 of the live ancestry has no manifest.json in the store.");
    }

    @Test
    void aSuiteWithWhatIsTrained() {
        String example = world.document("d0", Split.TRAIN);
        world.preprocessed();
        world.version(1)
                .slice(world.sequences(), 0, 1)
                .line("pretrain", example)
                .suite(TokenSequence.newBuilder()
                        .setExampleId(example + "#0")
                        .addIds(1)
                        .setSplit(Split.HELD_OUT)
                        .setProvenance(Provenance.newBuilder().addParentIds("d0"))
                        .build())
                .announce();
        assertThat(world.audit().findings())
                .containsExactly("Example " + example + " is in a held-out suite of tiny-000001, but is pretrain in the"
                        + " ledger of tiny-000001.");
    }

    @Test
    void aReplayOfWhatWasNeverTrained() {
        String trained = world.document("d0", Split.TRAIN);
        String heldOut = world.document("d1", Split.HELD_OUT);
        world.preprocessed();
        world.version(1)
                .slice(world.sequences(), 0, 2)
                .line("pretrain", trained)
                .line("held-out", heldOut)
                .announce();
        world.version(2)
                .replayed("pretrain", trained)
                .replayed("pretrain", heldOut)
                .announce();
        assertThat(world.audit().findings())
                .containsExactly("Example " + heldOut + " was replayed by tiny-000002, but no earlier version of its"
                        + " lineage has trained it; it is held-out in the ledger of tiny-000001.");
    }

    @Test
    void anEventWithoutTrace() {
        world.sendDocument("lost");
        String completions = world.topics.completions().name();
        world.send(completions, World.completion("t0", "a"));
        world.send(completions, World.completion("t0", "b"));
        world.send(world.topics.feedback().name(), World.comparison("t0"));
        assertThat(world.audit().findings())
                .as("as long as preprocessing has not read them")
                .isEmpty();

        world.preprocessed();
        assertThat(world.audit().findings())
                .containsExactly(
                        "Event lost at " + world.topics.documents().name() + "-0:0 has left no trace: preprocessing has"
                                + " read it, but no example names it as its parent, and "
                                + world.topics.rejected().name() + " has no record of it.",
                        "Event t0-said at " + world.topics.feedback().name()
                                + "-0:0 has left no trace: preprocessing has"
                                + " read it, but no example names it as its parent, and "
                                + world.topics.rejected().name() + " has no record of it.");
    }

    @Test
    void anExampleThatNobodyHasSent() {
        String example = world.sequence("invented", Split.TRAIN);
        world.document("twice", Split.TRAIN);
        world.sequence("twice", Split.TRAIN);
        world.preprocessed();
        assertThat(world.audit().findings())
                .contains("Example " + example + " at " + world.sequences()
                        + "-0:0 is made of invented, which nobody has sent, or not as often.")
                .anyMatch(finding -> finding.contains("is made of twice"));
        assertThat(Audit.run(world.settings().withoutEvents()).findings()).isEmpty();
    }

    @Test
    void whatARoundDivergedByIsInQuarantineUntilItIsReleased() {
        String sequences = world.sequences();
        String bad = world.document("d0", Split.TRAIN);
        String good = world.document("d1", Split.TRAIN);
        world.version(1)
                .slice(sequences, 0, 2)
                .as(VersionState.REFUSED)
                .diverged(sequences, 0, bad)
                .announce();
        world.quarantine(sequences, 0);
        world.preprocessed();
        assertThat(world.audit().findings()).isEmpty();
        assertThat(world.audit().examples())
                .containsEntry(sequences, Map.of("quarantined", 1L, "waiting for a retry", 1L));

        world.version(2)
                .parent(0)
                .slice(sequences, 0, 2)
                .line("pretrain", good)
                .count("quarantined", 1)
                .announce();
        world.send(
                sequences,
                World.tokens(bad, "d0", World.group("d0", Split.TRAIN), Split.TRAIN),
                Map.of("tidemill-released-from", "0:0"));
        Report released = world.audit();
        assertThat(released.findings()).isEmpty();
        assertThat(released.examples())
                .containsEntry(sequences, Map.of("quarantined", 1L, "trained", 1L, "waiting", 1L));
        assertThat(released.events())
                .containsEntry(world.topics.documents().name(), Map.of("trained", 1L, "waiting", 1L));
    }

    @Test
    void whatRetentionHasTakenIsNoFindingButTold() {
        String sequences = world.sequences();
        String first = world.document("d0", Split.TRAIN);
        String second = world.document("d1", Split.TRAIN);
        world.version(1).slice(sequences, 0, 2).line("pretrain", first, second).announce();
        world.preprocessed();
        world.retain(sequences, 1);
        world.retain(world.topics.documents().name(), 1);

        Report report = world.audit();
        assertThat(report.findings()).isEmpty();
        assertThat(report.uncheckable())
                .containsExactly(
                        "1 examples of the ledger of tiny-000001 are no longer in the log, of which retention has taken a"
                                + " part of its slice.",
                        "Retention has taken a part of [" + sequences + "-0:0..2] of the slice of tiny-000001.");
        assertThat(report.events()).containsEntry(world.topics.documents().name(), Map.of("trained", 1L));
    }

    @Test
    void whatTheLogNoLongerHasIsFoundInTheCopiesOfVersionsAndIsNoFindingWithoutThem() {
        String sequences = world.sequences();
        String first = world.document("d0", Split.TRAIN);
        String second = world.document("d1", Split.TRAIN);
        World.Version version = world.version(1).slice(sequences, 0, 2).line("pretrain", first, second);
        version.kept(KeptRecord.newBuilder()
                        .setTopic(sequences)
                        .setValue(World.tokens(first, "d0", World.group("d0", Split.TRAIN), Split.TRAIN)
                                .toByteString())
                        .build())
                .announce();
        world.preprocessed();
        world.retain(sequences, 2);
        world.document("d2", Split.TRAIN);
        long late = world.sendDocument("d3"); // and nothing came of it
        world.preprocessed();

        Report report = world.audit();
        assertThat(report.findings())
                .containsExactly("Event d3 at " + world.topics.documents().name() + "-0:" + late
                        + " has left no trace: preprocessing has read it, but no example names it as its parent, and "
                        + world.topics.rejected().name() + " has no record of it.");
        assertThat(report.uncheckable())
                .contains(
                        "1 records are no longer in the log, but in the copies that versions keep of their slices:"
                                + " whether these are what the log had is unknown.",
                        "1 events left no trace that is still there: their examples may have been in what retention has"
                                + " taken.");
        assertThat(report.events())
                .containsEntry(
                        world.topics.documents().name(),
                        Map.of("trained", 1L, "waiting", 1L, "no longer in the log", 1L, "lost", 1L));
    }

    @Test
    void whatLiesBetweenTwoOperatorsWaits() {
        long offset = world.sendDocument("d0");
        world.sendDocument("d1");
        world.preprocessed();
        world.between(
                "by-content", "0/" + offset + "/" + world.topics.documents().name());

        Report report = world.audit();
        assertThat(report.events()).containsEntry(world.topics.documents().name(), Map.of("waiting", 1L, "lost", 1L));
        assertThat(report.findings()).singleElement().asString().startsWith("Event d1 at ");
    }

    @Test
    void everyRevisionOfADocumentNeedsItsExample() {
        world.document("d0", Split.TRAIN);
        world.document("d0", Split.TRAIN);
        long third = world.sendDocument("d0");
        world.preprocessed();
        assertThat(world.audit().findings()).singleElement().asString().startsWith("Event d0 at ");

        world.refuse(world.topics.documents().name(), third, "repeated");
        Report report = world.audit();
        assertThat(report.findings()).isEmpty();
        assertThat(report.events())
                .containsEntry(world.topics.documents().name(), Map.of("waiting", 2L, "repeated", 1L));
    }

    @Test
    void whatWasErasedBeforeARoundIsNotTrained() {
        String trained = world.document("d0", Split.TRAIN);
        String erased = world.document("d1", Split.TRAIN);
        String replayed = world.document("d2", Split.TRAIN);
        world.preprocessed();
        world.version(1)
                .slice(world.sequences(), 2, 3)
                .line("pretrain", replayed)
                .announce();
        for (String document : new String[] {"d0", "d1", "d2"}) {
            world.send(
                    world.topics.erasures().name(),
                    Erasure.newBuilder().setDocumentId(document).build());
        }
        world.version(2)
                .slice(world.sequences(), 0, 2)
                .line("pretrain", trained)
                .line("erased", erased)
                .replayed("pretrain", replayed)
                .toldToForget()
                .announce();

        Report report = world.audit();
        assertThat(report.findings())
                .containsExactly(
                        "Example " + trained + " at " + world.sequences()
                                + "-0:0 was trained by tiny-000002, whose round had been told to forget document/d0.",
                        "Example " + replayed + " at " + world.sequences()
                                + "-0:2 was replayed by tiny-000002, whose round had been told to forget document/d2.");
        assertThat(report.events()).containsEntry(world.topics.documents().name(), Map.of("trained", 2L, "erased", 1L));
    }

    private KeptRecord kept(String documentId, long offset) {
        return KeptRecord.newBuilder()
                .setTopic(world.sequences())
                .setOffset(offset)
                .setValue(World.tokens("example of " + documentId, documentId, "", Split.TRAIN)
                        .toByteString())
                .build();
    }

    @Test
    void aVersionKeepsNothingThatIsNotOfItsSliceOrThatItWasToForget() {
        String trained = world.document("d0", Split.TRAIN);
        String erased = world.document("d1", Split.TRAIN);
        world.document("d2", Split.TRAIN);
        world.preprocessed();
        world.send(
                world.topics.erasures().name(),
                Erasure.newBuilder().setDocumentId("d1").build());
        world.version(1)
                .slice(world.sequences(), 0, 2)
                .line("pretrain", trained)
                .line("erased", erased)
                .toldToForget()
                .kept(kept("d0", 0))
                .kept(kept("d1", 1))
                .kept(kept("d2", 2))
                .announce();
        assertThat(world.audit().findings())
                .containsExactly(
                        "tiny-000001 keeps a copy of the record at " + world.sequences()
                                + "-0:1, though its round had been told to forget document/d1.",
                        "tiny-000001 keeps a copy of the record at " + world.sequences()
                                + "-0:2, which is not of its slice.");
    }

    @Test
    void aLiftedErasureForbidsNothingFromThenOn() {
        String trained = world.document("d0", Split.TRAIN);
        world.preprocessed();
        Erasure erasure = Erasure.newBuilder().setDocumentId("d0").build();
        world.send(world.topics.erasures().name(), erasure);
        world.send(
                world.topics.erasures().name(),
                erasure.toBuilder().setLifted(true).build());
        world.version(1)
                .slice(world.sequences(), 0, 1)
                .line("pretrain", trained)
                .toldToForget()
                .announce();
        assertThat(world.audit().findings()).isEmpty();
    }

    @Test
    void feedbackOnAnErasedAnswerWaitsForNothingThatIsThere() {
        world.send(
                world.topics.completions().name(),
                World.completion("t0", "a").toBuilder().addSubjects("anna").build());
        world.send(world.topics.completions().name(), World.completion("t0", "b"));
        world.send(
                world.topics.erasures().name(),
                Erasure.newBuilder().setSubject("anna").build());
        world.send(world.topics.feedback().name(), World.comparison("t0"));
        world.preprocessed();

        Report report = world.audit();
        assertThat(report.findings()).isEmpty();
        assertThat(report.events())
                .containsEntry(world.topics.completions().name(), Map.of("erased", 1L, "waiting", 1L))
                .containsEntry(world.topics.feedback().name(), Map.of("waiting", 1L));
    }
}
