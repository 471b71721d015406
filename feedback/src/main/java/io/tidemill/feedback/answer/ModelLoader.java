package io.tidemill.feedback.answer;

import io.tidemill.model.engine.ComputeType;
import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.ChatTemplate;
import io.tidemill.model.text.EncoderFrame;
import io.tidemill.model.text.Tokenizer;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** Loads versions with Tidemill's own engine; what {@code config.json} says they are decides what they can be asked. */
public final class ModelLoader implements EngineLoader {
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
    public ModelLoader(ComputeType compute, int atOnce, int threads) {
        this.compute = compute;
        this.atOnce = atOnce;
        this.threads = threads;
    }

    @Override
    public Engine load(String version, Path directory) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(directory);
        try {
            return EncoderConfig.isEncoder(directory.resolve("config.json"))
                    ? encoder(version, directory, tokenizer)
                    : decoder(version, directory, tokenizer);
        } catch (IOException | RuntimeException | Error e) {
            tokenizer.close();
            throw e;
        }
    }

    private Engine encoder(String version, Path directory, Tokenizer tokenizer) throws IOException {
        EncoderConfig config = EncoderConfig.read(directory.resolve("config.json"));
        EncoderFrame frame = new EncoderFrame(tokenizer, config.maxPositions());
        return switch (config.head()) {
            case LABELS ->
                new EncoderClassifier(version, EncoderModel.load(directory, compute), tokenizer, frame, threads);
            case MASKED -> {
                int mask = EncoderFrame.id(tokenizer, FillMaskEngine.MASK);
                yield new EncoderMaskFiller(
                        version, EncoderModel.load(directory, compute), tokenizer, frame, mask, threads);
            }
            case NONE, BARE ->
                throw new IllegalArgumentException(version + " is a BertModel without a head, of which nothing can be"
                        + " asked; publish a BertForSequenceClassification or a BertForMaskedLM");
        };
    }

    private Engine decoder(String version, Path directory, Tokenizer tokenizer) throws IOException {
        Optional<ChatEncoder> chat = chat(directory, tokenizer);
        LanguageModel model = LanguageModel.load(directory, compute);
        Set<Integer> stopTokens = new HashSet<>(model.config().eosTokenIds());
        stopTokens.add(tokenizer.endOfText());
        chat.ifPresent(encoder -> stopTokens.add(encoder.endOfTurn()));
        return new LanguageModelEngine(version, model, tokenizer, chat, stopTokens, atOnce, threads);
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
