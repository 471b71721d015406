package io.tidemill.feedback.testing;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.WeightType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Random BERTs of two layers of 8 elements, which read 10 tokens unless told otherwise, and their WordPiece tokenizer. */
public final class TinyEncoder {
    /** By id. */
    public static final List<String> TOKENS = List.of(
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "tide", "##s", "turn", "mill", "[", "]", "mask");

    /** The model knows ids that its tokenizer does not spell, as many do. */
    public static final int VOCABULARY = TOKENS.size() + 3;

    public static final int CONTEXT = 10;

    private TinyEncoder() {}

    /** A body with a head and no labels. */
    public static EncoderConfig config(EncoderConfig.Head head) {
        return config(head, CONTEXT);
    }

    /** The same that reads more tokens, or fewer. */
    public static EncoderConfig config(EncoderConfig.Head head, int context) {
        return new EncoderConfig(VOCABULARY, 8, 16, 2, 2, context, 2, 1e-12, 0.4, 0, head, List.of());
    }

    /** Writes model and tokenizer. */
    public static void write(Path directory, EncoderConfig config) throws IOException {
        try (EncoderModel model = EncoderModel.random(config, 3, ComputeType.FLOAT32)) {
            model.save(directory, WeightType.FLOAT32);
        }
        StringBuilder added = new StringBuilder();
        StringBuilder vocabulary = new StringBuilder();
        for (int id = 0; id < TOKENS.size(); id++) {
            String comma = id == 0 ? "" : ", ";
            vocabulary
                    .append(comma)
                    .append('"')
                    .append(TOKENS.get(id))
                    .append("\": ")
                    .append(id);
            if (id < 5) {
                added.append(comma)
                        .append("{\"id\": ")
                        .append(id)
                        .append(", \"content\": \"")
                        .append(TOKENS.get(id))
                        .append("\", \"special\": true, \"single_word\": false, \"lstrip\": false, \"rstrip\": false,")
                        .append(" \"normalized\": false}");
            }
        }
        Files.writeString(
                directory.resolve("tokenizer.json"),
                "{\"version\": \"1.0\", \"added_tokens\": [" + added
                        + "], \"normalizer\": {\"type\": \"BertNormalizer\","
                        + " \"clean_text\": true, \"handle_chinese_chars\": true, \"strip_accents\": null,"
                        + " \"lowercase\": true}, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"},"
                        + " \"decoder\": {\"type\": \"WordPiece\", \"prefix\": \"##\", \"cleanup\": true},"
                        + " \"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\","
                        + " \"continuing_subword_prefix\": \"##\", \"max_input_chars_per_word\": 100,"
                        + " \"vocab\": {" + vocabulary + "}}}");
    }
}
