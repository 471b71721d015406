package io.tidemill.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
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
import java.util.Set;
import java.util.UUID;

/** What {@code tokenizer.json} says of its tokens: ids, names, and which of them are control tokens. */
final class TokenizerFile {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final byte[] json;
    private final ObjectNode root;
    private final Map<String, Integer> ids = new HashMap<>();
    private final String[] tokens;
    private final BitSet controls = new BitSet();
    private final BitSet silent = new BitSet();
    private final BitSet fallbackBytes = new BitSet();
    private final Set<String> modelTokens;
    private final String decoder;

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
        this.modelTokens = Set.copyOf(ids.keySet());
        String unknown = root.path("model").path("unk_token").asText(null);
        JsonNode unknownId = root.path("model").path("unk_id");
        if (vocabulary.isArray()
                && unknownId.isInt()
                && vocabulary.has(unknownId.intValue())) { // Unigram names it by place
            unknown = vocabulary.get(unknownId.intValue()).get(0).asText();
        }
        for (JsonNode added : root.path("added_tokens")) {
            ids.put(added.path("content").asText(), added.path("id").asInt());
            silent.set(added.path("id").asInt(), added.path("special").asBoolean());
            // Unknown characters become the unknown token even in text of people: it controls nothing.
            if (added.path("special").asBoolean()
                    && !added.path("content").asText().equals(unknown)) {
                controls.set(added.path("id").asInt());
            }
        }
        int size = ids.values().stream().mapToInt(id -> id + 1).max().orElse(0);
        this.tokens = new String[size];
        ids.forEach((token, id) -> tokens[id] = token);
        this.decoder = root.path("decoder").toString();
        if (decoder.contains("\"ByteFallback\"")) {
            ids.forEach((token, id) -> fallbackBytes.set(id, token.matches("<0x[0-9A-F]{2}>")));
        }
    }

    static TokenizerFile read(Path path) throws IOException {
        byte[] json = Files.readAllBytes(path);
        if (!(JSON.readTree(json) instanceof ObjectNode root)
                || !root.path("model").has("vocab")) {
            throw new IOException(path + " is not a tokenizer of Hugging Face's format: it has no model.vocab");
        }
        return new TokenizerFile(json, root);
    }

    /** The tokenizer for the library. What it would cut or pad is switched off: callers decide on lengths. */
    byte[] json() throws IOException {
        return bytes(withoutLengths());
    }

    /** By way of a string: straight to bytes, Jackson 2.21 writes keys beyond U+FFFF in a form that is not UTF-8. */
    private static byte[] bytes(ObjectNode tree) throws IOException {
        return JSON.writeValueAsString(tree).getBytes(StandardCharsets.UTF_8);
    }

    private ObjectNode withoutLengths() {
        ObjectNode copy = root.deepCopy();
        copy.putNull("truncation");
        copy.putNull("padding");
        return copy;
    }

    /**
     * The same tokenizer, blind to control tokens in the text. One that is in the model's vocabulary keeps its id
     * there and only leaves the list of strings to look for; one that lives in the list alone keeps its place, so that
     * the ids after it stay, under a name that nobody can type because it is drawn at random.
     */
    byte[] jsonWithoutControls() throws IOException {
        ObjectNode copy = withoutLengths();
        ArrayNode kept = JSON.createArrayNode();
        for (JsonNode added : copy.path("added_tokens")) {
            String content = added.path("content").asText();
            if (!controls.get(added.path("id").asInt())) {
                kept.add(added);
            } else if (!modelTokens.contains(content)) {
                kept.add(((ObjectNode) added).put("content", "\uE000" + UUID.randomUUID() + "\uE000"));
            }
        }
        copy.set("added_tokens", kept);
        return bytes(copy);
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

    /** Whether decoding leaves the token out: control tokens, and the unknown token where it is special. */
    boolean isSilent(int id) {
        return silent.get(id);
    }

    /** Names of the control tokens, in the order of their ids. */
    List<String> controls() {
        return controls.stream().mapToObj(this::token).toList();
    }

    boolean isByteLevel() {
        return decoder.contains("\"ByteLevel\"");
    }

    /** Whether the decoder changes what it has written once more tokens come, as that of WordPiece does. */
    boolean decodesBackwards() {
        return decoder.contains("\"WordPiece\"") || decoder.contains("\"CTC\"");
    }

    /** Whether the token is one byte of a character that the vocabulary lacks, such as {@code <0xE2>}. */
    boolean isFallbackByte(int id) {
        return fallbackBytes.get(id);
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
