package io.tidemill.trainer.reward;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.model.engine.FinishReason;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks an endpoint: POST of a batch of answers as JSON, a number each (or null) in return; {@code docs/rewards.md} has the
 * form. What may pass by itself (no connection, no answer in time, a broken connection, status 408, 425, 429 and 5xx but
 * 501 and 505) is tried again, after a pause that doubles, or after what {@code Retry-After} asks for; anything else is an
 * error at once.
 */
final class HttpReward implements Reward {
    private static final Logger LOG = LoggerFactory.getLogger(HttpReward.class);
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final int SHOWN_CHARACTERS = 200;

    /**
     * When to give up, and how long to wait before that.
     *
     * @param timeout  of one attempt, from connecting to the last byte
     * @param attempts at most, the first included
     * @param pause    after the first attempt; twice as long after each further one
     * @param longest  a pause is never longer; an endpoint that asks for more is given up
     */
    record Patience(Duration timeout, int attempts, Duration pause, Duration longest) {
        /** After the n-th attempt, from 1. */
        Duration pauseAfter(int attempt) {
            Duration doubled = pause.multipliedBy(1L << Math.min(30, attempt - 1));
            return doubled.compareTo(longest) < 0 ? doubled : longest;
        }
    }

    /** Waits. */
    @FunctionalInterface
    interface Sleeper {
        void sleep(Duration duration) throws InterruptedException;
    }

    private final URI url;
    private final Optional<String> bearer;
    private final Patience patience;
    private final int batch;
    private final int maxBytes;
    private final HttpClient client;
    private final Sleeper sleeper;
    private final Clock clock;

    /**
     * @param bearer   token for the header {@code Authorization}
     * @param batch    answers of one request at most
     * @param maxBytes of a response; a longer one is refused
     */
    HttpReward(
            URI url,
            Optional<String> bearer,
            Patience patience,
            int batch,
            int maxBytes,
            HttpClient client,
            Sleeper sleeper,
            Clock clock) {
        this.url = url;
        this.bearer = bearer;
        this.patience = patience;
        this.batch = batch;
        this.maxBytes = maxBytes;
        this.client = client;
        this.sleeper = sleeper;
        this.clock = clock;
    }

    static HttpReward of(Parameters parameters) {
        URI url = url(parameters);
        Duration timeout = parameters.duration("timeout", Duration.ofSeconds(30));
        if (timeout.isZero()) {
            throw parameters.wrong("timeout", "more than nothing", "0");
        }
        Patience patience = new Patience(
                timeout,
                parameters.whole("attempts", 4, 1, 100),
                parameters.duration("pause", Duration.ofSeconds(1)),
                parameters.duration("longest-pause", Duration.ofMinutes(1)));
        return new HttpReward(
                url,
                parameters.text("token-file").map(file -> token(parameters, file)),
                patience,
                parameters.whole("batch", 64, 1, 100_000),
                parameters.whole("max-response-bytes", 1 << 20, 1, 1 << 30),
                HttpClient.newBuilder().connectTimeout(timeout).build(),
                duration -> Thread.sleep(duration.toMillis()),
                Clock.systemUTC());
    }

    private static URI url(Parameters parameters) {
        String text = parameters.required("url", "where answers are judged, http:// or https://");
        try {
            URI url = new URI(text);
            boolean http = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
            if (http && url.getHost() != null && url.getUserInfo() == null) {
                return url;
            }
        } catch (URISyntaxException e) {
            // said below
        }
        throw parameters.wrong("url", "http:// or https:// with a host, and without a password (use token-file)", text);
    }

    private static String token(Parameters parameters, String file) {
        try {
            String token = Files.readString(Path.of(file)).strip();
            if (!token.isEmpty() && token.chars().allMatch(c -> c > ' ' && c < 127)) {
                return token;
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "The token of a reward endpoint cannot be read from " + file + ": " + e, e);
        }
        throw parameters.wrong("token-file", "a file with one token of printable ASCII", file);
    }

    @Override
    public List<OptionalDouble> judge(List<GivenAnswer> answers) {
        List<OptionalDouble> opinions = new ArrayList<>();
        for (int from = 0; from < answers.size(); from += batch) {
            opinions.addAll(ask(answers.subList(from, Math.min(answers.size(), from + batch))));
        }
        return opinions;
    }

    // ---- asking -----------------------------------------------------------------------------------------------------

    /** Why an attempt gave nothing, and for how long the endpoint asks to be left alone. */
    private record Failure(String reason, Optional<Duration> retryAfter, Throwable cause) {}

    private List<OptionalDouble> ask(List<GivenAnswer> answers) {
        HttpRequest request = request(body(answers));
        for (int attempt = 1; ; attempt++) {
            Failure failure;
            try {
                HttpResponse<Bounded.Body> response = exchange(request);
                if (response.statusCode() == 200) {
                    return opinions(response.body(), answers);
                }
                failure = refused(response);
            } catch (IOException e) {
                failure = new Failure(reason(e), Optional.empty(), e);
            }
            Duration pause = patience.pauseAfter(attempt);
            Duration asked = failure.retryAfter().orElse(Duration.ZERO);
            if (attempt == patience.attempts() || asked.compareTo(patience.longest()) > 0) {
                throw new RewardException(
                        "Reward endpoint " + url + " did not judge " + answers.size() + " answers, the first to prompt "
                                + answers.get(0).promptId() + ", in " + attempt + " attempts; the last: "
                                + failure.reason()
                                + (attempt < patience.attempts()
                                        ? ", and it asks for " + asked.toSeconds() + " s, longer than longest-pause"
                                        : "")
                                + ". See whether it runs, or raise timeout, attempts or pause; what was judged before"
                                + " is kept",
                        failure.cause());
            }
            Duration wait = asked.compareTo(pause) > 0 ? asked : pause;
            LOG.warn(
                    "reward_endpoint={} attempt={} of={} wait_ms={} reason={}",
                    url,
                    attempt,
                    patience.attempts(),
                    wait.toMillis(),
                    failure.reason());
            pause(wait);
        }
    }

