package io.tidemill.feedback.answer;

import java.io.IOException;
import java.nio.file.Path;

/** Opens a version's directory as something that can be asked. */
public interface EngineLoader {
    /** @throws IllegalArgumentException if the version is of no use here; says why */
    Engine load(String version, Path huggingFaceDirectory) throws IOException;

    /** How far a logit may lie from the probe's. */
    Tolerance tolerance();

    /**
     * A logit passes when it differs by at most {@code absolute + relative · max(1, max |probe|)}.
     *
     * @param relative share of the largest probe logit, or of 1 where that is larger; 0 asks for the absolute bound alone
     */
    record Tolerance(double absolute, double relative) {}
}
