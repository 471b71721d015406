package io.tidemill.trainer.offline.recipe;

import static io.tidemill.trainer.offline.recipe.Key.Group.ADAPTER;
import static io.tidemill.trainer.offline.recipe.Key.Group.DATA;
import static io.tidemill.trainer.offline.recipe.Key.Group.LENGTH;
import static io.tidemill.trainer.offline.recipe.Key.Group.MACHINE;
import static io.tidemill.trainer.offline.recipe.Key.Group.MODEL;
import static io.tidemill.trainer.offline.recipe.Key.Group.OBJECTIVE;
import static io.tidemill.trainer.offline.recipe.Key.Group.REPORT;
import static io.tidemill.trainer.offline.recipe.Key.Group.STEPS;

import io.tidemill.trainer.offline.recipe.Key.Group;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Every key of a recipe. Names and usual values are those of transformers' {@code TrainingArguments}, of TRL's
 * configurations, or of LLaMA-Factory, whichever has it.
 */
public final class Keys {
    private static final List<Key<?>> ALL = new ArrayList<>();

    // ---- model ------------------------------------------------------------------------------------------------------

    public static final Key<String> STAGE = new Builder<>("stage", MODEL, ValueType.text("NAME"))
            .help("What is trained; the recipes in docs/recipes tell each.");
    public static final Key<String> MODEL_PATH = new Builder<>("model", MODEL, ValueType.text("DIR"))
            .alias("model_name_or_path")
            .help("Hugging Face directory to start from, or 'embedded'.");
    public static final Key<Boolean> FROM_SCRATCH = new Builder<>("from_scratch", MODEL, ValueType.truth())
            .usual(false)
            .help(
                    "Random weights in the shape of the model's config.json, with its tokenizer; pretrain and masked-lm.");
    public static final Key<Map<String, String>> CONFIG_OVERRIDES = new Builder<>(
                    "config_overrides", MODEL, ValueType.names("{FIELD: VALUE, …}"))
            .usual(Map.of())
            .help("Fields of config.json that are otherwise, with from_scratch: {num_hidden_layers: 4}.");
    public static final Key<String> OUTPUT_DIR = new Builder<>("output_dir", MODEL, ValueType.text("DIR"))
            .same()
            .help("Directory for checkpoints, logs and, at the end, the model.");
    public static final Key<Boolean> OVERWRITE = new Builder<>("overwrite_output_dir", MODEL, ValueType.truth())
            .usual(false)
            .same()
            .help("Begins again where output_dir holds an earlier run, which is deleted.");

    // ---- data -------------------------------------------------------------------------------------------------------

