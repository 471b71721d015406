package io.tidemill.model.hub;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * GET requests that follow redirects by hand: the token goes to the hub alone, whatever addresses it names, and no
 * answer leads from HTTPS to something less.
 */
final class Redirects {
    private static final int MOST_HOPS = 8;
    private static final Set<Integer> MOVED = Set.of(301, 302, 303, 307, 308);
    private static final Duration CONNECT = Duration.ofSeconds(15);

    private final HttpClient http = HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT)
            .build();
    private final URI hub;
    private final Optional<String> token;
    private final Duration patience;

    /** @param patience for the headers of an answer */
    Redirects(URI hub, Optional<String> token, Duration patience) {
        this.hub = hub;
        this.token = token;
        this.patience = patience;
    }

    /** The first answer that is no redirect; its body is the caller's to close. */
    HttpResponse<InputStream> get(URI address, Map<String, String> headers) throws IOException {
        URI next = address;
        for (int hop = 0; hop <= MOST_HOPS; hop++) {
            HttpResponse<InputStream> response = send(next, headers);
            Optional<String> location = response.headers().firstValue("location");
            if (!MOVED.contains(response.statusCode()) || location.isEmpty()) {
                return response;
            }
            response.body().close();
            next = target(next, location.get());
        }
        throw new HubException(host(address) + " redirects more than " + MOST_HOPS + " times");
    }

    private HttpResponse<InputStream> send(URI address, Map<String, String> headers) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(address)
                .timeout(patience)
                .header("User-Agent", "tidemill")
                .header("Accept-Encoding", "identity");
        headers.forEach(request::header);
        if (isHub(address)) {
            token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        }
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("Interrupted while asking " + host(address));
        } catch (HttpTimeoutException e) {
            throw new TryLaterException(host(address) + " does not answer", e);
        } catch (ConnectException e) {
            throw new UnreachableException(host(address), reason(e), e);
        } catch (IOException e) {
            throw new CutException(host(address), reason(e), e);
        }
    }

    private static String reason(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException) {
                return "its name is not known";
            }
        }
        if (e instanceof ConnectException && e.getMessage() == null) {
            return "no connection";
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : Names.shown(e.getMessage());
    }

    static URI target(URI from, String location) throws HubException {
        URI to;
        try {
            to = from.resolve(location.strip());
        } catch (IllegalArgumentException e) {
            throw new HubException(host(from) + " redirects to something that is no address", e);
        }
        boolean secure = "https".equalsIgnoreCase(to.getScheme());
        boolean plain = "http".equalsIgnoreCase(to.getScheme());
        if (to.getHost() == null || (!secure && !plain)) {
            throw new HubException(host(from) + " redirects to something that is no address of the web");
        }
        if (plain && "https".equalsIgnoreCase(from.getScheme())) {
            throw new HubException(
                    host(from) + " redirects to " + host(to) + " without encryption; that is not followed");
        }
        return to;
    }

    private boolean isHub(URI address) {
        return hub.getScheme().equalsIgnoreCase(address.getScheme())
                && hub.getHost().equalsIgnoreCase(address.getHost())
                && port(hub) == port(address);
    }

    private static int port(URI address) {
        return address.getPort() >= 0 ? address.getPort() : "https".equalsIgnoreCase(address.getScheme()) ? 443 : 80;
    }

    /** For messages: never the path or the query, which may hold a signature. */
    static String host(URI address) {
        return address.getHost() + (address.getPort() >= 0 ? ":" + address.getPort() : "");
    }

    /** A connection that ended before an answer began. */
    static final class CutException extends TryLaterException {
        private static final long serialVersionUID = 1L;

        CutException(String host, String reason, Throwable cause) {
            super("The connection to " + host + " failed (" + reason + ")", cause);
        }
    }

    /** Nobody listens, or nobody knows the name: most likely this machine is offline. */
    static final class UnreachableException extends IOException {
        private static final long serialVersionUID = 1L;

        UnreachableException(String host, String reason, Throwable cause) {
            super(host + " cannot be reached (" + reason + ")", cause);
        }
    }
}
