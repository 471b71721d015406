package io.tidemill.feedback.answer;

import io.tidemill.model.engine.EncoderInput;
import io.tidemill.model.engine.EncoderModel;
import io.tidemill.model.engine.Threads;
import io.tidemill.model.text.EncoderFrame;
import io.tidemill.model.text.Tokenizer;

/** What Tidemill's encoders have in common, whatever their head. */
abstract class EncoderEngine {
    private final String version;
    private final EncoderModel model;
    private final Tokenizer tokenizer;
    private final EncoderFrame frame;
    private final int threads;

    /** @param threads inside one operation */
    EncoderEngine(String version, EncoderModel model, Tokenizer tokenizer, EncoderFrame frame, int threads) {
        this.version = version;
        this.model = model;
        this.tokenizer = tokenizer;
        this.frame = frame;
        this.threads = threads;
    }

    public final String version() {
        return version;
    }

    public final int contextTokens() {
        return model.config().maxPositions();
    }

    public final long parameters() {
        return model.config().parameterCount();
    }

    /** Ids of a text with what belongs around it. */
    final EncodedText framed(int[] ids) {
        return new EncodedText(frame.around(ids), frame.cuts(ids.length));
    }

    /** The model, about to be asked by this thread. */
    final EncoderModel model() {
        Threads.intraOp(threads);
        return model;
    }

    final Tokenizer tokenizer() {
        return tokenizer;
    }

    static EncoderInput input(EncodedText text) {
        return EncoderInput.of(text.ids());
    }

    public final void close() {
        model.close();
        tokenizer.close();
    }
}