    public static final Key<List<String>> TRAIN_DATA = new Builder<>("train_data", DATA, ValueType.texts("DATA"))
            .alias("train_file")
            .help("Files (.jsonl, .json, .csv, .tsv, .txt), 'kafka:TOPIC' or 'builtin:NAME'.");
    public static final Key<List<String>> EVAL_DATA = new Builder<>("eval_data", DATA, ValueType.texts("DATA"))
            .alias("eval_file")
            .alias("validation_file")
            .help("The same to evaluate on.");
    public static final Key<Double> EVAL_SPLIT = new Builder<>(
                    "eval_split", DATA, ValueType.number("from 0 up to less than 1", x -> x >= 0 && x < 1))
            .usual(0.0)
            .help(
                    "Share of train_data that is held out instead, by the split function over group_id, or over the text.");
    public static final Key<String> SPLIT_SALT = new Builder<>("split_salt", DATA, ValueType.text("TEXT"))
            .usual("tidemill")
            .help("Salt of the split function.");
    public static final Key<Map<String, String>> COLUMNS = new Builder<>(
                    "columns", DATA, ValueType.names("{ROLE: COLUMN, …}"))
            .usual(Map.of())
            .help("Which column holds what, where it is called otherwise: {text: body, label: category}.");
    public static final Key<String> DATA_FORMAT = new Builder<>(
                    "data_format", DATA, ValueType.choice("auto", "jsonl", "json", "csv", "tsv", "text"))
            .usual("auto")
            .help("Format of the files; auto goes by the name's end.");
    public static final Key<String> TEXT_UNIT = new Builder<>(
                    "text_unit", DATA, ValueType.choice("paragraph", "line", "file"))
            .usual("paragraph")
            .help("What a document of plain text is: up to a blank line, a line, or the file.");
    public static final Key<List<String>> LABELS = new Builder<>("labels", DATA, ValueType.texts("LABEL"))
            .help("Classes in the order of their ids; else those of the training data, sorted.");
    public static final Key<String> PROBLEM_TYPE = new Builder<>(
                    "problem_type",
                    DATA,
                    ValueType.choice("auto", "single_label_classification", "multi_label_classification", "regression"))
            .usual("auto")
            .help("What labels are; auto takes several for a column 'labels', else one.");
    public static final Key<List<String>> CLASS_WEIGHTS = new Builder<>(
                    "class_weights", DATA, ValueType.texts("balanced|X"))
            .usual(List.of())
            .help("How much each label counts in the loss: 'balanced', or a number each, in the order of labels.");
    public static final Key<Long> MAX_EXAMPLES = new Builder<>(
                    "max_train_samples", DATA, ValueType.whole(1, Long.MAX_VALUE))
            .help("At most so many training examples, those that come first in the seed's order.");
    public static final Key<Long> MAX_EVAL_EXAMPLES = new Builder<>(
                    "max_eval_samples", DATA, ValueType.whole(1, Long.MAX_VALUE))
            .help("At most so many examples to evaluate on.");
    public static final Key<Boolean> SKIP_INVALID = new Builder<>("skip_invalid", DATA, ValueType.truth())
            .usual(false)
            .help("Goes on without examples that cannot be used, counted; else nothing starts.");
    public static final Key<Long> LIST_INVALID = new Builder<>("list_invalid", DATA, ValueType.whole(1, 100_000))
            .usual(10L)
            .same()
            .help("How many such examples are listed.");
    public static final Key<String> BOOTSTRAP_SERVERS = new Builder<>(
                    "bootstrap_servers", DATA, ValueType.text("HOST:PORT"))
            .usual("localhost:9092")
            .same()
            .help("Kafka, for 'kafka:TOPIC'.");
    public static final Key<String> TOPIC_OFFSETS = new Builder<>("topic_offsets", DATA, ValueType.text("P:FROM-TO,…"))
            .help("Offsets of each partition as in 0:100-250,1:0-; the end is not included. Else the whole topic.");
    public static final Key<Long> TOPIC_LIMIT = new Builder<>("topic_limit", DATA, ValueType.whole(1, Long.MAX_VALUE))
            .help("At most so many records of a topic, oldest first.");

    // ---- tokens and batches -----------------------------------------------------------------------------------------

    public static final Key<Long> MAX_LENGTH = new Builder<>("max_length", LENGTH, ValueType.whole(2, 1 << 20))
            .alias("max_seq_length")
            .alias("cutoff_len")
            .alias("block_size")
            .usualText("the model's context")
            .help("Tokens of an example, or of a packed row.");
    public static final Key<String> TRUNCATION = new Builder<>(
                    "truncation", LENGTH, ValueType.choice("truncate", "refuse"))
            .usual("truncate")
            .help("What becomes of a longer example; both are counted.");
    public static final Key<Boolean> PACKING = new Builder<>("packing", LENGTH, ValueType.truth())
            .usualText("true for pretrain, else false")
            .help("Several examples side by side in a row; none sees another.");
    public static final Key<Long> BATCH = new Builder<>(
                    "per_device_train_batch_size", LENGTH, ValueType.whole(1, 1 << 20))
            .usual(8L)
            .help("Examples, or packed rows, of a forward pass.");
    public static final Key<Long> EVAL_BATCH = new Builder<>(
                    "per_device_eval_batch_size", LENGTH, ValueType.whole(1, 1 << 20))
            .usual(8L)
            .help("Examples of a forward pass while evaluating.");
    public static final Key<Long> ACCUMULATION = new Builder<>(
                    "gradient_accumulation_steps", LENGTH, ValueType.whole(1, 1 << 20))
            .usual(1L)
            .help("Forward passes of an optimizer step.");
    public static final Key<Boolean> CHECKPOINTING = new Builder<>("gradient_checkpointing", LENGTH, ValueType.truth())
            .usual(false)
            .help("Computes activations a second time instead of keeping them: less memory, more time.");
    public static final Key<Double> MASK_PROBABILITY = new Builder<>(
                    "mlm_probability", LENGTH, ValueType.number("above 0 and less than 1", x -> x > 0 && x < 1))
            .usual(0.15)
            .help("Share of tokens to guess in masked-lm.");
    public static final Key<Boolean> WHOLE_WORDS = new Builder<>("whole_word_mask", LENGTH, ValueType.truth())
            .usual(false)
            .help("Masks whole words in masked-lm.");

