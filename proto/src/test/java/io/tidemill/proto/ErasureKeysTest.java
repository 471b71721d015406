package io.tidemill.proto;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.proto.v1.Answer;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Principal;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.Thumb;
import io.tidemill.proto.v1.TokenSequence;
import java.util.List;
import org.junit.jupiter.api.Test;

class ErasureKeysTest {
    private static final Document DOCUMENT = Document.newBuilder()
            .setDocumentId("d-1")
            .setText("The tide turns.")
            .setGroupId("a book")
            .setSource("novels")
            .addSubjects("anna")
            .addSubjects("ben")
            .build();

    private static Erasure subject(String name) {
        return Erasure.newBuilder().setSubject(name).setErasureId("e").build();
    }

    private static Erasure document(String id) {
        return Erasure.newBuilder().setDocumentId(id).setErasureId("e").build();
    }

    private static Erasure source(String name) {
        return Erasure.newBuilder().setSource(name).setErasureId("e").build();
    }

    @Test
    void aRecordGoesByItsPeopleItsIdItsGroupAndItsSource() {
        for (Erasure erasure :
                List.of(subject("anna"), subject("ben"), document("d-1"), document("a book"), source("novels"))) {
            assertThat(ErasureSet.of(List.of(erasure)).concerning(ErasureKeys.of(DOCUMENT)))
                    .contains(erasure);
        }
        for (Erasure erasure :
                List.of(subject("d-1"), subject("novels"), document("anna"), document("d-"), source("a book"))) {
            assertThat(ErasureSet.of(List.of(erasure)).concerns(ErasureKeys.of(DOCUMENT)))
                    .isFalse();
        }
    }

    @Test
    void whatIsMadeOfARecordGoesByItsProvenanceAndAPairByItsAnswersToo() {
        Provenance provenance = Provenance.newBuilder()
                .addParentIds("f-1")
                .addSubjects("anna")
                .setSource("chat")
                .setGroupId("session:session-1")
                .setPrincipal(Principal.newBuilder().setSubject("key:3f2a"))
                .build();
        TokenSequence sequence =
                TokenSequence.newBuilder().setProvenance(provenance).build();
        Preference pair = Preference.newBuilder()
                .setProvenance(provenance)
                .setPair(Pair.newBuilder().setChosen(Answer.newBuilder().setCompletionId("r-1/0")))
                .build();
        for (Erasure erasure :
                List.of(subject("anna"), subject("key:3f2a"), document("f-1"), document("session-1"), source("chat"))) {
            ErasureSet erased = ErasureSet.of(List.of(erasure));
            assertThat(erased.concerns(ErasureKeys.of(sequence))).isTrue();
            assertThat(erased.concerns(ErasureKeys.of(pair))).isTrue();
        }
        assertThat(ErasureSet.of(List.of(document("r-1/0"))).concerns(ErasureKeys.of(pair)))
                .isTrue();
        assertThat(ErasureSet.of(List.of(document("r-1"))).concerns(ErasureKeys.of(pair)))
                .isTrue();
    }

    @Test
    void whatIsSaidOfAnAnswerGoesWithTheAnswer() {
        Completion completion = Completion.newBuilder()
                .setCompletionId("r-1/0")
                .setTurnId("t-1")
                .setSessionId("session-1")
                .build();
        Feedback thumb = Feedback.newBuilder()
                .setFeedbackId("f-1")
                .setTurnId("t-1")
                .setThumb(Thumb.newBuilder().setCompletionId("r-1/0"))
                .build();
        for (String id : List.of("t-1", "r-1", "r-1/0")) {
            assertThat(ErasureSet.of(List.of(document(id))).concerns(ErasureKeys.of(completion)))
                    .isTrue();
            assertThat(ErasureSet.of(List.of(document(id))).concerns(ErasureKeys.of(thumb)))
                    .isTrue();
        }
        assertThat(ErasureSet.of(List.of(document("f-1"))).concerns(ErasureKeys.of(completion)))
                .isFalse();
    }

    @Test
    void theNewestWordOnAThingCounts() {
        Erasure lift = subject("anna").toBuilder().setLifted(true).build();
        assertThat(ErasureSet.of(List.of(subject("anna"), lift)).isEmpty()).isTrue();
        assertThat(ErasureSet.of(List.of(subject("anna"), lift, subject("anna")))
                        .concerns(ErasureKeys.of(DOCUMENT)))
                .isTrue();
        assertThat(ErasureSet.of(List.of(subject("ben"), lift)).concerns(ErasureKeys.of(DOCUMENT)))
                .isTrue();
        assertThat(ErasureKeys.of(lift)).isEqualTo(ErasureKeys.of(subject("anna")));
    }

    @Test
    void anErasureWithoutAnIdGetsTheSameEveryTime() {
        Erasure plain = Erasure.newBuilder().setSubject("anna").build();
        String id = ErasureSet.of(List.of(plain)).all().get(0).getErasureId();
        assertThat(id).hasSize(32).isEqualTo(ErasureSet.named(plain).getErasureId());
    }
}
