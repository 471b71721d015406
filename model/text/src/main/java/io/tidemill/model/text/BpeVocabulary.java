package io.tidemill.model.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A learnt byte-level BPE vocabulary, and how it is written for Hugging Face's tokenizers.
 *
 * @param specialTokens the first tokens, which stand for themselves in text
 * @param tokens        all tokens in the order of their ids, in the byte-level alphabet ("Ġthe")
 * @param merges        best first
 */
public record BpeVocabulary(List<String> specialTokens, List<String> tokens, List<Merge> merges) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /** Two tokens that become one. */
    public record Merge(String left, String right) {}

    public BpeVocabulary {
        specialTokens = List.copyOf(specialTokens);
        tokens = List.copyOf(tokens);
        merges = List.copyOf(merges);
        if (!tokens.subList(0, specialTokens.size()).equals(specialTokens)) {
            throw new IllegalArgumentException("special tokens must have the first ids, but those are "
                    + tokens.subList(0, specialTokens.size()) + " and not " + specialTokens);
        }
    }

    /**
     * Writes {@code tokenizer.json} and {@code tokenizer_config.json}; the same vocabulary gives the same bytes.
     *
     * @param endOfText    separates documents; begins and ends a text, and pads
     * @param chatTemplate Jinja, written into the configuration
     * @param maxLength    the longest sequence of the model, tokens
     */
    public void write(Path directory, String endOfText, String chatTemplate, int maxLength) throws IOException {
        if (!specialTokens.contains(endOfText)) {
            throw new IllegalArgumentException(
                    "end of text must be one of the special tokens " + specialTokens + ", but was " + endOfText);
        }
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("tokenizer.json"), tokenizerJson());
        Files.writeString(
                directory.resolve("tokenizer_config.json"), configurationJson(endOfText, chatTemplate, maxLength));
    }

    private String tokenizerJson() {
        ObjectNode root = JSON.createObjectNode();
        root.put("version", "1.0").putNull("truncation").putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        for (int id = 0; id < specialTokens.size(); id++) {
            added.addObject()
                    .put("id", id)
                    .put("content", specialTokens.get(id))
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
        root.putNull("normalizer");
        byteLevel(root.putObject("pre_tokenizer"));
        root.putNull("post_processor");
        byteLevel(root.putObject("decoder"));
        ObjectNode model = root.putObject("model").put("type", "BPE");
        model.putNull("dropout").putNull("unk_token").putNull("continuing_subword_prefix");
        model.putNull("end_of_word_suffix");
        model.put("fuse_unk", false).put("byte_fallback", false).put("ignore_merges", false);
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        ArrayNode pairs = model.putArray("merges");
        merges.forEach(merge -> pairs.addArray().add(merge.left()).add(merge.right()));
        return text(root);
    }

    private static void byteLevel(ObjectNode part) {
        part.put("type", "ByteLevel").put("add_prefix_space", false);
        part.put("trim_offsets", true).put("use_regex", true);
    }

    private static String configurationJson(String endOfText, String chatTemplate, int maxLength) {
        ObjectNode root = JSON.createObjectNode();
        root.put("tokenizer_class", "PreTrainedTokenizerFast");
        root.put("add_prefix_space", false).put("clean_up_tokenization_spaces", false);
        root.put("bos_token", endOfText).put("eos_token", endOfText).put("pad_token", endOfText);
        root.put("model_max_length", maxLength);
        root.put("chat_template", chatTemplate);
        return text(root);
    }

    private static String text(ObjectNode root) {
        try {
            // Lines end as on Linux everywhere, so that the fingerprint of a vocabulary is one.
            return JSON.writeValueAsString(root).replace("\r\n", "\n") + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A tree of plain values could not be written as JSON", e);
        }
    }
}