    // ---- optimizer --------------------------------------------------------------------------------------------------

    public static final Key<Double> EPOCHS = new Builder<>(
                    "num_train_epochs", STEPS, ValueType.number("positive", x -> x > 0))
            .usual(3.0)
            .help("Passes over the data; a part of one is fine.");
    public static final Key<Long> MAX_STEPS = new Builder<>("max_steps", STEPS, ValueType.whole(-1, 1L << 40))
            .usual(-1L)
            .help("Optimizer steps in all, instead of num_train_epochs; -1 goes by epochs.");
    public static final Key<Double> LEARNING_RATE = new Builder<>(
                    "learning_rate", STEPS, ValueType.number("positive", x -> x > 0))
            .usualText("by stage")
            .help("Peak of the learning rate.");
    public static final Key<Double> WARMUP_RATIO = new Builder<>(
                    "warmup_ratio", STEPS, ValueType.number("from 0 to 1", x -> x >= 0 && x <= 1))
            .usual(0.0)
            .help("Share of all steps over which the rate rises.");
    public static final Key<Long> WARMUP_STEPS = new Builder<>("warmup_steps", STEPS, ValueType.whole(0, 1L << 40))
            .usual(0L)
            .help("The same as a number of steps; where positive, it counts.");
    public static final Key<String> SCHEDULER = new Builder<>("lr_scheduler_type", STEPS, ValueType.text("NAME"))
            .usual("linear")
            .help("How the rate falls after the warm-up.");
    public static final Key<Map<String, String>> SCHEDULER_ARGUMENTS = new Builder<>(
                    "lr_scheduler_kwargs", STEPS, ValueType.names("{NAME: X, …}"))
            .usual(Map.of())
            .help("Parameters of the schedule.");
    public static final Key<Double> WEIGHT_DECAY = new Builder<>(
                    "weight_decay", STEPS, ValueType.number("0 or more", x -> x >= 0))
            .usual(0.0)
            .help("Per step, times the learning rate; of matrices, not of norms and biases.");
    public static final Key<Double> MAX_GRAD_NORM = new Builder<>(
                    "max_grad_norm", STEPS, ValueType.number("positive", x -> x > 0))
            .usual(1.0)
            .help("L2 norm of all gradients together, above which they are scaled down.");
    public static final Key<Double> BETA1 = new Builder<>(
                    "adam_beta1", STEPS, ValueType.number("from 0 up to less than 1", x -> x >= 0 && x < 1))
            .usual(0.9)
            .help("Decay of the mean of gradients.");
    public static final Key<Double> BETA2 = new Builder<>(
                    "adam_beta2", STEPS, ValueType.number("from 0 up to less than 1", x -> x >= 0 && x < 1))
            .usual(0.999)
            .help("Decay of the mean of their squares.");
    public static final Key<Double> EPSILON = new Builder<>(
                    "adam_epsilon", STEPS, ValueType.number("positive", x -> x > 0))
            .usual(1e-8)
            .help("Added to the root of the latter.");
    public static final Key<Double> NEFTUNE = new Builder<>(
                    "neftune_noise_alpha", STEPS, ValueType.number("0 or more", x -> x >= 0))
            .usual(0.0)
            .help("Noise on embedded tokens while learning; 5 is usual, 0 is none.");
    public static final Key<Double> LAYER_DECAY = new Builder<>(
                    "layerwise_lr_decay", STEPS, ValueType.number("above 0 and at most 1", x -> x > 0 && x <= 1))
            .usual(1.0)
            .help("What each lower layer's learning rate is multiplied with, once more for each.");
    public static final Key<Double> HEAD_FACTOR = new Builder<>(
                    "head_lr_factor", STEPS, ValueType.number("0 or more", x -> x >= 0))
            .usual(1.0)
            .help("What the learning rate of heads is multiplied with.");
    public static final Key<Boolean> FREEZE_EMBEDDINGS = new Builder<>("freeze_embeddings", STEPS, ValueType.truth())
            .usual(false)
            .help("Leaves embeddings as they are.");
    public static final Key<Long> FREEZE_LAYERS = new Builder<>("freeze_layers", STEPS, ValueType.whole(0, 100_000))
            .usual(0L)
            .help("Leaves so many layers, the lowest, as they are.");
    public static final Key<List<String>> FREEZE = new Builder<>("freeze", STEPS, ValueType.texts("REGEX"))
            .usual(List.of())
            .help("Leaves tensors as they are in whose names one of these is found.");
    public static final Key<List<String>> NO_DECAY = new Builder<>("no_decay", STEPS, ValueType.texts("REGEX"))
            .usual(List.of())
            .help("Matrices in whose names one of these is found do not decay.");
    public static final Key<Long> SEED = new Builder<>("seed", STEPS, ValueType.whole(0, Long.MAX_VALUE))
            .usual(42L)
            .help("Decides the order of examples and every random number.");

