package io.tidemill.auditor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.VersionState;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a version to its events, and back. */
class GraphTest {
    @TempDir
    Path data;

    private World world;
    private String trained;
    private String heldOut;
    private String pair;

    @BeforeEach
    void twoVersions() {
        world = new World(data);
        trained = world.document("d0", Split.TRAIN);
        heldOut = world.document("d1", Split.HELD_OUT);
        pair = world.compared("t0", Split.TRAIN);
        world.version(1).slice(world.sequences(), 0, 1).as(VersionState.REFUSED).announce();
        world.version(2)
                .parent(0)
                .slice(world.sequences(), 0, 2)
                .slice(world.preferences(), 0, 1)
                .line("pretrain", trained)
                .line("held-out", heldOut)
                .line("preference", pair)
                .announce();
        world.version(3).replayed("pretrain", trained).announce();
        world.preprocessed();
        world.document("d2", Split.TRAIN);
    }

    @AfterEach
    void end() {
        world.close();
    }

    @Test
    void whereTellsFromADocumentWhatBecameOfIt() {
        Where found = Where.find(world.settings(), "d0");
        assertThat(found.lines())
                .containsExactly(
                        "event    d0  at " + world.topics.documents().name() + "-0:0  trained",
                        "example  " + trained + "  at " + world.sequences()
                                + "-0:0  trained by tiny-000002 (pretrain), replayed by tiny-000003, also read by"
                                + " tiny-000001 (REFUSED)");
        assertThat(found.json()).contains("\"version\" : \"tiny-000002\"");
        assertThat(Where.find(world.settings(), heldOut).lines())
                .containsExactly("example  " + heldOut + "  at " + world.sequences()
                        + "-0:1  held out by tiny-000002 (held-out)");
        assertThat(Where.find(world.settings(), "d2").examples())
                .extracting(Where.Example::outcome)
                .containsExactly("waiting");
        assertThat(Where.find(world.settings(), "nobody").lines()).containsExactly("nobody is nowhere in the log.");
    }

    @Test
    void whereTellsFromATurnWhatItsAnswersAndTheChoiceHaveBecome() {
        Where found = Where.find(world.settings(), "t0");
        assertThat(found.events()).extracting(Where.Event::id).containsExactly("t0/a", "t0/b", "t0-said");
        assertThat(found.examples()).extracting(Where.Example::id).containsExactly(pair);
        assertThat(Where.find(world.settings(), "t0/b").examples())
                .extracting(Where.Example::id)
                .containsExactly(pair);
    }

    @Test
    void explainTellsWhatAVersionWasMadeOf() {
        Explanation explanation = Explanation.of(world.settings(), "tiny-000002");
        assertThat(explanation.parents()).containsExactly("tiny-000000");
        assertThat(explanation.isLive()).isTrue();
        assertThat(explanation.slices())
                .containsExactly(world.sequences() + "-0:0..2, 2 records", world.preferences() + "-0:0..1, 1 records");
        assertThat(explanation.examples()).isEqualTo(Map.of("pretrain", 1L, "held-out", 1L, "preference", 1L));
        assertThat(explanation.sources()).isEqualTo(Map.of("test", 1L, "unnamed", 1L));
        assertThat(explanation.unlogged()).isZero();
        String documents = world.topics.documents().name();
        assertThat(explanation.events())
                .contains(
                        new Explanation.Event("d0", List.of(documents + "-0:0"), List.of("pretrain")),
                        new Explanation.Event("d1", List.of(documents + "-0:1"), List.of("held-out")),
                        new Explanation.Event(
                                "t0-said", List.of(world.topics.feedback().name() + "-0:0"), List.of("preference")))
                .hasSize(5);
        assertThat(explanation.lines(2)).contains("5 events, 4 of them trained", "… and 3 more (--events lists all)");

        assertThat(Explanation.of(world.settings(), "tiny-000003").events())
                .containsExactly(
                        new Explanation.Event("d0", List.of(documents + "-0:0"), List.of("replayed: pretrain")));
        assertThat(Explanation.of(world.settings(), "tiny-000001").isLive()).isFalse();
        assertThatThrownBy(() -> Explanation.of(world.settings(), "tiny-000009"))
                .isInstanceOf(AuditException.class)
                .hasMessage(
                        "No version tiny-000009 of tiny was ever announced; the newest that serves is tiny-000003.");
    }
}
