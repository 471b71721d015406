package io.tidemill.model.text;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** The fixtures made by Hugging Face's libraries, and the small tokenizer trained on the same text. */
final class Fixtures {
    static final List<String> SPECIAL = List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>");
    static final String CHATML = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n'"
            + " + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private Fixtures() {}

    static JsonNode json(String name) {
        try {
            return new ObjectMapper().readTree(bytes(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A fixture in gzip, as the plain values that templates work on. */
    static Map<String, Object> values(String name) {
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes(name)))) {
            return new ObjectMapper()
                    .enable(DeserializationFeature.USE_LONG_FOR_INTS)
                    .readValue(in, new TypeReference<Map<String, Object>>() {});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static BpeVocabulary vocabulary() {
        BpeTrainer trainer = new BpeTrainer(600, SPECIAL);
        for (String document : new String(bytes("corpus.txt"), StandardCharsets.UTF_8).split("\n%%\n")) {
            trainer.add(document);
        }
        return trainer.train();
    }

    static Tokenizer tokenizer(Path directory) throws IOException {
        vocabulary().write(directory, "<|endoftext|>", CHATML, 1024);
        return Tokenizer.load(directory);
    }

    static int[] ids(JsonNode array) {
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = array.get(i).asInt();
        }
        return ids;
    }

    private static byte[] bytes(String name) {
        try (InputStream in = Fixtures.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
