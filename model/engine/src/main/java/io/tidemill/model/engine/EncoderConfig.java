package io.tidemill.model.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The shape of a BERT encoder, as Hugging Face's {@code config.json} gives it. What such a file asks for and this engine
 * does not have is refused by field and value; dropout is not applied, whatever share the file names.
 *
 * @param maxPositions     longest sequence, tokens
 * @param tokenTypes       how many texts of one input are told apart; 2 is usual
 * @param layerNormEpsilon added to the variance before its root is taken
 * @param initializerRange standard deviation of random weights
 * @param padTokenId       what {@code config.json} names as padding, or −1 for none; here padding is never seen
 * @param labels           what is told apart, in the order of the logits; empty unless the head is {@link Head#LABELS}
 * @param problem          what the labels are to a text; {@link Problem#SINGLE} where there are none
 */
public record EncoderConfig(
        int vocabularySize,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int maxPositions,
        int tokenTypes,
        double layerNormEpsilon,
        double initializerRange,
        int padTokenId,
        Head head,
        List<String> labels,
        Problem problem) {
    private static final String MODEL_TYPE = "bert";

    /** What stands on the last hidden states. */
    public enum Head {
        /** The pooler alone. */
        NONE("BertModel"),
        /**
         * Nothing, as with {@code add_pooling_layer=False} in transformers. No {@code config.json} tells it from
         * {@link #NONE}: the weights do.
         */
        BARE("BertModel"),
        /** Which token stood where one is masked. */
        MASKED("BertForMaskedLM"),
        /** Which label a text has: pooler and classifier. */
        LABELS("BertForSequenceClassification");

        private final String architecture;

        Head(String architecture) {
            this.architecture = architecture;
        }
    }

    /** What labels are to a text, and so what the loss is. */
    public enum Problem {
        /** One of them is right. */
        SINGLE("single_label_classification"),
        /** Each is right or wrong, whatever the others are. */
        MULTIPLE("multi_label_classification"),
        /** There is one, and it is a score, any number. */
        SCORE("regression");

        private final String problemType;

        Problem(String problemType) {
            this.problemType = problemType;
        }

        /** By the name that {@code problem_type} of {@code config.json} has for it; empty where it is none. */
        public static Optional<Problem> of(String problemType) {
            return Stream.of(values())
                    .filter(problem -> problem.problemType.equals(problemType))
                    .findFirst();
        }

        /** All names that {@code problem_type} has. */
        public static List<String> types() {
            return Stream.of(values()).map(problem -> problem.problemType).toList();
        }

        /** What transformers takes where {@code config.json} does not say: one label is a score. */
        static Problem usual(int labels) {
            return labels == 1 ? SCORE : SINGLE;
        }
    }

    /** With the problem that transformers takes where none is named: one label is a score. */
    public EncoderConfig(
            int vocabularySize,
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int maxPositions,
            int tokenTypes,
            double layerNormEpsilon,
            double initializerRange,
            int padTokenId,
            Head head,
            List<String> labels) {
        this(
                vocabularySize,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                maxPositions,
                tokenTypes,
                layerNormEpsilon,
                initializerRange,
                padTokenId,
                head,
                labels,
                Problem.usual(labels.size()));
    }

    public EncoderConfig {
        ModelConfig.atLeastOne("vocab_size", vocabularySize);
        ModelConfig.atLeastOne("hidden_size", hiddenSize);
        ModelConfig.atLeastOne("intermediate_size", intermediateSize);
        ModelConfig.atLeastOne("num_hidden_layers", layers);
        ModelConfig.atLeastOne("num_attention_heads", heads);
        ModelConfig.atLeastOne("max_position_embeddings", maxPositions);
        ModelConfig.atLeastOne("type_vocab_size", tokenTypes);
        if (hiddenSize % heads != 0) {
            throw new IllegalArgumentException("hidden_size must be a multiple of num_attention_heads, but "
                    + hiddenSize + " is not one of " + heads);
        }
        if (!(layerNormEpsilon > 0) || !(initializerRange > 0)) {
            throw new IllegalArgumentException("layer_norm_eps and initializer_range must be positive, but were "
                    + layerNormEpsilon + " and " + initializerRange);
        }
        labels = List.copyOf(labels);
        if (labels.isEmpty() == (head == Head.LABELS)) {
            throw new IllegalArgumentException("A model has labels if and only if it classifies, but this one has "
                    + labels + " and head " + head);
        }
        if (problem == Problem.SCORE && labels.size() > 1 || problem == Problem.SINGLE && labels.size() == 1) {
            throw new IllegalArgumentException("problem_type is \"" + problem.problemType + "\", but the labels are "
                    + labels + ". A score has one label, and one right label is one of several");
        }
    }

    /** Number of weights; the head over the vocabulary is the embedding and counts once. */
    public long parameterCount() {
        return new Layout(this).length();
    }

    /** The same body, which tells these labels apart; a single one is a score. */
    public EncoderConfig withLabels(List<String> others) {
        return withLabels(others, Problem.usual(others.size()));
    }

    /** The same body, which tells these labels apart. */
    public EncoderConfig withLabels(List<String> others, Problem wanted) {
        return new EncoderConfig(
                vocabularySize,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                maxPositions,
                tokenTypes,
                layerNormEpsilon,
                initializerRange,
                padTokenId,
                Head.LABELS,
                others,
                wanted);
    }

    /** The same without a pooler, where there is nothing else. */
    EncoderConfig withoutPooler() {
        return new EncoderConfig(
                vocabularySize,
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                maxPositions,
                tokenTypes,
                layerNormEpsilon,
                initializerRange,
                padTokenId,
                Head.BARE,
                List.of());
    }

    /** @throws IllegalStateException if the head is another */
    public void require(Head wanted) {
        if (head != wanted) {
            throw new IllegalStateException(
                    "This needs a " + wanted.architecture + ", but the model is a " + head.architecture);
        }
    }

    /** Tensors of other heads, and the copies of tied ones. */
    boolean isLeftover(String tensor) {
        return tensor.endsWith("embeddings.position_ids")
                || tensor.startsWith("cls.")
                || head == Head.MASKED && tensor.startsWith("bert.pooler.");
    }

    // ---- config.json ------------------------------------------------------------------------------------------------

    public static EncoderConfig read(Path configJson) throws IOException {
        return ConfigFile.read(configJson, EncoderConfig::parse);
    }

    /** Whether the file is of an encoder, to be read by {@link #read}, and not of a decoder. */
    public static boolean isEncoder(Path configJson) throws IOException {
        return ConfigFile.read(
                configJson,
                json -> new ConfigFields(json).text("model_type", "").equals(MODEL_TYPE));
    }

    static EncoderConfig parse(JsonNode json) {
        ConfigFields fields = new ConfigFields(json);
        fields.expect("model_type", MODEL_TYPE);
        if (!fields.has("model_type")) {
            throw fields.refused("model_type", "only bert is supported");
        }
        fields.refuse("quantization_config");
        fields.expect("hidden_act", "gelu");
        fields.expect("position_embedding_type", "absolute");
        fields.expect("is_decoder", "false");
        fields.expect("add_cross_attention", "false");
        fields.expect("tie_word_embeddings", "true");
        Head head = head(fields);
        List<String> labels = head == Head.LABELS ? labels(fields) : List.of();
        return new EncoderConfig(
                fields.whole("vocab_size", 30_522),
                fields.whole("hidden_size", 768),
                fields.whole("intermediate_size", 3072),
                fields.whole("num_hidden_layers", 12),
                fields.whole("num_attention_heads", 12),
                fields.whole("max_position_embeddings", 512),
                fields.whole("type_vocab_size", 2),
                fields.number("layer_norm_eps", 1e-12),
                fields.number("initializer_range", 0.02),
                fields.whole("pad_token_id", fields.names("pad_token_id") ? -1 : 0),
                head,
                labels,
                problem(fields, labels));
    }

    private static Problem problem(ConfigFields fields, List<String> labels) {
        Problem usual = Problem.usual(labels.size());
        String named = fields.text("problem_type", usual.problemType);
        Problem problem = Arrays.stream(Problem.values())
                .filter(one -> one.problemType.equals(named))
                .findFirst()
                .orElseThrow(() -> fields.refused(
                        "problem_type",
                        "only single_label_classification, multi_label_classification and regression are supported"));
        // Of a single label transformers can only make a loss of 0: it is a score.
        return problem == Problem.SINGLE ? usual : problem;
    }

    private static Head head(ConfigFields fields) {
        String named = fields.get("architectures").path(0).asText("");
        if (named.equals("BertForPreTraining")) { // its second head, about the next sentence, is not read
            return Head.MASKED;
        }
        return Arrays.stream(Head.values())
                .filter(head -> head.architecture.equals(named))
                .findFirst()
                .orElseThrow(() -> fields.refused(
                        "architectures",
                        "only BertForMaskedLM, BertForPreTraining, BertForSequenceClassification and BertModel are"
                                + " supported"));
    }

    private static List<String> labels(ConfigFields fields) {
        JsonNode named = fields.get("id2label");
        int count = fields.whole("num_labels", named.isObject() ? named.size() : 2);
        ModelConfig.atLeastOne("num_labels", count);
        return IntStream.range(0, count)
                .mapToObj(i -> named.path(Integer.toString(i)).asText("LABEL_" + i))
                .toList();
    }

    /** {@code config.json} that transformers loads as the same architecture. */
    public String toJson() {
        return toJson(WeightType.FLOAT32);
    }

    String toJson(WeightType type) {
        ObjectNode json = ConfigFile.object();
        json.putArray("architectures").add(head.architecture);
        json.put("model_type", MODEL_TYPE);
        json.put("attention_probs_dropout_prob", 0.0);
        json.put("dtype", type.torchName());
        json.put("hidden_act", "gelu");
        json.put("hidden_dropout_prob", 0.0);
        json.put("hidden_size", hiddenSize);
        json.put("initializer_range", initializerRange);
        json.put("intermediate_size", intermediateSize);
        json.put("layer_norm_eps", layerNormEpsilon);
        json.put("max_position_embeddings", maxPositions);
        json.put("num_attention_heads", heads);
        json.put("num_hidden_layers", layers);
        json.put("position_embedding_type", "absolute");
        json.put("tie_word_embeddings", true);
        json.put("torch_dtype", type.torchName());
        json.put("type_vocab_size", tokenTypes);
        json.put("vocab_size", vocabularySize);
        if (padTokenId < 0) {
            json.putNull("pad_token_id");
        } else {
            json.put("pad_token_id", padTokenId);
        }
        if (head == Head.LABELS) {
            ObjectNode names = json.putObject("id2label");
            ObjectNode ids = json.putObject("label2id");
            for (int i = 0; i < labels.size(); i++) {
                names.put(Integer.toString(i), labels.get(i));
                ids.put(labels.get(i), i);
            }
            json.put("problem_type", problem.problemType);
        }
        return ConfigFile.pretty(json);
    }
}
