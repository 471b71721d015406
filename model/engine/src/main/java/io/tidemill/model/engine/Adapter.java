package io.tidemill.model.engine;

import java.nio.file.Path;

/**
 * A low-rank adapter in native memory, to be put on models of one shape, which it never changes and does not own.
 *
 * @param <M> what it is put on
 */
public sealed interface Adapter<M extends Model<M>> extends AutoCloseable permits LoraAdapter, EncoderAdapter {
    /**
     * Publishes it: writes a directory that PEFT loads, reads it back and compares, and only then gives the directory its
     * name.
     *
     * @param directory does not exist yet
     * @param base      the model that it was trained on
     */
    void save(Path directory, M base);

    /** A copy of the base whose weights are W + s·B·A. */
    M mergedInto(M base);

    @Override
    void close();
}
