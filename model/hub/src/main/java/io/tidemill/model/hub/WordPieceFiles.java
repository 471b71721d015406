package io.tidemill.model.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tokenizer's files of a BERT: {@code tokenizer.json} from the list of its tokens, and {@code tokenizer_config.json}.
 * The former is what transformers' {@code BertTokenizer} writes for the same list.
 */
final class WordPieceFiles {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> SPECIAL = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]");

    private WordPieceFiles() {}

    /** Ids by token, which are the places in the list. */
    static Map<String, Integer> ids(String file, List<String> lines) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (String line : lines) {
            Integer other = ids.put(line, ids.size());
            if (line.isEmpty() || other != null) {
                throw new IllegalArgumentException(file + " has token '" + Names.shown(line) + "' in line "
                        + (ids.size() + (other == null ? 0 : 1)) + ", but a token is not empty and stands there once");
            }
        }
        for (String special : SPECIAL) {
            if (!ids.containsKey(special)) {
                throw new IllegalArgumentException(file + " has no token " + special);
            }
        }
        return ids;
    }

    /** Whether no token but the special ones has a capital letter: then text is read in small letters. */
    static boolean isLowerCase(Map<String, Integer> ids) {
        return ids.keySet().stream().filter(token -> !token.startsWith("[")).allMatch(token -> token.codePoints()
                .noneMatch(Character::isUpperCase));
    }

    static String tokenizer(Map<String, Integer> ids, boolean lowerCase) {
        ObjectNode json = JSON.createObjectNode();
        json.put("version", "1.0");
        json.putNull("truncation");
        json.putNull("padding");
        ArrayNode added = json.putArray("added_tokens");
        SPECIAL.stream().sorted(java.util.Comparator.comparing(ids::get)).forEach(token -> added.addObject()
                .put("id", ids.get(token))
                .put("content", token)
                .put("single_word", false)
                .put("lstrip", false)
                .put("rstrip", false)
                .put("normalized", false)
                .put("special", true));
        json.putObject("normalizer")
                .put("type", "BertNormalizer")
                .put("clean_text", true)
                .put("handle_chinese_chars", true)
                .putNull("strip_accents")
                .put("lowercase", lowerCase);
        json.putObject("pre_tokenizer").put("type", "BertPreTokenizer");
        ObjectNode around = json.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = around.putArray("single");
        piece(single, "SpecialToken", "[CLS]", 0);
        piece(single, "Sequence", "A", 0);
        piece(single, "SpecialToken", "[SEP]", 0);
        ArrayNode pair = around.putArray("pair").addAll(single.deepCopy());
        piece(pair, "Sequence", "B", 1);
        piece(pair, "SpecialToken", "[SEP]", 1);
        ObjectNode special = around.putObject("special_tokens");
        for (String token : List.of("[CLS]", "[SEP]")) {
            ObjectNode entry = special.putObject(token).put("id", token);
            entry.putArray("ids").add(ids.get(token));
            entry.putArray("tokens").add(token);
        }
        json.putObject("decoder").put("type", "WordPiece").put("prefix", "##").put("cleanup", true);
        ObjectNode model = json.putObject("model")
                .put("type", "WordPiece")
                .put("unk_token", "[UNK]")
                .put("continuing_subword_prefix", "##")
                .put("max_input_chars_per_word", 100);
        ObjectNode vocabulary = model.putObject("vocab");
        ids.forEach(vocabulary::put);
        return text(json);
    }

    private static void piece(ArrayNode into, String kind, String id, int type) {
        into.addObject().putObject(kind).put("id", id).put("type_id", type);
    }

    /** {@code tokenizer_config.json}. */
    static String config(boolean lowerCase, int maxPositions) {
        ObjectNode json = JSON.createObjectNode();
        json.put("tokenizer_class", "BertTokenizer");
        json.put("do_lower_case", lowerCase);
        json.put("model_max_length", maxPositions);
        json.put("pad_token", "[PAD]");
        json.put("unk_token", "[UNK]");
        json.put("cls_token", "[CLS]");
        json.put("sep_token", "[SEP]");
        json.put("mask_token", "[MASK]");
        return text(json);
    }

    /** By way of a string: straight to bytes, Jackson writes keys beyond U+FFFF in a form that is not UTF-8. */
    static String text(ObjectNode json) {
        try {
            return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
