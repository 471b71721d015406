package io.tidemill.proto.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Makes a version's weights of its parent's and of its adapter, as the trainer did. What it makes counts only where it has the
 * announced digests.
 */
@FunctionalInterface
public interface AdapterMerger {
    /**
     * Writes the weights.
     *
     * @param parent  Hugging Face directory of the parent
     * @param adapter directory in PEFT's layout
     * @param merged  Hugging Face directory to be made; does not exist yet
     * @throws IOException where it cannot; whatever was written is taken away by the caller
     */
    void merge(Path parent, Path adapter, Path merged) throws IOException;
}
