package io.tidemill.model.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/**
 * The weights of one version, whatever they compute, in native memory. Immutable; any number of threads may read at once,
 * and whoever made it closes it after the last of them.
 *
 * @param <M> its kind
 */
public sealed interface Model<M extends Model<M>> extends AutoCloseable permits LanguageModel, EncoderModel {
    /** Reads a Hugging Face directory; {@code config.json} tells a decoder from an encoder. */
    static Model<?> load(Path huggingFaceDirectory, ComputeType compute) {
        try {
            return EncoderConfig.isEncoder(huggingFaceDirectory.resolve("config.json"))
                    ? EncoderModel.load(huggingFaceDirectory, compute)
                    : LanguageModel.load(huggingFaceDirectory, compute);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "Cannot read the model in " + huggingFaceDirectory + ": " + e.getMessage(), e);
        }
    }

    /** Number of weights; tied ones count once. */
    long parameterCount();

    /** Longest input; tokens. */
    int maxPositions();

    ComputeType computeType();

    /** The same weights in memory of their own. */
    M copy();

    /** Writes a Hugging Face directory's configuration and weights, flushed. */
    void save(Path directory, WeightType type);

    /** SHA-256 over all weights in the order of their names, as little-endian float32; lower-case hex. */
    String digest();

    /**
     * What it says at the end of an input, by which it can be known again: a decoder's logits of the next token, {@code [V]};
     * an encoder's of its labels, {@code [labels]}, or of the last token, {@code [V]}, or that token's hidden state.
     *
     * @param ids a whole input, with the special tokens that an encoder wants
     */
    float[] lastLogits(int[] ids);

    @Override
    void close();
}
