package io.tidemill.proto;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.tidemill.proto.v1.ChatMessage;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.SelfContained;
import io.tidemill.proto.v1.Thumb;
import io.tidemill.proto.v1.TokenSequence;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RecordReaderTest {
    private static final Document DOCUMENT = Document.newBuilder()
            .setDocumentId("d-1")
            .setText("The tide turns.")
            .addTags("sea")
            .build();

    @Test
    void protobufIsReadWithAndWithoutItsHeader() {
        assertThat(accepted(Readers.documents().read(DOCUMENT.toByteArray(), new RecordHeaders())))
                .isEqualTo(DOCUMENT);
        assertThat(accepted(Readers.documents().read(DOCUMENT.toByteArray(), headers("application/x-protobuf"))))
                .isEqualTo(DOCUMENT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"document_id\":\"d-1\",\"text\":\"The tide turns.\",\"tags\":[\"sea\"]}",
                " {\"documentId\":\"d-1\",\"text\":\"The tide turns.\",\"tags\":[\"sea\"],\"licence\":null}\n"
            })
    void jsonIsReadWithBothSpellingsOfAName(String json) {
        assertThat(accepted(Readers.documents().read(json.getBytes(UTF_8), headers("application/json; charset=utf-8"))))
                .isEqualTo(DOCUMENT);
    }

    @Test
    void theHeadersNameMayBeWrittenAnyWayAndTheLastOneCounts() {
        Headers headers = new RecordHeaders()
                .add("content-type", "application/x-protobuf".getBytes(UTF_8))
                .add("Content-Type", "application/json".getBytes(UTF_8));
        assertThat(accepted(Readers.documents().read("{\"text\":\"a\"}".getBytes(UTF_8), headers))
                        .getText())
                .isEqualTo("a");
    }

    @Test
    void aConfluentFrameIsTakenOffProtobufAndJson() {
        byte[] first = join(new byte[] {0, 0, 0, 0, 42, 0}, DOCUMENT.toByteArray()); // indexes [0], written short
        byte[] nested = join(new byte[] {0, 0, 0, 0, 42, 4, 2, 6}, DOCUMENT.toByteArray()); // zigzag: [1, 3]
        byte[] json = join(new byte[] {0, 0, 0, 0, 42}, "{\"text\":\"a\"}".getBytes(UTF_8));
        assertThat(accepted(Readers.documents().read(first, new RecordHeaders())))
                .isEqualTo(DOCUMENT);
        assertThat(accepted(Readers.documents().read(nested, new RecordHeaders())))
                .isEqualTo(DOCUMENT);
        assertThat(accepted(Readers.documents().read(json, headers("application/json")))
                        .getText())
                .isEqualTo("a");
    }

    @Test
    void aFrameThatEndsEarlyIsRefused() {
        for (int length = 1; length <= 6; length++) {
            byte[] cut = new byte[length];
            assertThat(code(Readers.documents().read(cut, new RecordHeaders())))
                    .as("frame of %d bytes", length)
                    .isIn("unreadable", "missing-field");
        }
        byte[] manyIndexes = {0, 0, 0, 0, 1, 126, 0};
        assertThat(reason(Readers.documents().read(manyIndexes, new RecordHeaders())))
                .contains("63 message indexes");
    }

    @Test
    void aRecordWithoutAValueIsRefused() {
        assertThat(code(Readers.documents().read(null, new RecordHeaders()))).isEqualTo("empty");
        assertThat(code(Readers.documents().read(new byte[0], new RecordHeaders())))
                .isEqualTo("empty");
        assertThat(code(Readers.documents().read(" ".getBytes(UTF_8), headers("application/json"))))
                .isEqualTo("empty");
    }

    @Test
    void jsonWithoutItsHeaderIsToldAboutTheHeader() {
        assertThat(reason(Readers.documents().read("{\"text\":\"a\"}".getBytes(UTF_8), new RecordHeaders())))
                .contains("JSON needs the header content-type=application/json");
    }

    @Test
    void anotherContentTypeIsRefusedByItsName() {
        assertThat(reason(Readers.documents().read(DOCUMENT.toByteArray(), headers("text/csv"))))
                .contains("text/csv")
                .contains("application/json");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"text\":\"a\"} {\"text\":\"b\"}      | unreadable    | Something follows the object at line 1, column 14",
                "{\"text\":\"a\",\"text\":\"b\"}        | unreadable    | text is there twice",
                "{\"document_id\":\"a\",\"documentId\":\"b\",\"text\":\"c\"} | unreadable | also as document_id",
                "{\"text\":\"a\",\"titel\":\"b\"}       | unknown-field | titel is not a field of Document. Expected one of: document_id, text",
                "{\"text\":5}                           | wrong-type    | text must be a string, but was 5",
                "{\"text\":[\"a\"]}                     | wrong-type    | text must be a string, but was a list",
                "{\"text\":\"a\",\"tags\":\"b\"}        | wrong-type    | tags must be a list, but was \"b\"",
                "{\"text\":\"a\",\"tags\":[\"b\",1]}    | wrong-type    | tags[1] must be a string, but was 1",
                "{\"text\":\"a\",\"tags\":[null]}       | wrong-type    | tags[0] must be a string, but was null",
                "{\"text\":\"a\",\"event_time\":\"now\"} | wrong-value  | event_time must be a time in RFC 3339",
                "{\"text\":\"a\\ud800b\"}               | wrong-value   | \\ud800 at character 1",
                "{\"text\":\"\"}                        | missing-field | text is required",
                "{\"tags\":[]}                          | missing-field | text is required",
                "[{\"text\":\"a\"}]                     | wrong-type    | The value must be a JSON object, but was a list",
                "{\"text\":\"a\"                        | unreadable    | Not JSON at line 1",
                "{'text':'a'}                           | unreadable    | Not JSON at line 1, column 2",
                "{\"text\":NaN}                         | unreadable    | Not JSON at line 1",
                "nonsense                               | unreadable    | Not JSON at line 1"
            })
    void jsonThatIsNotADocumentIsRefusedWithFieldAndValue(String json, String code, String reason) {
        Reading<Document> reading = Readers.documents().read(json.getBytes(UTF_8), headers("application/json"));
        assertThat(code(reading)).isEqualTo(code);
        assertThat(reason(reading)).contains(reason);
    }

    @Test
    void feedbackOfAPlainClientNeedsNoId() {
        String json = "{\"turn_id\":\"t\",\"thumb\":{\"completion_id\":\"t/0\",\"up\":true}}";
        assertThat(accepted(Readers.feedback().read(json.getBytes(UTF_8), headers("application/json")))
                        .getFeedbackId())
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"rating\":{\"completion_id\":\"c/0\",\"stars\":\"x\"} | rating.stars must be a whole number from -2147483648 to 2147483647, but was \"x\"",
                "\"rating\":{\"completion_id\":\"c/0\",\"stars\":2.5}   | rating.stars must be a whole number",
                "\"rating\":{\"completion_id\":\"c/0\",\"stars\":1e999999999} | rating.stars must be a whole number",
                "\"rating\":{\"completion_id\":\"c/0\",\"stars\":9}     | rating.stars must be from 1 to 5, but was 9",
                "\"thumb\":{\"completion_id\":\"c/0\",\"up\":\"yes\"}   | thumb.up must be true or false, but was \"yes\"",
                "\"thumb\":{\"completion_id\":\"c/0\"},\"comment\":{\"text\":\"a\"} | comment is there beside thumb. Expected: one of",
                "\"comparison\":{\"verdict\":\"A_WINS\"} | comparison.verdict must be one of VERDICT_UNSPECIFIED, A_BETTER",
                "\"comparison\":{\"completion_a\":\"c/0\",\"completion_b\":\"c/1\"} | comparison.verdict must be A_BETTER",
                "\"comparison\":{\"verdict\":1,\"completion_a\":\"c/0\",\"completion_b\":\"c/0\"} | another completion",
                "\"correction\":{\"completion_id\":\"c/0\"} | correction.corrected is required",
                "\"source\":\"x\" | one of thumb, rating, comparison"
            })
    void feedbackThatSaysNothingUsableIsRefusedWithFieldAndValue(String kind, String reason) {
        String json = "{\"feedback_id\":\"f\",\"turn_id\":\"t\"," + kind + "}";
        assertThat(reason(Readers.feedback().read(json.getBytes(UTF_8), headers("application/json"))))
                .contains(reason);
    }

    @Test
    void aSelfContainedComparisonNeedsNoTurnButAnythingElseDoes() {
        Feedback whole = Feedback.newBuilder()
                .setFeedbackId("f")
                .setComparison(Comparison.newBuilder()
                        .setVerdict(Comparison.Verdict.A_BETTER)
                        .setSelfContained(SelfContained.newBuilder()
                                .addMessages(
                                        ChatMessage.newBuilder().setRole("user").setContent("?"))
                                .setAnswerA("yes")
                                .setAnswerB("no")))
                .build();
        Feedback thumb = Feedback.newBuilder()
                .setFeedbackId("f")
                .setThumb(Thumb.newBuilder().setCompletionId("c/0"))
                .build();
        assertThat(accepted(Readers.feedback().read(whole.toByteArray(), new RecordHeaders())))
                .isEqualTo(whole);
        assertThat(reason(Readers.feedback().read(thumb.toByteArray(), new RecordHeaders())))
                .startsWith("turn_id is required");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}                                                                    | messages or text_target is required",
                "{\"messages\":[{\"role\":\"robot\",\"content\":\"a\"}]}               | messages[0].role must be system, user or assistant, but was \"robot\"",
                "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}                | role assistant",
                "{\"text_target\":{\"text\":\"a\"}}                                    | text_target.labels or text_target.score",
                "{\"text_target\":{\"text\":\"a\",\"score\":\"NaN\"}}                  | text_target.score must be a finite number",
                "{\"text_target\":{\"text\":\"a\",\"labels\":[\"b\",\" \\t\"]}}            | text_target.labels[1] must be a label, not blank, but was \"",
                "{\"text_target\":{\"text\":\"a\",\"score\":1},\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]} | either messages or text_target"
            })
    void aDemonstrationWithNothingToLearnIsRefused(String json, String reason) {
        assertThat(reason(Readers.demonstrations().readJson(json))).contains(reason);
    }

    @Test
    void aSequenceOfLabelsNeedsALabelOrAFiniteScore() {
        TokenSequence nothing = TokenSequence.newBuilder()
                .setExampleId("e")
                .addIds(7)
                .setObjective(TokenSequence.Objective.LABELS)
                .build();
        assertThat(reason(read(nothing))).startsWith("labels or score is required");
        for (double score : new double[] {Double.NaN, Double.NEGATIVE_INFINITY}) {
            TokenSequence beyond =
                    nothing.toBuilder().addLabels("a").setScore(score).build();
            assertThat(reason(read(beyond))).startsWith("score must be a finite number, but was " + score);
        }

        TokenSequence labelled = nothing.toBuilder().addLabels("a").build();
        TokenSequence scored = nothing.toBuilder().setScore(0).build();
        assertThat(accepted(read(labelled))).isEqualTo(labelled);
        assertThat(accepted(read(scored))).isEqualTo(scored);
    }

    private static Reading<TokenSequence> read(TokenSequence sequence) {
        return Readers.tokenSequences().read(sequence.toByteArray(), new RecordHeaders());
    }

    @Test
    void aRefusalSaysFieldValueAndWhatIsExpectedOneByOne() {
        assertThat(Readers.documents().readJson("{\"text\":\"a\",\"tags\":[5]}"))
                .isEqualTo(new Reading.Refused<Document>(
                        "wrong-type", "tags[0] must be a string, but was 5.", "tags[0]", "5", "a string"));
    }

    @Test
    void nestingWithoutEndIsRefused() {
        String deep = "{\"tags\":" + "[".repeat(100_000);
        assertThat(code(Readers.documents().readJson(deep))).isIn("unreadable", "wrong-type");
        byte[] groups = new byte[100_000]; // the tag of a group that starts in itself, field 20
        for (int i = 0; i < groups.length; i += 2) {
            groups[i] = (byte) 0xa3;
            groups[i + 1] = 1;
        }
        assertThat(code(Readers.documents().read(groups, new RecordHeaders()))).isEqualTo("unreadable");
    }

    @Test
    void textThatIsNotUtf8IsRefusedAtItsByte() {
        byte[] latin = {'{', '"', 't', 'e', 'x', 't', '"', ':', '"', (byte) 0xe9, '"', '}'};
        assertThat(reason(Readers.documents().read(latin, headers("application/json"))))
                .isEqualTo("The text is not UTF-8 at byte 9 of 12. Expected: UTF-8.");
    }

    @Test
    void bytesThatParseButSayNothingAreRefused() {
        byte[] unknownField = {(byte) 0xf8, 1, 7}; // field 31 = 7
        assertThat(reason(Readers.documents().read(unknownField, new RecordHeaders())))
                .isEqualTo("text is required, but is absent or empty.");
    }

    @Test
    void anUnknownFieldOfALaterReleaseDoesNotHarmProtobuf() {
        byte[] later = join(DOCUMENT.toByteArray(), new byte[] {(byte) 0xf8, 1, 7});
        assertThat(accepted(Readers.documents().read(later, new RecordHeaders()))
                        .getText())
                .isEqualTo(DOCUMENT.getText());
    }

    @Test
    void whateverTheBytesAreTheAnswerIsAReading() throws InvalidProtocolBufferException {
        long seed = 20261123;
        Random random = new Random(seed);
        List<Message> seeds = List.of(
                DOCUMENT,
                Feedback.newBuilder()
                        .setFeedbackId("f-1")
                        .setTurnId("t-1")
                        .setThumb(Thumb.newBuilder().setCompletionId("c/0").setUp(true))
                        .build());
        List<RecordReader<? extends Message>> readers = List.of(
                Readers.documents(),
                Readers.demonstrations(),
                Readers.prompts(),
                Readers.completions(),
                Readers.feedback(),
                Readers.preferences(),
                Readers.tokenSequences(),
                Readers.checkpoints(),
                Readers.rounds(),
                Readers.commands(),
                Readers.rejected(),
                Readers.erasures());
        List<Headers> forms = List.of(new RecordHeaders(), headers("application/json"), headers("a/b"));
        for (int i = 0; i < 20_000; i++) {
            Message message = seeds.get(random.nextInt(seeds.size()));
            byte[] bytes = random.nextBoolean()
                    ? message.toByteArray()
                    : JsonFormat.printer().print(message).getBytes(UTF_8);
            byte[] mutated = mutate(bytes, random);
            Headers form = forms.get(random.nextInt(forms.size()));
            RecordReader<? extends Message> reader = readers.get(random.nextInt(readers.size()));
            assertThat(reader.read(mutated, form))
                    .as("case %d of seed %d", i, seed)
                    .isNotNull();
        }
    }

    @Test
    void anErasureNamesOneThing() {
        assertThat(accepted(Readers.erasures().readJson("{\"document_id\":\"d-1\",\"reason\":\"asked\"}"))
                        .getDocumentId())
                .isEqualTo("d-1");
        assertThat(reason(Readers.erasures().readJson("{\"reason\":\"asked\"}")))
                .isEqualTo("one of subject, document_id and source is required, but is absent or empty.");
        assertThat(reason(Readers.erasures().readJson("{\"subject\":\"anna\",\"source\":\"diary\"}")))
                .isEqualTo("An erasure must be of one of subject, document_id and source, but was subject and source.");
    }

    private static byte[] mutate(byte[] bytes, Random random) {
        List<Byte> list = new ArrayList<>();
        for (byte b : random.nextInt(10) == 0
                ? random.ints(random.nextInt(64), 0, 256)
                        .collect(ByteArrayOutputStream::new, ByteArrayOutputStream::write, (a, b) -> {})
                        .toByteArray()
                : bytes) {
            list.add(b);
        }
        for (int n = random.nextInt(4); n >= 0 && !list.isEmpty(); n--) {
            int at = random.nextInt(list.size());
            switch (random.nextInt(4)) {
                case 0 -> list.set(at, (byte) random.nextInt(256));
                case 1 -> list.remove(at);
                case 2 -> list.add(at, (byte) random.nextInt(256));
                default -> list.subList(at, list.size()).clear();
            }
        }
        byte[] result = new byte[list.size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = list.get(i);
        }
        return result;
    }

    private static byte[] join(byte[] first, byte[] second) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(first);
        out.writeBytes(second);
        return out.toByteArray();
    }

    private static Headers headers(String contentType) {
        return new RecordHeaders().add("content-type", contentType.getBytes(UTF_8));
    }

    private static <M> M accepted(Reading<M> reading) {
        assertThat(reading).isInstanceOf(Reading.Accepted.class);
        return ((Reading.Accepted<M>) reading).message();
    }

    private static String code(Reading<?> reading) {
        assertThat(reading).isInstanceOf(Reading.Refused.class);
        return ((Reading.Refused<?>) reading).code();
    }

    private static String reason(Reading<?> reading) {
        assertThat(reading).isInstanceOf(Reading.Refused.class);
        return ((Reading.Refused<?>) reading).reason();
    }
}