    // ---- objective --------------------------------------------------------------------------------------------------

    public static final Key<Map<String, String>> OBJECTIVE_PARAMETERS = new Builder<>(
                    "objective", OBJECTIVE, ValueType.names("{NAME: X, …}"))
            .usual(Map.of())
            .help("Parameters of the stage's loss, as in {beta: 0.1}.");
    public static final Key<List<Map<String, String>>> REWARDS = new Builder<>(
                    "rewards", OBJECTIVE, ValueType.listOfNames("[{kind: NAME, …}, …]"))
            .usual(List.of())
            .help("What judges answers in stages with rollouts.");
    public static final Key<List<Map<String, String>>> HELD_OUT_REWARDS = new Builder<>(
                    "held_out_rewards", OBJECTIVE, ValueType.listOfNames("[{kind: NAME, …}, …]"))
            .usual(List.of())
            .help("What judges them too and is not learned from: the guard's second opinion.");
    public static final Key<Map<String, String>> ROLLOUT = new Builder<>(
                    "rollout", OBJECTIVE, ValueType.names("{NAME: X, …}"))
            .usual(Map.of())
            .help("How answers are sampled, in stages that do.");

    // ---- adapter ----------------------------------------------------------------------------------------------------

    public static final Key<Long> LORA_RANK = new Builder<>("lora_r", ADAPTER, ValueType.whole(0, 1 << 16))
            .alias("lora_rank")
            .usual(0L)
            .help("Rank of the adapter; 0 trains all weights.");
    public static final Key<Double> LORA_ALPHA = new Builder<>(
                    "lora_alpha", ADAPTER, ValueType.number("positive", x -> x > 0))
            .usualText("twice the rank")
            .help("Scale of the adapter, divided by its rank.");
    public static final Key<List<String>> LORA_TARGETS = new Builder<>(
                    "lora_target_modules", ADAPTER, ValueType.texts("NAME"))
            .alias("lora_target")
            .usual(List.of())
            .usualText("all linear layers")
            .help("Layers with an adapter, such as q_proj.");
    public static final Key<Boolean> LORA_STABILISED = new Builder<>("use_rslora", ADAPTER, ValueType.truth())
            .alias("lora_use_rslora")
            .usual(false)
            .help("Divides by the root of the rank instead.");
    public static final Key<Boolean> MERGE = new Builder<>("merge", ADAPTER, ValueType.truth())
            .alias("lora_merge")
            .usual(false)
            .help("Ends with the whole model, the adapter merged, instead of the adapter alone.");

    // ---- machine ----------------------------------------------------------------------------------------------------

    public static final Key<String> COMPUTE_TYPE = new Builder<>(
                    "compute_type", MACHINE, ValueType.choice("auto", "float32", "bfloat16"))
            .usual("auto")
            .help("Number type of matrix products; auto is bfloat16 where the processor has it.");
    public static final Key<String> SAVE_TYPE = new Builder<>(
                    "save_dtype", MACHINE, ValueType.choice("float32", "bfloat16"))
            .usual("float32")
            .help("Number type of the weights that are written.");
    public static final Key<Long> THREADS = new Builder<>("threads", MACHINE, ValueType.whole(1, 1024))
            .usual(1L)
            .help("Threads of libtorch.");

