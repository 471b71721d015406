package io.tidemill.preprocess;

import io.tidemill.model.text.BpeTrainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A real tokenizer of bytes and a few merges, with a chat template, for tests. */
public final class TinyTokenizer {
    private static final String TEMPLATE = "{% for message in messages %}<|start|>{{ message.role }}\n"
            + "{{ message.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|start|>assistant\n{% endif %}";

    private TinyTokenizer() {}

    /** Writes tokenizer.json and tokenizer_config.json; another text gives another fingerprint. */
    public static void write(Path directory, String text) throws IOException {
        BpeTrainer trainer = new BpeTrainer(300, List.of("<|endoftext|>", "<|start|>", "<|end|>"));
        trainer.add(text);
        trainer.train().write(directory, "<|endoftext|>", TEMPLATE, 512);
    }
}
