package io.tidemill.model.hub;

import java.util.List;
import java.util.regex.Pattern;

/** File names by what they mean. A name from outside is used only if it is one of these. */
final class Names {
    static final String CONFIG = "config.json";
    static final String TOKENIZER = "tokenizer.json";
    static final String WEIGHTS = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";

    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,250}");
    private static final Pattern TEXTS = Pattern.compile("config\\.json|generation_config\\.json"
            + "|tokenizer[A-Za-z0-9._-]*\\.json|special_tokens_map\\.json|added_tokens\\.json"
            + "|chat_template[A-Za-z0-9._-]*\\.(?:jinja|json)");
    private static final List<String> PICKLES = List.of(".bin", ".pt", ".pth", ".ckpt", ".pkl");
    private static final List<String> OTHER_WEIGHTS =
            List.of(".safetensors", ".gguf", ".h5", ".msgpack", ".onnx", ".npz", ".tflite");

    private Names() {}

    /** No separators, no dots in front: such a name stays in its directory on every system. */
    static boolean isPlain(String name) {
        return PLAIN.matcher(name).matches();
    }

    /** Configuration, tokenizer, special tokens and chat templates. */
    static boolean isText(String name) {
        return TEXTS.matcher(name).matches();
    }

    static boolean isShard(String name) {
        return isPlain(name) && name.endsWith(".safetensors");
    }

    static boolean isPickle(String name) {
        return PICKLES.stream().anyMatch(name::endsWith);
    }

    static boolean isOtherWeights(String name) {
        return OTHER_WEIGHTS.stream().anyMatch(name::endsWith);
    }

    /** Text from outside that is to be shown: one line, no control characters, not too long. */
    static String shown(String text) {
        String line = text.replaceAll("[\\p{Cntrl}\\p{Cf}]+", " ").strip();
        return line.length() > 200 ? line.substring(0, 200) + "…" : line;
    }
}
