package io.tidemill.preprocess.tokenize;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.google.protobuf.util.Timestamps;
import io.tidemill.preprocess.TopologyRun;
import io.tidemill.preprocess.state.Limits;
import io.tidemill.proto.Ids;
import io.tidemill.proto.Readers;
import io.tidemill.proto.SplitFunction;
import io.tidemill.proto.v1.Answer;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Demonstration;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Pair;
import io.tidemill.proto.v1.Preference;
import io.tidemill.proto.v1.Provenance;
import io.tidemill.proto.v1.Rejected;
import io.tidemill.proto.v1.Split;
import io.tidemill.proto.v1.TextTarget;
import io.tidemill.proto.v1.TokenSequence;
import io.tidemill.proto.v1.TokenSequence.Objective;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TokenizeTopologyTest {
    private static final SplitFunction SPLIT = new SplitFunction("tidemill", 0.05);
    private static final Limits LIMITS = new Limits(Duration.ofDays(30), 1_000);

    private TopologyRun run = run(LIMITS);

    private static TopologyRun run(Limits limits) {
        return TopologyRun.of(run -> new TokenizeTopology(
                        run.catalogue,
                        new LettersTokenization(),
                        new TokenizeSettings(20, limits, SPLIT),
                        run.erased,
                        run.outcomes)
                .build());
    }

    @AfterEach
    void close() {
        run.close();
    }

    @Test
    void aDocumentBecomesItsTokensAndTheEndOfText() {
        run.protobuf(
                run.catalogue.documents(),
                Document.newBuilder()
                        .setDocumentId("d1")
                        .setText("tide")
                        .setSource("novel")
                        .setGroupId("chapter-1")
                        .addSubjects("ann")
                        .setEventTime(Timestamps.fromMillis(1_000))
                        .build());

        TokenSequence sequence = only(sequences());
        assertThat(sequence.getIdsList()).containsExactly((int) 't', (int) 'i', (int) 'd', (int) 'e', 0);
        assertThat(sequence.getLossMask().isEmpty()).isTrue();
        assertThat(sequence.getObjective()).isEqualTo(Objective.CAUSAL_LM);
        assertThat(sequence.getWeight()).isEqualTo(1);
        assertThat(sequence.getTextBytes()).isEqualTo(4);
        assertThat(sequence.getTokenizerFingerprint()).isEqualTo(LettersTokenization.FINGERPRINT);
        assertThat(sequence.getSplit()).isEqualTo(SPLIT.of("chapter-1"));
        assertThat(sequence.getProvenance())
                .isEqualTo(Provenance.newBuilder()
                        .addParentIds("d1")
                        .setSource("novel")
                        .setGroupId("chapter-1")
                        .addSubjects("ann")
                        .setEventTime(Timestamps.fromMillis(1_000))
                        .setIngestTime(Timestamps.fromMillis(TopologyRun.START.toEpochMilli()))
                        .build());
        assertThat(run.rejected()).isEmpty();
    }

    @Test
    void aJsonInputsHeaderDoesNotSurviveAndTheKeyIsTheSourceId() {
        run.json(run.catalogue.documents(), "{\"documentId\": \"d1\", \"text\": \"tide\"}");

        TestRecord<byte[], byte[]> record =
                only(run.records(run.catalogue.tokenSequences(LettersTokenization.FINGERPRINT)));
        assertThat(new String(record.key(), UTF_8)).isEqualTo("d1");
        assertThat(record.headers().toArray()).hasSize(1);
        assertThat(new String(record.headers().lastHeader("content-type").value(), UTF_8))
                .isEqualTo("application/x-protobuf");
    }

    @Test
    void whatCannotBeReadGoesToRejectedWithItsBytesAndTheStreamGoesOn() {
        byte[] random = new byte[200];
        new Random(7).nextBytes(random);
        run.bytes(run.catalogue.documents(), random, new RecordHeaders());
        run.json(run.catalogue.documents(), "{\"documentId\": \"d1\", \"tex");
        run.json(run.catalogue.documents(), "{\"documentId\": \"d1\", \"text\": 7}");
        run.json(run.catalogue.documents(), "{\"documentId\": \"d1\", \"text\": \"a\"} {}");
        run.bytes(run.catalogue.documents(), new byte[0], new RecordHeaders());
        run.bytes(run.catalogue.documents(), null, new RecordHeaders());
        run.json(run.catalogue.documents(), "{\"text\": \"after\"}");

        List<Rejected> rejected = run.rejected();
        assertThat(rejected).hasSize(6).allSatisfy(one -> {
            assertThat(one.getStage()).isEqualTo("parse");
            assertThat(one.getReason()).isNotBlank();
            assertThat(one.getTopic()).isEqualTo(run.catalogue.documents().name());
        });
        assertThat(rejected.get(0).getValue().toByteArray()).isEqualTo(random);
        assertThat(rejected.get(1).getValue().toStringUtf8()).isEqualTo("{\"documentId\": \"d1\", \"tex");
        assertThat(rejected.get(1).getHeadersOrThrow("content-type")).isEqualTo("application/json");
        assertThat(rejected).extracting(Rejected::getOffset).containsExactly(0L, 1L, 2L, 3L, 4L, 5L);
        assertThat(sequences()).hasSize(1);
        assertThat(run.outcomes.snapshot().get("parse"))
                .containsEntry("accepted", 1L)
                .containsEntry("empty", 2L);
    }

    @Test
    void textIsNormalisedBeforeItIsTokenized() {
        run.protobuf(run.catalogue.documents(), document("d1", "e\u0301\r\nb\u0000\u0007\tc"));

        assertThat(text(only(sequences()))).isEqualTo("\u00e9\nb\tc");
    }

    @Test
    void whiteSpaceAloneIsEmpty() {
        run.protobuf(run.catalogue.documents(), document("d1", " \r\n\t\u0007 "));

        Rejected rejected = only(run.rejected());
        assertThat(rejected.getStage()).isEqualTo("screen");
        assertThat(rejected.getCode()).isEqualTo("empty");
        assertThat(rejected.getSourceId()).isEqualTo("d1");
        assertThat(sequences()).isEmpty();
    }

    @Test
    void aDocumentOverTheLimitIsRefusedWithBothNumbersAndTheDocument() {
        Document document = document("d1", "x".repeat(21));
        run.protobuf(run.catalogue.documents(), document);
        run.protobuf(run.catalogue.documents(), document("d2", "\uD83C\uDF0A".repeat(20)));

        Rejected rejected = only(run.rejected());
        assertThat(rejected.getCode()).isEqualTo("too-long");
        assertThat(rejected.getReason()).contains("21 characters").contains("20");
        assertThat(rejected.getValue()).isEqualTo(document.toByteString());
        assertThat(only(sequences()).getProvenance().getParentIds(0)).isEqualTo("d2");
    }

    @Test
    void theSameIdWithTheSameContentIsOneDocument() {
        run.protobuf(run.catalogue.documents(), document("d1", "tide"));
        run.json(run.catalogue.documents(), document("d1", "tide"));

        assertThat(sequences()).hasSize(1);
        Rejected rejected = only(run.rejected());
        assertThat(rejected.getStage()).isEqualTo("deduplicate");
        assertThat(rejected.getCode()).isEqualTo("repeated");
        assertThat(rejected.getOffset()).isEqualTo(1);
    }

    @Test
    void theSameIdWithOtherContentIsANewRevisionAndAnotherExample() {
        run.protobuf(run.catalogue.documents(), document("d1", "tide"));
        run.protobuf(run.catalogue.documents(), document("d1", "ebb"));

        List<TokenSequence> sequences = sequences();
        assertThat(sequences).extracting(TokenizeTopologyTest::text).containsExactly("tide", "ebb");
        assertThat(sequences.get(0).getExampleId())
                .isNotEqualTo(sequences.get(1).getExampleId());
        assertThat(run.rejected()).isEmpty();
    }

    @Test
    void theSameContentUnderAnotherIdIsADuplicateOfTheFirst() {
        run.protobuf(run.catalogue.documents(), document("d1", "caf\u00e9"));
        run.protobuf(run.catalogue.documents(), document("d2", "cafe\u0301"));

        assertThat(sequences()).hasSize(1);
        Rejected rejected = only(run.rejected());
        assertThat(rejected.getCode()).isEqualTo("duplicate");
        assertThat(rejected.getReason()).contains("document d1");
        assertThat(rejected.getSourceId()).isEqualTo("d2");
    }

    @Test
    void aDocumentWithoutAnIdGetsTheHashOfItsContent() {
        run.json(run.catalogue.documents(), "{\"text\": \"tide\"}");
        run.json(run.catalogue.documents(), "{\"text\": \"tide\"}");

        assertThat(only(sequences()).getProvenance().getParentIdsList()).containsExactly(Ids.contentHash("tide"));
        assertThat(only(run.rejected()).getCode()).isEqualTo("repeated");
    }

    @Test
    void aContentIsForgottenAfterTheRetention() {
        run.protobuf(run.catalogue.documents(), document("d1", "tide"));
        run.pass(Duration.ofDays(31));
        run.protobuf(run.catalogue.documents(), document("d2", "tide"));

        assertThat(sequences()).hasSize(2);
        assertThat(run.outcomes.snapshot().get("deduplicate")).containsEntry("forgotten-content", 1L);
    }

    @Test
    void aFullStoreForgetsTheOldestContent() {
        run.close();
        run = run(new Limits(Duration.ofDays(30), 2));
        for (String text : List.of("a", "b", "c")) {
            run.pass(Duration.ofSeconds(1));
            run.protobuf(run.catalogue.documents(), document("first-" + text, text));
        }
        assertThat(sequences()).hasSize(3);

        run.protobuf(run.catalogue.documents(), document("again-c", "c"));
        run.protobuf(run.catalogue.documents(), document("again-a", "a"));

        assertThat(only(sequences()).getProvenance().getParentIds(0)).isEqualTo("again-a");
        assertThat(only(run.rejected()).getSourceId()).isEqualTo("again-c");
    }

    @Test
    void ofADemonstrationOnlyTheAssistantsWordsAreLearned() {
        run.protobuf(
                run.catalogue.demonstrations(),
                Demonstration.newBuilder()
                        .setExampleId("e1")
                        .addMessages(message("user", "hi"))
                        .addMessages(message("assistant", "ho"))
                        .build());

        TokenSequence sequence = only(sequences());
        assertThat(sequence.getObjective()).isEqualTo(Objective.SFT);
        assertThat(sequence.getIdsList()).containsExactly((int) 'h', (int) 'i', 0, (int) 'h', (int) 'o', 0);
        assertThat(sequence.getLossMask().toByteArray()).containsExactly(0, 0, 0, 1, 1, 1);
        assertThat(sequence.getProvenance().getGroupId()).isEqualTo("e1");
    }

    @Test
    void aClassificationExampleBecomesTheTextsTokensAloneWithItsLabels() {
        run.protobuf(
                run.catalogue.demonstrations(),
                labelled("e1", "e\u0301a", " sad", "calm", " sad").toBuilder()
                        .setSource("mail")
                        .setGroupId("thread-1")
                        .addSubjects("ann")
                        .setEventTime(Timestamps.fromMillis(1_000))
                        .build());

        TokenSequence sequence = only(sequences());
        assertThat(sequence.getObjective()).isEqualTo(Objective.LABELS);
        assertThat(sequence.getIdsList()).containsExactly(0xe9, (int) 'a'); // nothing at the end, nothing around
        assertThat(sequence.getLossMask().isEmpty()).isTrue();
        assertThat(sequence.getLabelsList()).containsExactly(" sad", "calm");
        assertThat(sequence.hasScore()).isFalse();
        assertThat(sequence.getTextBytes()).isEqualTo(3);
        assertThat(sequence.getWeight()).isEqualTo(1);
        assertThat(sequence.getSplit()).isEqualTo(SPLIT.of("thread-1"));
        assertThat(sequence.getProvenance())
                .isEqualTo(Provenance.newBuilder()
                        .addParentIds("e1")
                        .setSource("mail")
                        .setGroupId("thread-1")
                        .addSubjects("ann")
                        .setEventTime(Timestamps.fromMillis(1_000))
                        .setIngestTime(Timestamps.fromMillis(TopologyRun.START.toEpochMilli()))
                        .build());
        assertThat(run.rejected()).isEmpty();
    }

    @Test
    void aScoredTextKeepsItsScoreEvenIfThatIsZero() {
        run.json(run.catalogue.demonstrations(), "{\"text_target\": {\"text\": \"good\", \"score\": 0}}");

        TokenSequence sequence = only(sequences());
        assertThat(sequence.getObjective()).isEqualTo(Objective.LABELS);
        assertThat(sequence.hasScore()).isTrue();
        assertThat(sequence.getScore()).isZero();
        assertThat(sequence.getLabelsList()).isEmpty();
    }

    @Test
    void aTextThatComesAgainWithOtherLabelsIsARevisionAndWithTheSameARepeat() {
        run.protobuf(run.catalogue.demonstrations(), labelled("e1", "good", "calm"));
        run.protobuf(run.catalogue.demonstrations(), labelled("e1", "good", "calm", "calm"));
        run.protobuf(run.catalogue.demonstrations(), labelled("e2", "good", "calm"));
        run.protobuf(run.catalogue.demonstrations(), labelled("e1", "good", "sad"));

        List<TokenSequence> sequences = sequences();
        assertThat(sequences).extracting(sequence -> sequence.getLabels(0)).containsExactly("calm", "sad");
        assertThat(sequences.get(0).getExampleId())
                .isNotEqualTo(sequences.get(1).getExampleId());
        assertThat(run.rejected()).extracting(Rejected::getCode).containsExactlyInAnyOrder("repeated", "duplicate");
    }

    @Test
    void aClassificationExampleThatCannotBeUsedIsRefusedAsOthersAre() {
        Demonstration tooLong = labelled("e2", "x".repeat(21), "calm");
        run.protobuf(run.catalogue.demonstrations(), labelled("e1", " \t", "calm"));
        run.protobuf(run.catalogue.demonstrations(), tooLong);
        run.protobuf(run.catalogue.demonstrations(), labelled("e3", "good", "calm", " "));
        run.protobuf(run.catalogue.demonstrations(), labelled("e4", "a <control> b", "calm"));

        List<Rejected> rejected = run.rejected();
        assertThat(rejected)
                .extracting(Rejected::getStage, Rejected::getCode)
                .containsExactlyInAnyOrder(
                        tuple("screen", "empty"),
                        tuple("screen", "too-long"),
                        tuple("parse", "wrong-value"),
                        tuple("tokenize", "control-token"));
        assertThat(rejected)
                .filteredOn(one -> one.getCode().equals("too-long"))
                .extracting(Rejected::getValue)
                .containsExactly(tooLong.toByteString());
        assertThat(rejected)
                .filteredOn(one -> one.getCode().equals("wrong-value"))
                .allSatisfy(one -> assertThat(one.getReason()).contains("text_target.labels[1]"));
        assertThat(sequences()).isEmpty();
    }

    @Test
    void anInternalRecordOfARunningReleaseIsReadAsWhatItsMessageIs() {
        try (Serde<Material> serde = Material.serde()) {
            Demonstration target = labelled("e1", "good", "calm");
            byte[] written = serde.serializer().serialize("t", new Material.LabelledText(target));
            byte[] older = written.clone();
            older[0] = 2; // what both kinds of demonstration were before

            assertThat(written[0]).isEqualTo((byte) 4);
            assertThat(serde.deserializer().deserialize("t", written)).isEqualTo(new Material.LabelledText(target));
            assertThat(serde.deserializer().deserialize("t", older)).isEqualTo(new Material.LabelledText(target));
            Demonstration chat = Demonstration.newBuilder()
                    .setExampleId("e2")
                    .addMessages(message("assistant", "ho"))
                    .build();
            assertThat(serde.deserializer()
                            .deserialize("t", serde.serializer().serialize("t", new Material.Conversation(chat))))
                    .isEqualTo(new Material.Conversation(chat));
        }
    }

    @Test
    void textThatTheTokenizerCannotTellFromAControlTokenIsRefusedByIt() {
        run.protobuf(run.catalogue.documents(), document("d1", "a <control> b"));

        Rejected rejected = only(run.rejected());
        assertThat(rejected.getStage()).isEqualTo("tokenize");
        assertThat(rejected.getCode()).isEqualTo("control-token");
        assertThat(rejected.getReason()).contains("<control>");
    }

    @Test
    void aCorrectionIsADemonstrationWithTheSplitWeightAndProvenanceOfItsPair() {
        Preference correction = preference(Preference.Origin.CORRECTION);
        run.protobuf(run.catalogue.preferences(), correction);
        run.protobuf(run.catalogue.preferences(), preference(Preference.Origin.COMPARISON));

        TokenSequence sequence = only(sequences());
        assertThat(text(sequence)).isEqualTo("hi\u0000good");
        assertThat(sequence.getObjective()).isEqualTo(Objective.SFT);
        assertThat(sequence.getSplit()).isEqualTo(Split.HELD_OUT);
        assertThat(sequence.getWeight()).isEqualTo(0.5);
        assertThat(sequence.getProvenance()).isEqualTo(correction.getProvenance());
        assertThat(run.rejected()).isEmpty();
    }

    @Test
    void whatSharesAGroupStaysOnOneSideOfTheSplit() {
        for (int i = 0; i < 40; i++) {
            run.protobuf(
                    run.catalogue.documents(),
                    document("d" + i, "text " + i).toBuilder()
                            .setGroupId("book-" + i % 4)
                            .build());
        }

        assertThat(sequences().stream()
                        .collect(Collectors.groupingBy(
                                sequence -> sequence.getProvenance().getGroupId(),
                                Collectors.mapping(TokenSequence::getSplit, Collectors.toSet())))
                        .values())
                .hasSize(4)
                .allSatisfy(sides -> assertThat(sides).hasSize(1));
    }

    @Test
    void whatIsErasedIsNotTokenizedAndOfItOnlyTheIdIsRejected() {
        run.erased.add(Erasure.newBuilder().setErasureId("e1").setSubject("ann").build());
        run.erased.add(
                Erasure.newBuilder().setErasureId("e2").setDocumentId("d2").build());
        run.protobuf(
                run.catalogue.documents(),
                document("d1", "secret").toBuilder().addSubjects("ann").build());
        run.protobuf(run.catalogue.documents(), document("d2", "another secret"));
        run.protobuf(run.catalogue.documents(), document("d3", "tide"));
        run.protobuf(run.catalogue.demonstrations(), labelled("d2", "secret", "good"));

        assertThat(text(only(sequences()))).isEqualTo("tide");
        assertThat(run.rejected())
                .extracting(Rejected::getStage, Rejected::getCode, Rejected::getSourceId, Rejected::getReason)
                .containsExactly(
                        tuple("parse", "erased", "d1", "erasure e1 concerns it"),
                        tuple("parse", "erased", "d2", "erasure e2 concerns it"),
                        tuple("parse", "erased", "d2", "erasure e2 concerns it"));
        assertThat(run.stored(ReviseProcessor.STORE) + run.stored(DeduplicateProcessor.STORE))
                .doesNotContain("secret");
    }

    @Test
    void everyOperatorStoreAndRepartitionTopicHasAName() {
        String described = new TokenizeTopology(
                        run.catalogue,
                        new LettersTokenization(),
                        new TokenizeSettings(20, LIMITS, SPLIT),
                        run.erased,
                        run.outcomes)
                .build()
                .describe()
                .toString();

        // Kafka Streams numbers what has no name, ten digits with leading zeros.
        assertThat(described.lines().filter(line -> line.matches(".*[A-Z]-0{5}[0-9]{5}.*")))
                .isEmpty();
        assertThat(described).contains("by-id-repartition", "by-content-repartition", "revisions", "contents");
    }

    private static Preference preference(Preference.Origin origin) {
        return Preference.newBuilder()
                .setExampleId("p-" + origin)
                .addMessages(message("user", "hi"))
                .setPair(Pair.newBuilder()
                        .setChosen(Answer.newBuilder().setText("good"))
                        .setRejected(Answer.newBuilder().setText("bad")))
                .setSplit(Split.HELD_OUT)
                .setWeight(0.5)
                .setOrigin(origin)
                .setProvenance(
                        Provenance.newBuilder().addAllParentIds(Set.of("f1")).setGroupId("g"))
                .build();
    }

    private static Demonstration labelled(String id, String text, String... labels) {
        return Demonstration.newBuilder()
                .setExampleId(id)
                .setTextTarget(TextTarget.newBuilder().setText(text).addAllLabels(List.of(labels)))
                .build();
    }

    private static ChatMessage message(String role, String content) {
        return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }

    private static Document document(String id, String text) {
        return Document.newBuilder().setDocumentId(id).setText(text).build();
    }

    private List<TokenSequence> sequences() {
        return run.read(run.catalogue.tokenSequences(LettersTokenization.FINGERPRINT), Readers.tokenSequences());
    }

    /** The text behind the ids, without the end. */
    private static String text(TokenSequence sequence) {
        int[] ids = sequence.getIdsList().stream().mapToInt(id -> id).toArray();
        return Arrays.stream(ids, 0, ids.length - 1)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private static <T> T only(List<T> list) {
        assertThat(list).hasSize(1);
        return list.get(0);
    }
}
