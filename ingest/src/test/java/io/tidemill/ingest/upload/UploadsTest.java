package io.tidemill.ingest.upload;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import io.tidemill.proto.TopicCatalogue;
import io.tidemill.proto.v1.Document;
import io.tidemill.proto.v1.Erasure;
import io.tidemill.proto.v1.Feedback;
import io.tidemill.proto.v1.Principal;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UploadsTest {
    private static final String JSON = "application/json";
    private static final String NDJSON = "application/x-ndjson";
    private static final Intake<Document> DOCUMENTS = Intake.documents(new TopicCatalogue("t."));

    private final MemoryLog log = new MemoryLog();
    private Uploads uploads = uploads();

    @Test
    void oneObjectIsTakenUnderANewId() throws IOException {
        Answer answer = take(JSON, "{\"text\":\"The tide turns.\"}", null);
        assertThat(answer.status()).isEqualTo(202);
        assertThat(answer.body()).containsEntry("ids", List.of("new-1")).containsEntry("accepted", 1L);
        assertThat(log.kept).singleElement().satisfies(kept -> {
            assertThat(kept.topic()).isEqualTo("t.documents");
            assertThat(kept.key()).isEqualTo("new-1");
            assertThat(kept.message())
                    .isEqualTo(Document.newBuilder()
                            .setDocumentId("new-1")
                            .setText("The tide turns.")
                            .build());
        });
    }

    @Test
    void anArrayIsTakenWithTheIdsThatItsRecordsHave() throws IOException {
        Answer answer = take(JSON, "[{\"document_id\":\"d-1\",\"text\":\"a\"},{\"text\":\"b\"}]", null);
        assertThat(answer.body()).containsEntry("ids", List.of("d-1", "new-1")).containsEntry("accepted_lines", "1-2");
        assertThat(log.ids()).containsExactly("d-1", "new-1");
    }

    @Test
    void anErasureIsKeyedByWhatItErasesAndTellsWhenItWasAskedFor() throws IOException {
        Clock noon = Clock.fixed(Instant.ofEpochMilli(1_700_000_000_000L), ZoneOffset.UTC);
        String body = "[{\"subject\":\"anna\"},{\"document_id\":\"d-1\"},{\"source\":\"diary\"}]";
        Answer answer = uploads.take(
                Intake.erasures(new TopicCatalogue("t."), noon),
                new ByteArrayInputStream(body.getBytes(UTF_8)),
                JSON,
                null,
                null);
        assertThat(answer.body()).containsEntry("ids", List.of("new-1", "new-2", "new-3"));
        assertThat(log.kept)
                .extracting(MemoryLog.Kept::key)
                .containsExactly("subject/anna", "document/d-1", "source/diary");
        assertThat(log.kept.get(0).message())
                .isEqualTo(Erasure.newBuilder()
                        .setErasureId("new-1")
                        .setSubject("anna")
                        .setRequestedAt(Timestamp.newBuilder().setSeconds(1_700_000_000))
                        .build());
    }

    @Test
    void aPairFromElsewhereCarriesWhoSentItAndNotWhoItSays() throws IOException {
        Principal key = Principal.newBuilder()
                .setSubject("key:3f2a")
                .setAssurance(Principal.Assurance.API_KEY)
                .build();
        String pair = "{\"prompt\":\"Why?\",\"chosen\":\"Because.\",\"rejected\":\"No.\"}";
        for (Principal sender : List.of(key, Principal.getDefaultInstance())) {
            Intake<Feedback> intake = Intake.preferences(new TopicCatalogue("t."), sender);
            InputStream body = new ByteArrayInputStream(pair.getBytes(UTF_8));
            assertThat(uploads.take(intake, body, JSON, null, null).status()).isEqualTo(202);
        }
        assertThat(log.kept)
                .extracting(kept -> ((Feedback) kept.message()).getPrincipal())
                .containsExactly(key, Principal.getDefaultInstance());
    }

    @ParameterizedTest
    @CsvSource({"application/json", "application/x-ndjson"})
    void aBatchWithOneWrongRecordIsNotTakenAtAll(String type) throws IOException {
        String separator = type.equals(JSON) ? "," : "\n";
        String body = String.join(separator, "{\"text\":\"a\"}", "{\"text\":5}", "{\"txt\":\"c\"}");
        Answer answer = take(type, type.equals(JSON) ? "[" + body + "]" : body, null);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.mediaType()).isEqualTo("application/problem+json");
        assertThat(refusedLines(answer)).containsExactly(2L, 3L);
        assertThat(refused(answer).get(0))
                .containsEntry("field", "text")
                .containsEntry("value", "5")
                .containsEntry("expected", "a string");
        assertThat(log.kept).isEmpty();
    }

    @Test
    void aStreamIsTakenWhereItIsValidAndTheRestIsListed() throws IOException {
        String body = IntStream.rangeClosed(1, 30)
                .mapToObj(
                        i -> i % 10 == 0 ? "{\"text\":" + i + "}" : "{\"document_id\":\"d-" + i + "\",\"text\":\"a\"}")
                .collect(Collectors.joining("\n"));
        Answer answer = take(NDJSON, body, null);
        assertThat(answer.status()).isEqualTo(207);
        assertThat(answer.mediaType()).isEqualTo(JSON);
        assertThat(refusedLines(answer)).containsExactly(10L, 20L, 30L);
        assertThat(answer.body())
                .containsEntry("accepted", 27L)
                .containsEntry("accepted_lines", "1-9,11-19,21-29")
                .containsEntry("first_id", "d-1")
                .containsEntry("last_id", "d-29")
                .doesNotContainKey("ids");
        assertThat(log.kept).hasSize(27);
    }

    @Test
    void aLongArrayIsAStreamAsWell() throws IOException {
        String body =
                IntStream.range(0, 30).mapToObj(i -> "{\"text\":\"a\"}").collect(Collectors.joining(",", "[", ""));
        Answer answer = take(JSON, body, null);
        assertThat(answer.status()).isEqualTo(207);
        assertThat(answer.body()).containsEntry("accepted_lines", "1-29");
        assertThat(refused(answer)).singleElement().satisfies(refused -> assertThat(refused)
                .containsEntry("line", 30L)
                .containsEntry("expected", "a closing bracket"));
    }

    @Test
    void aStreamWithTooManyWrongLinesIsBrokenOffAndSaysWhere() throws IOException {
        String body = "{\"text\":\"a\"}\n".repeat(15) + "x\n".repeat(100) + "{\"text\":\"b\"}\n".repeat(5);
        Answer answer = take(NDJSON, body, null);
        assertThat(answer.status()).isEqualTo(207);
        assertThat(answer.refused()).isEqualTo(21);
        assertThat(answer.body()).containsEntry("accepted_lines", "1-15").containsEntry("stopped_at_line", 37L);
        assertThat(answer.bodyRead()).isFalse();
        assertThat(log.kept).hasSize(15);
    }

    @Test
    void nothingIsReadWhileTooManyRecordsAreUnderWay() throws IOException {
        log.answerAfter(4); // the limit of records under way: with a fifth the log would have seen more
        Answer answer = take(NDJSON, "{\"text\":\"a\"}\n".repeat(400), null);
        assertThat(answer.body()).containsEntry("accepted", 400L);
        assertThat(log.mostUnanswered).isEqualTo(4);
    }

    @Test
    void aRecordBeyondTheLimitIs413AndOthersOfItsStreamAreTaken() throws IOException {
        String large = "{\"text\":\"" + "x".repeat(2_000) + "\"}";
        Answer alone = take(JSON, large, null);
        assertThat(alone.status()).isEqualTo(413);
        assertThat(refused(alone).get(0))
                .containsEntry("value", "2011")
                .containsEntry("expected", "at most 1000 bytes")
                .containsEntry("code", "too-large");
        Answer stream = take(NDJSON, large + "\n" + "{\"text\":\"a\"}\n".repeat(20), null);
        assertThat(stream.status()).isEqualTo(207);
        assertThat(stream.body()).containsEntry("accepted_lines", "2-21");
    }

    @Test
    void whenTheBrokerIsAwayTheAnswerSaysWhichLinesAreKept() throws IOException {
        log.failFrom(2, new org.apache.kafka.common.errors.TimeoutException("no broker for 10 s"));
        Answer answer = take(JSON, "[{\"text\":\"a\"},{\"text\":\"b\"},{\"text\":\"c\"}]", null);
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.retryAfterSeconds()).contains(5);
        assertThat(answer.body())
                .containsEntry("accepted_lines", "1-2")
                .containsEntry("ids", List.of("new-1", "new-2"));
        assertThat(answer.body().get("detail"))
                .asString()
                .startsWith("no broker for 10 s. Kept for certain are the accepted lines.");
    }

    @Test
    void aRecordThatTheBrokerFindsTooLargeIs413() throws IOException {
        log.failFrom(0, new RecordTooLargeException("too large"));
        assertThat(take(JSON, "{\"text\":\"a\"}", null).status()).isEqualTo(413);
    }

    @Test
    void aRepeatUnderTheSameKeyIsAnsweredWithoutSendingAgain() throws IOException {
        Answer first = take(NDJSON, "{\"text\":\"a\"}\n{\"text\":\"b\"}", "key-1");
        Answer second = take(NDJSON, "{\"text\":\"a\"}\n{\"text\":\"b\"}", "key-1");
        assertThat(second.replayed()).isTrue();
        assertThat(second.body()).isEqualTo(first.body());
        assertThat(log.kept).hasSize(2).allSatisfy(kept -> assertThat(kept.idempotencyKey())
                .contains("key-1"));
    }

    @Test
    void afterARestartARepeatIsSentUnderTheSameIds() throws IOException {
        take(NDJSON, "{\"text\":\"a\"}\n{\"text\":\"b\"}", "key-1");
        uploads = uploads();
        take(NDJSON, "{\"text\":\"a\"}\n{\"text\":\"b\"}", "key-1");
        assertThat(log.ids()).hasSize(4);
        assertThat(log.ids().subList(2, 4)).isEqualTo(log.ids().subList(0, 2));
        assertThat(log.ids().get(0)).isNotEqualTo(log.ids().get(1));
    }

    @Test
    void anotherBodyUnderTheSameKeyIs422AndNothingOfItIsTaken() throws IOException {
        take(JSON, "{\"text\":\"a\"}", "key-1");
        Answer other = take(JSON, "{\"text\":\"b\"}", "key-1");
        assertThat(other.status()).isEqualTo(422);
        assertThat(log.kept).hasSize(1);
    }

    @Test
    void aKeyBelongsToItsPath() throws IOException {
        take(JSON, "{\"text\":\"a\"}", "key-1");
        Intake<?> prompts = Intake.prompts(new TopicCatalogue("t."));
        Answer answer = uploads.take(
                prompts, stream("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}"), JSON, null, "key-1");
        assertThat(answer.status()).isEqualTo(202);
        assertThat(log.ids()).doesNotHaveDuplicates().hasSize(2);
    }

    @Test
    void aRefusedRequestDoesNotUseUpItsKey() throws IOException {
        assertThat(take(JSON, "{\"txt\":\"a\"}", "key-1").status()).isEqualTo(400);
        assertThat(take(JSON, "{\"text\":\"a\"}", "key-1").status()).isEqualTo(202);
    }

    @Test
    void whatTheKeysForgetIsSentAgainUnderTheSameId() throws IOException {
        take(JSON, "{\"text\":\"a\"}", "key-0");
        for (int i = 1; i < 200; i++) {
            take(JSON, "{\"text\":\"a\"}", "key-" + i);
        }
        assertThat(take(JSON, "{\"text\":\"a\"}", "key-199").replayed()).isTrue();
        assertThat(take(JSON, "{\"text\":\"a\"}", "key-0").replayed()).isFalse();
        assertThat(log.ids().get(200)).isEqualTo(log.ids().get(0));
    }

    @Test
    void twoRequestsAtATimeUnderOneKeyAreNotBothTaken() throws Exception {
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        InputStream slow = new SequenceInputStream(waiting(reading, goOn), stream("{\"text\":\"a\"}"));
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            Future<Answer> first = other.submit(() -> uploads.take(DOCUMENTS, slow, JSON, null, "key-1"));
            assertThat(reading.await(10, TimeUnit.SECONDS)).isTrue();
            assertThat(take(JSON, "{\"text\":\"a\"}", "key-1").status()).isEqualTo(409);
            goOn.countDown();
            assertThat(first.get(10, TimeUnit.SECONDS).status()).isEqualTo(202);
        } finally {
            other.shutdownNow();
        }
    }

    @Test
    void moreUploadsThanThereArePlacesAreAskedToComeBack() throws Exception {
        CountDownLatch reading = new CountDownLatch(2);
        CountDownLatch goOn = new CountDownLatch(1);
        ExecutorService others = Executors.newFixedThreadPool(2);
        try {
            List<Future<Answer>> running = IntStream.range(0, 2)
                    .mapToObj(i -> others.submit(() -> uploads.take(
                            DOCUMENTS,
                            new SequenceInputStream(waiting(reading, goOn), stream("{\"text\":\"a\"}")),
                            JSON,
                            null,
                            null)))
                    .toList();
            assertThat(reading.await(10, TimeUnit.SECONDS)).isTrue();
            Answer third = take(JSON, "{\"text\":\"a\"}", null);
            assertThat(third.status()).isEqualTo(503);
            assertThat(third.retryAfterSeconds()).contains(1);
            goOn.countDown();
            for (Future<Answer> answer : running) {
                assertThat(statusOf(answer)).isEqualTo(202);
            }
        } finally {
            others.shutdownNow();
        }
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "null",
            value = {
                "text/csv, null",
                "null, null",
                "application/json, gzip",
                "application/json; charset=iso-8859-1, null"
            })
    void anotherContentTypeIs415(String type, String encoding) throws IOException {
        Answer answer = uploads.take(DOCUMENTS, stream("{\"text\":\"a\"}"), type, encoding, null);
        assertThat(answer.status()).isEqualTo(415);
        assertThat(answer.body().get("detail")).asString().contains("application/x-ndjson");
    }

    @Test
    void utf8MayBeNamed() throws IOException {
        assertThat(take("application/json; charset=\"UTF-8\"", "{\"text\":\"a\"}", null)
                        .status())
                .isEqualTo(202);
    }

    @ParameterizedTest
    @CsvSource({"''", "'  '", "[]"})
    void aBodyWithoutARecordIs400(String body) throws IOException {
        assertThat(take(JSON, body, null).status()).isEqualTo(400);
    }

    @Test
    void aBodyThatBreaksOffSaysWhatIsKept() throws IOException {
        InputStream breaking = new SequenceInputStream(stream("{\"text\":\"a\"}\n".repeat(20)), new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("connection reset");
            }

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                return read();
            }
        });
        Answer answer = uploads.take(DOCUMENTS, breaking, NDJSON, null, null);
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.body().get("detail")).asString().contains("connection reset");
        assertThat(answer.accepted()).isEqualTo(log.kept.size());
    }

    @Test
    void anIdThatIsTooLongIsRefused() throws IOException {
        Answer answer = take(JSON, "{\"document_id\":\"" + "x".repeat(600) + "\",\"text\":\"a\"}", null);
        assertThat(refused(answer).get(0))
                .containsEntry("field", "id")
                .containsEntry("expected", "at most 512 characters");
    }

    @Test
    void aKeyThatIsNoHeadersTextIs400() throws IOException {
        assertThat(take(JSON, "{\"text\":\"a\"}", "").status()).isEqualTo(400);
        assertThat(take(JSON, "{\"text\":\"a\"}", "é").status()).isEqualTo(400);
        assertThat(log.kept).isEmpty();
    }

    private Uploads uploads() {
        UploadLimits limits = new UploadLimits(1_000, 10, 100_000, 4, 100_000, 20, 2, Duration.ofSeconds(5));
        AtomicInteger ids = new AtomicInteger();
        return new Uploads(log, limits, new IdempotencyKeys(50_000), () -> "new-" + ids.incrementAndGet());
    }

    private Answer take(String type, String body, String key) throws IOException {
        return uploads.take(DOCUMENTS, stream(body), type, null, key);
    }

    @SuppressWarnings("unchecked") // the answer's own shape
    private static List<Map<String, Object>> refused(Answer answer) {
        return (List<Map<String, Object>>)
                Optional.ofNullable(answer.body().get("refused")).orElseThrow();
    }

    private static List<Object> refusedLines(Answer answer) {
        return refused(answer).stream().map(refused -> refused.get("line")).toList();
    }

    private static int statusOf(Future<Answer> answer)
            throws InterruptedException, ExecutionException, TimeoutException {
        return answer.get(10, TimeUnit.SECONDS).status();
    }

    private static InputStream stream(String body) {
        return new ByteArrayInputStream(body.getBytes(UTF_8));
    }

    /** An empty stream that says that it is being read and ends when it may. */
    private static InputStream waiting(CountDownLatch reading, CountDownLatch goOn) {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                reading.countDown();
                try {
                    if (!goOn.await(10, TimeUnit.SECONDS)) {
                        throw new IOException("nobody said to go on");
                    }
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
                return -1;
            }

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                return read();
            }
        };
    }
}
