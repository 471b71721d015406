package io.tidemill.feedback.access;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.proto.v1.Principal;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * API keys, kept as salted SHA-256 in one file. A key is {@code tm-<id>-<secret>}; the secret has 256 random bits, so
 * that a fast hash is enough: there is nothing to guess.
 */
public final class ApiKeys implements Authenticator {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HexFormat HEX = HexFormat.of();
    private static final int SECRET_BYTES = 32;
    private static final int SALT_BYTES = 16;
    private static final int ID_BYTES = 4;

    private final Map<String, Kept> keys = new ConcurrentHashMap<>();

    private ApiKeys(List<Kept> kept) {
        kept.forEach(key -> keys.put(key.id(), key));
    }

    /**
     * Opens the file; where there is none, makes it with one new key.
     *
     * @param announce hears the new key, which is shown this once and kept nowhere
     */
    public static ApiKeys open(Path file, RandomGenerator random, Clock clock, Consumer<String> announce)
            throws IOException {
        if (Files.isRegularFile(file)) {
            return new ApiKeys(read(file));
        }
        String id = hex(random, ID_BYTES);
        String secret = hex(random, SECRET_BYTES);
        String salt = hex(random, SALT_BYTES);
        Kept kept = new Kept(id, salt, hash(salt, secret), clock.instant().toString());
        write(file, List.of(kept));
        announce.accept("tm-" + id + "-" + secret);
        return new ApiKeys(List.of(kept));
    }

    @Override
    public Optional<Principal> authenticate(Optional<String> bearerToken) {
        return bearerToken.flatMap(this::principal);
    }

    private Optional<Principal> principal(String token) {
        String[] parts = token.split("-", 3);
        Kept kept = parts.length == 3 && parts[0].equals("tm") ? keys.get(parts[1]) : null;
        if (kept == null) {
            return Optional.empty();
        }
        byte[] presented = hash(kept.salt(), parts[2]).getBytes(StandardCharsets.US_ASCII);
        boolean equal = MessageDigest.isEqual(presented, kept.sha256().getBytes(StandardCharsets.US_ASCII));
        return equal
                ? Optional.of(Principal.newBuilder()
                        .setSubject("key:" + kept.id())
                        .setAssurance(Principal.Assurance.API_KEY)
                        .build())
                : Optional.empty();
    }

    private static List<Kept> read(Path file) throws IOException {
        List<Kept> kept = new ArrayList<>();
        for (JsonNode key : JSON.readTree(file.toFile()).path("keys")) {
            kept.add(new Kept(
                    key.path("id").asText(),
                    key.path("salt").asText(),
                    key.path("sha256").asText(),
                    key.path("created").asText()));
        }
        if (kept.isEmpty()) {
            throw new IOException(file + " holds no key; delete it, and the next start makes one.");
        }
        return kept;
    }

    /** Written aside, readable by its owner alone where the file system knows owners, and renamed. */
    private static void write(Path file, List<Kept> kept) throws IOException {
        Files.createDirectories(file.getParent());
        ObjectNode root = JSON.createObjectNode();
        for (Kept key : kept) {
            root.withArray("keys")
                    .addObject()
                    .put("id", key.id())
                    .put("salt", key.salt())
                    .put("sha256", key.sha256())
                    .put("created", key.created());
        }
        Path aside = file.resolveSibling(file.getFileName() + ".part");
        Files.deleteIfExists(aside);
        if (Files.getFileStore(file.getParent()).supportsFileAttributeView("posix")) {
            Files.createFile(aside, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        }
        Files.write(aside, JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root));
        Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static String hex(RandomGenerator random, int bytes) {
        byte[] value = new byte[bytes];
        random.nextBytes(value);
        return HEX.formatHex(value);
    }

    private static String hash(String salt, String secret) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(HEX.parseHex(salt));
            return HEX.formatHex(digest.digest(secret.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        }
    }

    /** One key as it is kept; salt and hash in hexadecimal. */
    private record Kept(String id, String salt, String sha256, String created) {}
}
