package io.tidemill.trainer.offline.recipe;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One key of a recipe, which is a flag as well: {@code learning_rate} is {@code --learning-rate}. Dots, hyphens and
 * underscores are the same, so that {@code lora: {alpha: 16}}, {@code lora_alpha: 16} and {@code --lora-alpha 16} are too.
 *
 * @param name        as {@code TrainingArguments}, TRL or LLaMA-Factory call it
 * @param aliases     other names of the same
 * @param group       under which it is listed
 * @param value       what it may be
 * @param usual       the value where none is given; empty where there is none, or where it depends on others
 * @param usualText   how the usual value is told
 * @param help        one sentence, with the unit
 * @param changesRun  whether another value makes other weights; the others may change between a stop and its resumption
 */
public record Key<T>(
        String name,
        List<String> aliases,
        Group group,
        ValueType<T> value,
        Optional<T> usual,
        String usualText,
        String help,
        boolean changesRun) {
    /** Headings of the list of keys. */
    public enum Group {
        MODEL("Model"),
        DATA("Data"),
        LENGTH("Tokens and batches"),
        STEPS("Optimizer and schedule"),
        OBJECTIVE("Objective, rewards and rollouts"),
        ADAPTER("LoRA"),
        MACHINE("Arithmetic"),
        REPORT("Logging, evaluation and checkpoints");

        private final String heading;

        Group(String heading) {
            this.heading = heading;
        }

        public String heading() {
            return heading;
        }
    }

    public Key {
        aliases = List.copyOf(aliases);
    }

    /** As the command line has it. */
    public String flag() {
        return "--" + name.replace('_', '-');
    }

    /** The same text for every spelling of a name. */
    static String normal(String name) {
        return name.toLowerCase(Locale.ROOT).replace('-', '_').replace('.', '_');
    }

    /** The value that stands there, or why there is none. */
    T read(JsonNode node) throws ValueType.Unusable {
        return value.read(node);
    }

    @Override
    public String toString() {
        return name;
    }
}