    // ---- report -----------------------------------------------------------------------------------------------------

    public static final Key<Long> LOGGING_STEPS = new Builder<>("logging_steps", REPORT, ValueType.whole(1, 1L << 40))
            .usual(10L)
            .same()
            .help("Steps between two logged lines.");
    public static final Key<Boolean> EVAL_ON_START = new Builder<>("eval_on_start", REPORT, ValueType.truth())
            .usual(false)
            .same()
            .help("Evaluates before the first step as well.");
    public static final Key<String> EVAL_STRATEGY = new Builder<>(
                    "eval_strategy", REPORT, ValueType.choice("auto", "no", "steps", "epoch"))
            .usual("auto")
            .help("When to evaluate besides the end; auto goes by eval_steps.");
    public static final Key<Long> EVAL_STEPS = new Builder<>("eval_steps", REPORT, ValueType.whole(1, 1L << 40))
            .usualText("only at the end")
            .help("Steps between two evaluations.");
    public static final Key<String> SAVE_STRATEGY = new Builder<>(
                    "save_strategy", REPORT, ValueType.choice("steps", "epoch", "no"))
            .usual("steps")
            .help("When a checkpoint is written.");
    public static final Key<Long> SAVE_STEPS = new Builder<>("save_steps", REPORT, ValueType.whole(1, 1L << 40))
            .usual(500L)
            .help("Steps between two checkpoints.");
    public static final Key<Long> SAVE_TOTAL_LIMIT = new Builder<>(
                    "save_total_limit", REPORT, ValueType.whole(1, 1L << 30))
            .same()
            .usualText("all")
            .help("Checkpoints that are kept: the newest, and the best where load_best_model_at_end.");
    public static final Key<Boolean> LOAD_BEST = new Builder<>("load_best_model_at_end", REPORT, ValueType.truth())
            .usual(false)
            .help("Ends with the best checkpoint instead of the last step.");
    public static final Key<String> METRIC = new Builder<>("metric_for_best_model", REPORT, ValueType.text("NAME"))
            .usual("loss")
            .help("Which figure of the evaluation says what is best, with or without eval_.");
    public static final Key<Boolean> GREATER = new Builder<>("greater_is_better", REPORT, ValueType.truth())
            .usualText("false for losses and perplexity, else true")
            .help("Whether more of it is better.");
    public static final Key<Long> PATIENCE = new Builder<>(
                    "early_stopping_patience", REPORT, ValueType.whole(1, 1L << 30))
            .usualText("never")
            .help("Stops after so many evaluations without a better one.");
    public static final Key<Double> PATIENCE_THRESHOLD = new Builder<>(
                    "early_stopping_threshold", REPORT, ValueType.number("0 or more", x -> x >= 0))
            .usual(0.0)
            .help("By how much an evaluation must be better to count as such.");

    private Keys() {}

    /** All, in the order in which help lists them. */
    public static List<Key<?>> all() {
        return List.copyOf(ALL);
    }

    /** Collects what differs from the usual of a key; {@link #help} ends it. */
    private static final class Builder<T> {
        private final String name;
        private final Group group;
        private final ValueType<T> value;
        private final List<String> aliases = new ArrayList<>();
        private Optional<T> usual = Optional.empty();
        private String usualText = "";
        private boolean changesRun = true;

        Builder(String name, Group group, ValueType<T> value) {
            this.name = name;
            this.group = group;
            this.value = value;
        }

        Builder<T> alias(String other) {
            aliases.add(other);
            return this;
        }

        Builder<T> usual(T value) {
            usual = Optional.of(value);
            usualText = value.toString().equals("{}") || value.toString().equals("[]") ? "none" : ValueType.told(value);
            return this;
        }

        Builder<T> usualText(String text) {
            usualText = text;
            return this;
        }

        /** It does not change what is learned. */
        Builder<T> same() {
            changesRun = false;
            return this;
        }

        Key<T> help(String sentence) {
            Key<T> key = new Key<>(name, aliases, group, value, usual, usualText, sentence, changesRun);
            ALL.add(key);
            return key;
        }
    }
}
