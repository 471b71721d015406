package io.tidemill.feedback.answer;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Loads versions with Tidemill's own engine. */
public final class LanguageModelLoader implements EngineLoader {
    private static final Tolerance FLOAT32 = new Tolerance(1e-3, 0);
    private static final Tolerance BFLOAT16 = new Tolerance(1e-3, 2e-2);

    private final ComputeType compute;
    private final int atOnce;
    private final int threads;

    /**
     * A loader.
     *
     * @param atOnce  answers that are written together at most
     * @param threads inside one operation
     */
    public LanguageModelLoader(ComputeType compute, int atOnce, int threads) {
        this.compute = compute;
        this.atOnce = atOnce;
        this.threads = threads;
    }

    @Override
    public AnswerEngine load(String version, Path directory) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(directory);
        try {
            Optional<ChatEncoder> chat = chat(directory, tokenizer);
            LanguageModel model = LanguageModel.load(directory, compute);
            Set<Integer> stopTokens = new HashSet<>(model.config().eosTokenIds());
            stopTokens.add(tokenizer.endOfText());
            chat.ifPresent(encoder -> stopTokens.add(encoder.endOfTurn()));
            return new LanguageModelEngine(version, model, tokenizer, chat, stopTokens, atOnce, threads);
        } catch (IOException | RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    /** A model that was never taught to converse has no template, and still continues text. */
    private static Optional<ChatEncoder> chat(Path directory, Tokenizer tokenizer) throws IOException {
        try {
            return Optional.of(new ChatEncoder(tokenizer, ChatTemplate.load(directory)));
        } catch (NoSuchFileException none) {
            return Optional.empty();
        }
    }

    @Override
    public Tolerance tolerance() {
        return compute == ComputeType.BFLOAT16 ? BFLOAT16 : FLOAT32;
    }
}
