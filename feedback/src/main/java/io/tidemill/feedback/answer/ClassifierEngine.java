package io.tidemill.feedback.answer;

import java.util.List;

/** The port between the gateway and a version that tells what texts are. */
public non-sealed interface ClassifierEngine extends TextEngine {
    @Override
    default Task task() {
        return Task.CLASSIFY;
    }

    /** What it says of each text, in one pass over the weights, on the calling thread. */
    List<Classification> classify(List<EncodedText> texts);
}