    private HttpRequest request(String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(url)
                .header("Content-Type", "application/json")
                .header("Accept", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body, StandardCharsets.UTF_8));
        bearer.ifPresent(token -> request.header("Authorization", "Bearer " + token));
        return request.build();
    }

    /** The client's own timeout ends with the headers; this one ends with the last byte. */
    private HttpResponse<Bounded.Body> exchange(HttpRequest request) throws IOException {
        CompletableFuture<HttpResponse<Bounded.Body>> future = client.sendAsync(request, info -> new Bounded(maxBytes));
        try {
            return future.get(patience.timeout().toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IOException("no whole answer within " + patience.timeout().toMillis() + " ms", e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            throw new IOException(String.valueOf(e.getCause()), e.getCause());
        } finally {
            future.cancel(true);
        }
    }

    private void pause(Duration wait) {
        try {
            sleeper.sleep(wait);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private RewardException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new RewardException("Interrupted while waiting for reward endpoint " + url, e);
    }

    private static String reason(IOException e) {
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private Failure refused(HttpResponse<Bounded.Body> response) {
        int status = response.statusCode();
        String reason = "status " + status + ", " + response.body().shown(SHOWN_CHARACTERS);
        boolean passing = status == 408 || status == 425 || status == 429;
        passing |= status >= 500 && status != 501 && status != 505;
        if (!passing) {
            throw new RewardException("Reward endpoint " + url + " refused the request with " + reason
                    + ". Expected is 200; docs/rewards.md has the form of request and response");
        }
        return new Failure(reason, retryAfter(response.headers()), null);
    }

    /** Seconds, or a date (RFC 9110, section 10.2.3); what cannot be read is as if it were not there. */
    private Optional<Duration> retryAfter(HttpHeaders headers) {
        return headers.firstValue("Retry-After").flatMap(value -> {
            try {
                if (value.strip().matches("[0-9]{1,9}")) {
                    return Optional.of(Duration.ofSeconds(Long.parseLong(value.strip())));
                }
                Instant when = ZonedDateTime.parse(
                                value.strip(), DateTimeFormatter.RFC_1123_DATE_TIME.withLocale(Locale.ROOT))
                        .toInstant();
                Duration wait = Duration.between(clock.instant(), when);
                return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
            } catch (DateTimeException e) {
                return Optional.empty();
            }
        });
    }

    // ---- JSON -------------------------------------------------------------------------------------------------------

    private static String body(List<GivenAnswer> answers) {
        ObjectNode root = JSON.createObjectNode();
        root.put("version", 1);
        ArrayNode list = root.putArray("answers");
        for (GivenAnswer answer : answers) {
            ObjectNode each = list.addObject();
            each.put("prompt_id", answer.promptId());
            ArrayNode prompt = each.putArray("prompt");
            answer.prompt()
                    .forEach(message ->
                            prompt.addObject().put("role", message.role()).put("content", message.content()));
            each.put("answer", answer.text());
            each.put("tokens", answer.tokens().length);
            each.put("finish_reason", answer.finish() == FinishReason.STOP ? "stop" : "length");
            ObjectNode data = each.putObject("reward_data");
            answer.rewardData().entrySet().stream()
                    .sorted(Map.Entry.comparingByKey())
                    .forEach(entry -> data.put(entry.getKey(), entry.getValue()));
        }
        try {
            return JSON.writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Answers could not be written as JSON: " + e.getMessage(), e);
        }
    }

    private List<OptionalDouble> opinions(Bounded.Body body, List<GivenAnswer> answers) {
        if (body.cut()) {
            throw unreadable("more than " + maxBytes + " bytes; raise max-response-bytes if that is right", body);
        }
        JsonNode root;
        try {
            root = JSON.readTree(body.bytes());
        } catch (IOException e) {
            throw unreadable("no JSON: " + firstLine(e), body);
        }
        JsonNode rewards = root == null ? null : root.get("rewards");
        if (rewards == null || !rewards.isArray()) {
            throw unreadable("no object with a list \"rewards\"", body);
        }
        if (rewards.size() != answers.size()) {
            throw unreadable(
                    rewards.size() + " rewards for " + answers.size() + " answers, the first to prompt "
                            + answers.get(0).promptId(),
                    body);
        }
        List<OptionalDouble> opinions = new ArrayList<>();
        for (int i = 0; i < rewards.size(); i++) {
            JsonNode reward = rewards.get(i);
            boolean number = reward.isNumber() && Double.isFinite(reward.doubleValue());
            if (!number && !reward.isNull()) {
                throw unreadable(
                        "reward " + i + " for prompt " + answers.get(i).promptId() + " is " + reward
                                + " and not a finite number or null",
                        body);
            }
            opinions.add(number ? OptionalDouble.of(reward.doubleValue()) : OptionalDouble.empty());
        }
        return opinions;
    }

    private RewardException unreadable(String what, Bounded.Body body) {
        return new RewardException("Reward endpoint " + url + " answered 200 with " + what + ". Received: "
                + body.shown(SHOWN_CHARACTERS) + ". docs/rewards.md has the form of the response");
    }

    private static String firstLine(IOException e) {
        return e instanceof JsonProcessingException json ? json.getOriginalMessage() : reason(e);
    }
}
