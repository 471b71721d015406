package io.tidemill.feedback.answer;

import io.tidemill.model.engine.Generation;
import io.tidemill.model.engine.LanguageModel;
import io.tidemill.model.engine.Sampling;
import io.tidemill.model.engine.SharedGenerator;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.text.ChatEncoder;
import io.tidemill.model.text.StreamingDecoder;
import io.tidemill.model.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Tidemill's own engine as an {@link AnswerEngine}. */
final class LanguageModelEngine implements AnswerEngine {
    private final String version;
    private final LanguageModel model;
    private final SharedGenerator generator;
    private final Tokenizer tokenizer;
    private final Optional<ChatEncoder> chat;
    private final Set<Integer> stopTokens;
    private final int threads;

    /**
     * @param chat       empty for a model without a chat template
     * @param stopTokens each ends an answer
     * @param atOnce     answers that are written together at most
     * @param threads    inside one operation
     */
    LanguageModelEngine(
            String version,
            LanguageModel model,
            Tokenizer tokenizer,
            Optional<ChatEncoder> chat,
            Set<Integer> stopTokens,
            int atOnce,
            int threads) {
        this.version = version;
        this.model = model;
        this.generator = new SharedGenerator(model, atOnce, threads);
        this.tokenizer = tokenizer;
        this.chat = chat;
        this.stopTokens = Set.copyOf(stopTokens);
        this.threads = threads;
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public int contextTokens() {
        return model.config().maxPositions();
    }

    @Override
    public long parameters() {
        return model.config().parameterCount();
    }

    @Override
    public int[] promptTokens(Question question) {
        if (question instanceof Question.RawText raw) {
            return tokenizer.encode(raw.text());
        }
        return chat.orElseThrow(
                        () -> new IllegalArgumentException(version + " has no chat template; use /v1/completions"))
                .prompt(question.messages());
    }

    @Override
    public Answer answer(int[] prompt, AnswerSettings settings, PieceListener listener) {
        Writing writing = new Writing(settings, listener);
        Sampling sampling = new Sampling(
                settings.temperature(),
                settings.topP(),
                settings.topK(),
                settings.minP(),
                settings.repetitionPenalty(),
                settings.maxTokens(),
                settings.seed(),
                stopTokens);
        return writing.finish(generator.generate(prompt, sampling, writing::token));
    }

    @Override
    public float[] probeLogits(int[] ids) {
        Threads.intraOp(threads);
        float[][] logits = model.logits(ids);
        return logits[logits.length - 1];
    }

    @Override
    public void close() {
        generator.close();
        model.close();
        tokenizer.close();
    }

    /** One answer as it grows: tokens to text, and text up to a stop text. */
    private final class Writing {
        private final StreamingDecoder decoder = new StreamingDecoder(tokenizer);
        private final StringBuilder text = new StringBuilder();
        private final PieceListener listener;
        private final StopText stop;
        private final List<Integer> lengths = new ArrayList<>();
        private int decoded;

        Writing(AnswerSettings settings, PieceListener listener) {
            this.listener = listener;
            this.stop = new StopText(settings.stop());
        }

        boolean token(int token, float logProbability) {
            String brought = isUnused(token) ? "" : decoder.append(token);
            decoded += brought.length();
            lengths.add(decoded);
            String shown = stop.append(brought);
            text.append(shown);
            boolean goOn = listener.accept(new Piece(token, logProbability, shown, bytes(token)));
            return goOn && !stop.found();
        }

        Answer finish(Generation generation) {
            String tail = (stop.found() ? "" : stop.append(decoder.finish())) + stop.finish();
            text.append(tail);
            if (!stop.found()) {
                return new Answer(
                        text.toString(),
                        tail,
                        generation.tokens(),
                        generation.logProbabilities(),
                        generation.stop().map(end -> new Answer.End(end.token(), end.logProbability())),
                        finish(generation.reason()));
            }
            int kept = tokensBeforeStop();
            return new Answer(
                    text.toString(),
                    tail,
                    Arrays.copyOf(generation.tokens(), kept),
                    Arrays.copyOf(generation.logProbabilities(), kept),
                    Optional.empty(),
                    Answer.Finish.STOP);
        }

        /** Tokens that lie wholly in the answer; the one that the stop text begins in is not among them. */
        private int tokensBeforeStop() {
            int kept = 0;
            while (kept < lengths.size() && lengths.get(kept) <= text.length()) {
                kept++;
            }
            // Half a character at the end brought nothing: its other half belongs to what was cut off.
            while (kept > 0 && length(kept - 1) == length(kept - 2)) {
                kept--;
            }
            return kept;
        }

        private int length(int token) {
            return token < 0 ? 0 : lengths.get(token);
        }

        private Answer.Finish finish(io.tidemill.model.engine.FinishReason reason) {
            return switch (reason) {
                case STOP -> Answer.Finish.STOP;
                case LENGTH -> Answer.Finish.LENGTH;
                case CANCELLED -> Answer.Finish.CANCELLED;
            };
        }

        private byte[] bytes(int token) {
            if (isUnused(token)) {
                return new byte[0];
            }
            return tokenizer.isByteLevel()
                    ? tokenizer.bytes(token)
                    : tokenizer.token(token).getBytes(StandardCharsets.UTF_8);
        }

        /** Models round their vocabulary up (Qwen2 to 151,936 for 151,665 tokens); an id beyond spells nothing. */
        private boolean isUnused(int token) {
            return token >= tokenizer.vocabularySize();
        }
    }
}
