package io.tidemill.model.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Optional;

/**
 * What is asked of a hub, and what its refusals mean.
 *
 * <p>Source: huggingface.co/docs/hub/api, and the library huggingface_hub: {@code /api/models/ID/revision/REVISION},
 * {@code /ID/resolve/REVISION/FILE}, the header {@code X-Error-Code}.
 */
final class HubClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_LIST_BYTES = 32 << 20;

    private final URI endpoint;
    private final boolean hasToken;
    private final Redirects http;

    /**
     * A client that keeps no state.
     *
     * @param endpoint base address, such as {@code https://huggingface.co}
     * @param token    sent to this host only
     * @param patience for the headers of an answer
     * @throws IllegalArgumentException for an endpoint or a token that cannot be used; the token is not in the message
     */
    HubClient(URI endpoint, Optional<String> token, Duration patience) {
        boolean web = "https".equalsIgnoreCase(endpoint.getScheme()) || "http".equalsIgnoreCase(endpoint.getScheme());
        if (!web
                || endpoint.getHost() == null
                || endpoint.getRawUserInfo() != null
                || endpoint.getRawQuery() != null
                || endpoint.getRawFragment() != null) {
            throw new IllegalArgumentException("The hub's address must be like https://huggingface.co, without user or"
                    + " query, but its host is " + endpoint.getHost() + " and its scheme " + endpoint.getScheme());
        }
        Optional<String> secret = token.map(String::strip).filter(text -> !text.isEmpty());
        if (secret.isPresent() && !secret.get().matches("[\\x21-\\x7e]{1,4096}")) {
            throw new IllegalArgumentException("HF_TOKEN has characters that no token has");
        }
        if (secret.isPresent() && "http".equalsIgnoreCase(endpoint.getScheme()) && !isLoopback(endpoint.getHost())) {
            throw new IllegalArgumentException("HF_TOKEN would go to " + Redirects.host(endpoint)
                    + " without encryption; use https, or unset HF_TOKEN");
        }
        String base = endpoint.toString();
        this.endpoint = URI.create(base.endsWith("/") ? base : base + "/");
        this.hasToken = secret.isPresent();
        this.http = new Redirects(this.endpoint, secret, patience);
    }

    private static boolean isLoopback(String host) {
        try {
            return host.equalsIgnoreCase("localhost")
                    || (host.matches("127(\\.\\d{1,3}){3}|\\[[0-9a-fA-F:]+]")
                            && InetAddress.getByName(host).isLoopbackAddress());
        } catch (UnknownHostException e) {
            return false;
        }
    }

    String endpoint() {
        return endpoint.toString();
    }

    /** The files of a revision, which may be a branch, a tag or a commit. */
    HubListing listing(ModelId model, String revision) throws IOException {
        URI address = endpoint.resolve("api/models/" + model + "/revision/" + escaped(revision) + "?blobs=true");
        HttpResponse<InputStream> response = http.get(address, Map.of("Accept", "application/json"));
        try (InputStream body = response.body()) {
            if (response.statusCode() != 200) {
                throw refusal(response, model, "revision " + Names.shown(revision));
            }
            byte[] json;
            try {
                json = body.readNBytes(MOST_LIST_BYTES + 1);
            } catch (IOException e) {
                throw new TryLaterException("The list of " + model + " broke off", e);
            }
            if (json.length > MOST_LIST_BYTES) {
                throw new HubException("The list of " + model + " is longer than " + MOST_LIST_BYTES + " bytes");
            }
            return HubListing.parse(model, revision, tree(model, json));
        }
    }

    private JsonNode tree(ModelId model, byte[] json) throws IOException {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new HubException(
                    Redirects.host(endpoint) + " answers for " + model
                            + " with something else than JSON; is that address a hub?",
                    e);
        }
    }

    /** Opens a file; statuses 200, 206 and 416 are the caller's to understand. */
    HttpResponse<InputStream> open(ModelId model, String commit, String file, Map<String, String> headers)
            throws IOException {
        HttpResponse<InputStream> response =
                http.get(endpoint.resolve(model + "/resolve/" + escaped(commit) + "/" + file), headers);
        int status = response.statusCode();
        if (status != 200 && status != 206 && status != 416) {
            try (InputStream body = response.body()) {
                throw refusal(response, model, file);
            }
        }
        return response;
    }

    private static String escaped(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private IOException refusal(HttpResponse<?> response, ModelId model, String what) {
        String code = response.headers().firstValue("x-error-code").orElse("");
        String host = Redirects.host(response.uri());
        return switch (response.statusCode()) {
            case 401 ->
                new HubException(
                        hasToken && !code.equals("RepoNotFound")
                                ? host + " does not accept the token in HF_TOKEN for " + model
                                : model + " is not at " + host + ", or it is private: "
                                        + (hasToken
                                                ? "the token in HF_TOKEN does not open it"
                                                : "HF_TOKEN must hold a token that opens it"));
            case 403 ->
                new HubException(model + " is closed to you at " + host + ": accept its terms at " + endpoint + model
                        + (hasToken
                                ? " with the account of HF_TOKEN, and see that the token may read gated models"
                                : ", and put a token of yours into HF_TOKEN"));
            case 404 ->
                new HubException(
                        code.equals("RevisionNotFound") || code.equals("EntryNotFound")
                                ? model + " has no " + what + " at " + host
                                : model + " is not at " + host + ", or it has no " + what);
            case 429 ->
                new TryLaterException(
                        host + " asks to be left alone for a while (status 429)"
                                + (hasToken ? "" : "; with a token in HF_TOKEN it allows more"),
                        retryAfter(response));
            case 408, 500, 502, 503, 504 ->
                new TryLaterException(
                        host + " cannot answer now (status " + response.statusCode() + ")", retryAfter(response));
            default ->
                new HubException(
                        host + " answers with status " + response.statusCode() + " for " + what + " of " + model
                                + response.headers()
                                        .firstValue("x-error-message")
                                        .map(message -> ": " + Names.shown(message))
                                        .orElse(""));
        };
    }

    private static Optional<Duration> retryAfter(HttpResponse<?> response) {
        return response.headers()
                .firstValue("retry-after")
                .flatMap(value -> retryAfter(value.strip(), response.headers().firstValue("date")));
    }

    /**
     * How long to wait.
     *
     * @param value seconds, or a date
     * @param date  the server's own, by which the other is measured
     */
    static Optional<Duration> retryAfter(String value, Optional<String> date) {
        if (value.matches("\\d{1,9}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(value)));
        }
        try {
            Instant then = instant(value);
            Instant now = date.isPresent() ? instant(date.get()) : Instant.now();
            return Optional.of(now.isBefore(then) ? Duration.between(now, then) : Duration.ZERO);
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    private static Instant instant(String date) {
        return ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
    }
}
