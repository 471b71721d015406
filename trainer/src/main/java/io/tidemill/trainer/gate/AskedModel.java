package io.tidemill.trainer.gate;

import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * How a decoder is asked the operator's questions.
 *
 * @param chat      empty where it has no usable chat template
 * @param positions tokens of question and answer, at most
 */
public record AskedModel(Tokenizer tokenizer, Optional<ChatEncoder> chat, int positions) {
    /** @throws IllegalArgumentException if it cannot be asked that; the message names line and remedy */
    TokenizedProbe tokenize(OperatorProbe probe, int usualTokens) {
        Question question = question(probe, usualTokens);
        List<int[]> choices = probe.choices().stream()
                .map(choice -> choice(probe, question.prompt(), choice))
                .toList();
        TokenizedProbe tokenized = new TokenizedProbe(probe, question, choices);
        int longest = tokenized.texts().stream()
                .mapToInt(text -> text.length)
                .max()
                .orElse(question.prompt().length + question.maxTokens());
        if (longest > positions) {
            throw new IllegalArgumentException(probe.place() + ": is up to " + longest
                    + " tokens long with its answer, but the model has " + positions
                    + " positions. Shorten it, or its \"max_tokens\".");
        }
        return tokenized;
    }

    Question question(OperatorProbe probe, int usualTokens) {
        int[] prompt = probe.prompt().map(tokenizer::encode).orElseGet(() -> ofMessages(probe));
        if (prompt.length == 0) {
            throw new IllegalArgumentException(probe.place() + ": the prompt has no token");
        }
        return new Question(prompt, probe.maxTokens().orElse(usualTokens));
    }

    private int[] ofMessages(OperatorProbe probe) {
        ChatEncoder encoder = chat.orElseThrow(() -> new IllegalArgumentException(
                probe.place() + ": has \"messages\", but the model has no chat template. Write them as a \"prompt\"."));
        try {
            return encoder.prompt(probe.messages());
        } catch (RuntimeException e) { // templates are programs: what they throw has no common type
            throw new IllegalArgumentException(
                    probe.place() + ": the model's chat template does not take these messages: " + e.getMessage(), e);
        }
    }

    private int[] choice(OperatorProbe probe, int[] prompt, String choice) {
        if (probe.prompt().isEmpty()) {
            return chat.orElseThrow().answer(choice);
        }
        int[] both = tokenizer.encode(probe.prompt().get() + choice);
        boolean goesOn = both.length > prompt.length && Arrays.equals(prompt, Arrays.copyOf(both, prompt.length));
        return goesOn ? Arrays.copyOfRange(both, prompt.length, both.length) : tokenizer.encode(choice);
    }
}
