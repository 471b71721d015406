package io.tidemill.feedback.access;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.feedback.request.ErrorJson;
import io.tidemill.proto.Caller;
import io.tidemill.proto.v1.Principal;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Stands before every request. A page of somebody else's site must not reach a service on loopback through its
 * visitor's browser: neither under a name of its own that resolves to 127.0.0.1 (checked by {@code Host}), nor by
 * posting across origins (checked by {@code Origin}). With API keys, whatever changes something, and this service's own
 * reading, asks for one.
 */
public final class AccessFilter {
    private static final Set<HttpMethod> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);
    private static final String POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
                    + " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private final Authenticator authenticator;
    private final boolean onLoopback;
    private final Set<String> allowedHosts;

    /**
     * @param onLoopback   whether the service listens on loopback alone, so that only loopback's names may name it
     * @param allowedHosts further names, without port
     */
    public AccessFilter(Authenticator authenticator, boolean onLoopback, Set<String> allowedHosts) {
        this.authenticator = authenticator;
        this.onLoopback = onLoopback;
        this.allowedHosts = Set.copyOf(allowedHosts);
    }

    public void handle(RoutingContext exchange) {
        exchange.response()
                .putHeader("Content-Security-Policy", POLICY)
                .putHeader("X-Content-Type-Options", "nosniff")
                .putHeader("Referrer-Policy", "no-referrer");
        HttpServerRequest request = exchange.request();
        String host = request.getHeader("Host");
        if (onLoopback && host != null && !isOurs(host)) {
            refuse(exchange, 403, "foreign_host", "Host " + host + " is not this service; use localhost or 127.0.0.1.");
            return;
        }
        boolean changes = !READING.contains(request.method());
        String origin = request.getHeader("Origin");
        if (changes && origin != null && !isSame(origin, host)) {
            refuse(exchange, 403, "foreign_origin", "Pages of " + origin + " may not change anything here.");
            return;
        }
        Optional<Principal> caller = authenticator.authenticate(bearer(request));
        if (caller.isEmpty() && asksForCaller(exchange.normalizedPath(), changes)) {
            exchange.response().putHeader("WWW-Authenticate", "Bearer");
            refuse(
                    exchange,
                    401,
                    "invalid_api_key",
                    "This needs an API key: send 'Authorization: Bearer tm-…' with a key that the first start printed.");
            return;
        }
        caller.ifPresent(principal -> exchange.put(Caller.ATTRIBUTE, principal));
        exchange.next();
    }

    /** Who sent a request that has passed the filter. */
    public static Principal principal(RoutingContext exchange) {
        Principal principal = exchange.get(Caller.ATTRIBUTE);
        if (principal == null) {
            throw new IllegalStateException("No principal on "
                    + exchange.request().path() + ": the access filter must stand before this route.");
        }
        return principal;
    }

    private static boolean asksForCaller(String path, boolean changes) {
        return changes || path.startsWith("/v1/loop") || path.startsWith("/v1/models");
    }

    private boolean isOurs(String hostHeader) {
        String name = withoutPort(hostHeader).toLowerCase(Locale.ROOT);
        return Binding.isLoopback(name) || allowedHosts.contains(name);
    }

    private static String withoutPort(String host) {
        int colon = host.lastIndexOf(':');
        boolean port = colon > host.lastIndexOf(']');
        return port ? host.substring(0, colon) : host;
    }

    private static boolean isSame(String origin, String host) {
        try {
            String authority = URI.create(origin).getRawAuthority();
            return authority != null && authority.equalsIgnoreCase(host);
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static Optional<String> bearer(HttpServerRequest request) {
        return Optional.ofNullable(request.getHeader("Authorization"))
                .filter(value -> value.regionMatches(true, 0, "Bearer ", 0, 7))
                .map(value -> value.substring(7).trim());
    }

    private static void refuse(RoutingContext exchange, int status, String code, String message) {
        ObjectNode body = ErrorJson.of("invalid_request_error", code, message);
        exchange.response()
                .setStatusCode(status)
                .putHeader("Content-Type", "application/json")
                .end(body.toString());
    }
}
