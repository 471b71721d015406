package io.tidemill.model.hub;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A hub on this machine: one model, one commit, the two documented endpoints, ranges with If-Range. What a test wants to
 * go wrong with a file is queued, and happens once each.
 */
final class FakeHub implements AutoCloseable {
    static final ModelId MODEL = new ModelId("tide/mill");

    private static final ObjectMapper JSON = new ObjectMapper();

    /** How a request is answered instead of as it should be. */
    @FunctionalInterface
    interface Trouble {
        void answer(HttpExchange exchange, byte[] content) throws IOException;
    }

    /** A request as it came. */
    record Asked(String path, Optional<String> range, Optional<String> ifRange, Optional<String> authorization) {}

    final Map<String, byte[]> files = new LinkedHashMap<>();
    final List<Asked> asked = new CopyOnWriteArrayList<>();
    final Map<String, Deque<Trouble>> troubles = new ConcurrentHashMap<>();
    volatile String commit = "0123456789abcdef0123456789abcdef01234567";
    volatile String listing; // instead of the true one
    volatile boolean ranges = true;

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    FakeHub() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    void put(String name, String content) {
        files.put(name, content.getBytes(StandardCharsets.UTF_8));
    }

    void trouble(String file, Trouble trouble) {
        troubles.computeIfAbsent(file, name -> new ArrayDeque<>()).add(trouble);
    }

    /** Requests for a file, in order. */
    List<Asked> askedFor(String file) {
        return asked.stream().filter(one -> one.path().endsWith("/" + file)).toList();
    }

    List<String> downloads() {
        return asked.stream()
                .map(Asked::path)
                .filter(path -> path.contains("/resolve/"))
                .map(path -> path.substring(path.lastIndexOf('/') + 1))
                .toList();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getRawPath();
            asked.add(new Asked(
                    path, header(exchange, "Range"), header(exchange, "If-Range"), header(exchange, "Authorization")));
            String name = path.substring(path.lastIndexOf('/') + 1);
            String key = path.startsWith("/api/") ? "api" : name;
            Deque<Trouble> waiting = troubles.get(key);
            Trouble trouble = waiting == null ? null : waiting.poll();
            byte[] content = key.equals("api") ? list().getBytes(StandardCharsets.UTF_8) : files.get(name);
            if (trouble != null) {
                trouble.answer(exchange, content);
            } else if (key.equals("api")) {
                answer(exchange, 200, content, content.length);
            } else if (content == null || !path.startsWith("/" + MODEL + "/resolve/" + commit + "/")) {
                exchange.getResponseHeaders().set("X-Error-Code", "EntryNotFound");
                exchange.sendResponseHeaders(404, -1);
            } else {
                serve(exchange, content);
            }
        }
    }

    static Optional<String> header(HttpExchange exchange, String name) {
        return Optional.ofNullable(exchange.getRequestHeaders().getFirst(name));
    }

    /** As RFC 9110 wants it. */
    void serve(HttpExchange exchange, byte[] content) throws IOException {
        String tag = "\"" + sha256(content).substring(0, 16) + "\"";
        exchange.getResponseHeaders().set("ETag", tag);
        Optional<String> range = header(exchange, "Range");
        boolean same = header(exchange, "If-Range").map(tag::equals).orElse(true);
        if (!ranges || range.isEmpty() || !same) {
            answer(exchange, 200, content, content.length);
            return;
        }
        int from = Integer.parseInt(range.get().replaceAll("bytes=(\\d+)-", "$1"));
        exchange.getResponseHeaders()
                .set("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
        byte[] rest = Arrays.copyOfRange(content, from, content.length);
        answer(exchange, 206, rest, rest.length);
    }

    static void answer(HttpExchange exchange, int status, byte[] content, long announced) throws IOException {
        exchange.sendResponseHeaders(status, announced == 0 ? -1 : announced);
        if (announced != 0) {
            OutputStream out = exchange.getResponseBody();
            out.write(content);
            out.flush();
        }
    }

    // ---- troubles ---------------------------------------------------------------------------------------------------

    /** All the right headers, and then only the first bytes. */
    Trouble cutAfter(int bytes) {
        return (exchange, content) -> {
            int from = header(exchange, "Range")
                    .map(range -> Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1")))
                    .orElse(0);
            exchange.getResponseHeaders().set("ETag", "\"" + sha256(content).substring(0, 16) + "\"");
            if (from > 0) {
                exchange.getResponseHeaders()
                        .set("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
            }
            byte[] some = Arrays.copyOfRange(content, from, Math.min(content.length, from + bytes));
            answer(exchange, from > 0 ? 206 : 200, some, content.length - from);
        };
    }

    static Trouble status(int status, String... headers) {
        return (exchange, content) -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
        };
    }

    static Trouble redirect(String to) {
        return status(302, "Location", to);
    }

    // ---- what the API says ------------------------------------------------------------------------------------------

    private String list() {
        if (listing != null) {
            return listing;
        }
        ObjectNode json = JSON.createObjectNode();
        json.put("id", MODEL.value()).put("sha", commit).put("private", false).put("gated", false);
        ArrayNode siblings = json.putArray("siblings");
        files.forEach((name, content) -> siblings.add(sibling(name, content)));
        return json.toString();
    }

    static ObjectNode sibling(String name, byte[] content) {
        ObjectNode sibling = JSON.createObjectNode().put("rfilename", name).put("size", content.length);
        sibling.put("blobId", gitBlob(content));
        if (name.endsWith(".safetensors") || name.endsWith(".bin")) {
            sibling.putObject("lfs")
                    .put("sha256", sha256(content))
                    .put("size", content.length)
                    .put("pointerSize", 134);
        }
        return sibling;
    }

    static String sha256(byte[] content) {
        return hex("SHA-256", content);
    }

    private static String gitBlob(byte[] content) {
        byte[] head = ("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII);
        byte[] all = Arrays.copyOf(head, head.length + content.length);
        System.arraycopy(content, 0, all, head.length, content.length);
        return hex("SHA-1", all);
    }

    private static String hex(String algorithm, byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
