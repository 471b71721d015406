package io.tidemill.trainer.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.tidemill.model.engine.FinishReason;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.trainer.reward.HttpReward.Patience;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HttpRewardTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant NOW = Instant.parse("2026-01-31T12:00:00Z");

    private interface Reply {
        void to(HttpExchange exchange) throws IOException;
    }

    private final Queue<Reply> replies = new ConcurrentLinkedQueue<>();
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    private final List<String> authorizations = Collections.synchronizedList(new ArrayList<>());
    private final List<Duration> pauses = new ArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpServer server;
    private URI url;

    @BeforeEach
    void listen() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/judge", exchange -> {
            try (exchange) {
                requests.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
                authorizations.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
                replies.remove().to(exchange);
            }
        });
        server.start();
        url = URI.create("http://localhost:" + server.getAddress().getPort() + "/judge");
    }

    @AfterEach
    void stop() {
        ended.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    private static Reply say(int status, String body, String... headers) {
        return exchange -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
            }
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
        };
    }

    private HttpReward reward(Duration timeout, int attempts, int batch, int maxBytes) {
        return new HttpReward(
                url,
                Optional.empty(),
                new Patience(timeout, attempts, Duration.ofSeconds(1), Duration.ofSeconds(60)),
                batch,
                maxBytes,
                HttpClient.newHttpClient(),
                pauses::add,
                Clock.fixed(NOW, ZoneOffset.UTC));
    }

    private HttpReward patient() {
        return reward(Duration.ofSeconds(30), 4, 64, 10_000);
    }

    private static List<GivenAnswer> answers(int count) {
        List<GivenAnswer> answers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            answers.add(new GivenAnswer(
                    "prompt-" + i,
                    List.of(ChatMessage.system("s"), ChatMessage.user("2+2?")),
                    Map.of("b", "2", "a", "1"),
                    "“4” " + i,
                    new int[] {1, 2, 3},
                    i == 0 ? FinishReason.STOP : FinishReason.LENGTH));
        }
        return answers;
    }

    @Test
    void aBatchIsSentAsDocumentedAndANumberEachComesBack() throws IOException {
        replies.add(say(200, "{\"rewards\": [0.5, null, -3], \"note\": \"more is fine\"}"));
        assertThat(patient().judge(answers(3)))
                .containsExactly(OptionalDouble.of(0.5), OptionalDouble.empty(), OptionalDouble.of(-3));
        assertThat(JSON.readTree(requests.get(0)).get("version").intValue()).isEqualTo(1);
        assertThat(JSON.readTree(requests.get(0)).get("answers").get(1))
                .isEqualTo(
                        JSON.readTree(
                                """
                        {"prompt_id": "prompt-1",
                         "prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "2+2?"}],
                         "answer": "“4” 1", "tokens": 3, "finish_reason": "length",
                         "reward_data": {"a": "1", "b": "2"}}"""));
    }

    @Test
    void manyAnswersGoInSeveralRequestsInOrder() {
        replies.add(say(200, "{\"rewards\": [0, 1]}"));
        replies.add(say(200, "{\"rewards\": [2, 3]}"));
        replies.add(say(200, "{\"rewards\": [4]}"));
        assertThat(reward(Duration.ofSeconds(30), 1, 2, 10_000).judge(answers(5)))
                .extracting(OptionalDouble::getAsDouble)
                .containsExactly(0.0, 1.0, 2.0, 3.0, 4.0);
        assertThat(requests.get(1)).contains("prompt-2", "prompt-3").doesNotContain("prompt-1", "prompt-4");
    }

    @Test
    void whatMayPassIsTriedAgainAfterPausesThatDouble() {
        replies.add(say(500, "oops"));
        replies.add(say(503, ""));
        replies.add(say(429, "slow down"));
        replies.add(say(200, "{\"rewards\": [1]}"));
        assertThat(patient().judge(answers(1))).containsExactly(OptionalDouble.of(1));
        assertThat(pauses).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2), Duration.ofSeconds(4));
    }

    @Test
    void theEndpointMayAskForALongerPauseInSecondsOrByDate() {
        replies.add(say(503, "", "Retry-After", "17"));
        replies.add(say(503, "", "Retry-After", "Sat, 31 Jan 2026 12:00:30 GMT"));
        replies.add(say(503, "", "Retry-After", "soon"));
        replies.add(say(200, "{\"rewards\": [1]}"));
        patient().judge(answers(1));
        assertThat(pauses).containsExactly(Duration.ofSeconds(17), Duration.ofSeconds(30), Duration.ofSeconds(4));
    }

    @Test
    void anEndpointThatAsksForTooLongIsGivenUp() {
        replies.add(say(503, "", "Retry-After", "3600"));
        assertThatThrownBy(() -> patient().judge(answers(1)))
                .isInstanceOf(RewardException.class)
                .hasMessageContaining("in 1 attempts")
                .hasMessageContaining("it asks for 3600 s, longer than longest-pause");
        assertThat(pauses).isEmpty();
    }

    @Test
    void anEndpointThatStaysDownIsNamedWithWhatItSaidAndWhatToDo() {
        replies.addAll(Collections.nCopies(4, say(500, "the model\nis  not loaded")));
        assertThatThrownBy(() -> patient().judge(answers(2)))
                .isInstanceOf(RewardException.class)
                .hasMessage("Reward endpoint " + url + " did not judge 2 answers, the first to prompt prompt-0, in 4"
                        + " attempts; the last: status 500, the model is not loaded. See whether it runs, or raise timeout,"
                        + " attempts or pause; what was judged before is kept");
    }

    @Test
    void nobodyListeningIsTriedAgainToo() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 0, InetAddress.getLoopbackAddress())) {
            url = URI.create("http://localhost:" + free.getLocalPort() + "/");
        }
        assertThatThrownBy(() -> patient().judge(answers(1))).hasMessageContaining("in 4 attempts; the last: ");
        assertThat(pauses).hasSize(3);
    }

    /** Only the first reply never comes; on a busy machine others may be late too, and are then tried again as well. */
    @Test
    void anAnswerThatDoesNotComeInTimeIsTriedAgain() {
        replies.add(exchange -> await());
        replies.addAll(Collections.nCopies(100, say(200, "{\"rewards\": [1]}")));
        assertThat(reward(Duration.ofMillis(300), 100, 64, 10_000).judge(answers(1)))
                .containsExactly(OptionalDouble.of(1));
        assertThat(pauses).isNotEmpty().startsWith(Duration.ofSeconds(1));
    }

    @Test
    void aBodyThatStopsHalfwayCountsAgainstTheTimeToo() {
        replies.add(exchange -> {
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write("{\"rewards\"".getBytes(StandardCharsets.UTF_8));
            exchange.getResponseBody().flush();
            await();
        });
        assertThatThrownBy(() -> reward(Duration.ofMillis(300), 1, 64, 10_000).judge(answers(1)))
                .hasMessageContaining("no whole answer within 300 ms");
    }

    private void await() {
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aRequestThatIsWrongIsNotRepeated() {
        replies.add(say(422, "unknown field version"));
        assertThatThrownBy(() -> patient().judge(answers(1)))
                .hasMessage("Reward endpoint " + url + " refused the request with status 422, unknown field version."
                        + " Expected is 200; docs/rewards.md has the form of request and response");
        assertThat(requests).hasSize(1);
    }

    @Test
    void aResponseThatCannotBeUsedSaysWhatWasReceived() {
        Map<String, String> bad = Map.of(
                "[1, 2", "answered 200 with no JSON: ",
                "{\"rewards\": [1, 2]} x", "answered 200 with no JSON: ",
                "{\"rewards\": [1, 2], \"rewards\": [1, 2]}", "answered 200 with no JSON: Duplicate field 'rewards'",
                "", "no object with a list \"rewards\". Received: an empty body",
                "{\"scores\": [1, 2]}", "no object with a list \"rewards\". Received: {\"scores\": [1, 2]}",
                "{\"rewards\": [1]}", "1 rewards for 2 answers, the first to prompt prompt-0",
                "{\"rewards\": [1, \"2\"]}", "reward 1 for prompt prompt-1 is \"2\" and not a finite number or null",
                "{\"rewards\": [1, 1e999]}", "reward 1 for prompt prompt-1 is ",
                "{\"rewards\": [1, NaN]}", "answered 200 with no JSON: ");
        bad.forEach((body, message) -> {
            replies.add(say(200, body));
            assertThatThrownBy(() -> patient().judge(answers(2)))
                    .as(body)
                    .isInstanceOf(RewardException.class)
                    .hasMessageContaining("Reward endpoint " + url)
                    .hasMessageContaining(message);
        });
        assertThat(pauses).isEmpty();
    }

    @Test
    void aResponseWithoutEndIsCut() {
        replies.add(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            for (int i = 0; i < 1_000_000; i++) {
                exchange.getResponseBody().write(new byte[1000]); // ends with an error when the reader hangs up
            }
        });
        assertThatThrownBy(() -> patient().judge(answers(1)))
                .hasMessageContaining("more than 10000 bytes; raise max-response-bytes if that is right");
    }

    @Test
    void aTokenComesFromAFile(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("token"), "secret-7\n");
        replies.add(say(200, "{\"rewards\": [1]}"));
        Map<String, String> settings =
                Map.of("kind", "http", "url", url.toString(), "token-file", file.toString(), "name", "judge");
        assertThat(Rewards.of(List.of(settings)).judge(answers(1)).get(0).parts())
                .isEqualTo(Map.of("judge", 1.0));
        assertThat(authorizations).containsExactly("Bearer secret-7");
    }

    @Test
    void anInterruptedWaitEndsAndLeavesTheThreadInterrupted() {
        replies.add(exchange -> await());
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> patient().judge(answers(1)))
                .isInstanceOf(RewardException.class)
                .hasMessageContaining("Interrupted while waiting for reward endpoint");
        assertThat(Thread.interrupted()).isTrue();
    }
}
