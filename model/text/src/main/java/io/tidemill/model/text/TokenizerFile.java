package io.tidemill.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.UUID;

/** What {@code tokenizer.json} says of its tokens: ids, names, and which of them are control tokens. */
final class TokenizerFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final byte[] json;
    private final ObjectNode root;
    private final Map<String, Integer> ids = new HashMap<>();
    private final String[] tokens;
    private final BitSet controls = new BitSet();
    private final boolean byteLevel;

    private TokenizerFile(byte[] json, ObjectNode root) {
        this.json = json;
        this.root = root;
        JsonNode vocabulary = root.path("model").path("vocab");
        if (vocabulary.isArray()) { // Unigram: the place in the list is the id
            for (int id = 0; id < vocabulary.size(); id++) {
                ids.put(vocabulary.get(id).get(0).asText(), id);
            }
        } else {
            vocabulary
                    .fields()
                    .forEachRemaining(
                            entry -> ids.put(entry.getKey(), entry.getValue().asInt()));
        }
        String unknown = root.path("model").path("unk_token").asText(null);
        for (JsonNode added : root.path("added_tokens")) {
            ids.put(added.path("content").asText(), added.path("id").asInt());
            // Unknown characters become the unknown token even in text of people: it controls nothing.
            if (added.path("special").asBoolean()
                    && !added.path("content").asText().equals(unknown)) {
                controls.set(added.path("id").asInt());
            }
        }
        int size = ids.values().stream().mapToInt(id -> id + 1).max().orElse(0);
        this.tokens = new String[size];
        ids.forEach((token, id) -> tokens[id] = token);
        this.byteLevel = root.path("decoder").toString().contains("\"ByteLevel\"");
    }

    static TokenizerFile read(Path path) throws IOException {
        byte[] json = Files.readAllBytes(path);
        if (!(JSON.readTree(json) instanceof ObjectNode root)
                || !root.path("model").has("vocab")) {
            throw new IOException(path + " is not a tokenizer of Hugging Face's format: it has no model.vocab");
        }
        return new TokenizerFile(json, root);
    }

    byte[] json() {
        return json;
    }

    /**
     * The same tokenizer, blind to control tokens in the text. One that is in the model's vocabulary keeps its id
     * there and only leaves the list of strings to look for; one that lives in the list alone keeps its place, so that
     * the ids after it stay, under a name that nobody can type because it is drawn at random.
     */
    byte[] jsonWithoutControls() throws IOException {
        ObjectNode copy = root.deepCopy();
        JsonNode vocabulary = root.path("model").path("vocab");
        ArrayNode kept = JSON.createArrayNode();
        for (JsonNode added : copy.path("added_tokens")) {
            String content = added.path("content").asText();
            if (!controls.get(added.path("id").asInt())) {
                kept.add(added);
            } else if (vocabulary.isObject() && !vocabulary.has(content)) {
                kept.add(((ObjectNode) added).put("content", "\uE000" + UUID.randomUUID() + "\uE000"));
            }
        }
        copy.set("added_tokens", kept);
        return JSON.writeValueAsBytes(copy);
    }

    OptionalInt id(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** The token's name, or an empty string for an id that the file leaves out. */
    String token(int id) {
        return tokens[id] == null ? "" : tokens[id];
    }

    boolean isControl(int id) {
        return controls.get(id);
    }

    /** Names of the control tokens, in the order of their ids. */
    List<String> controls() {
        return controls.stream().mapToObj(this::token).toList();
    }

    boolean isByteLevel() {
        return byteLevel;
    }

    int vocabularySize() {
        return tokens.length;
    }

    String fingerprint() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(json);
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
