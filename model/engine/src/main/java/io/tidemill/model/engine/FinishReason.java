package io.tidemill.model.engine;

/** Why an answer ended: a stop token, no room (tokens asked for, or positions of the model), or its reader went. */
public enum FinishReason {
    STOP,
    LENGTH,
    CANCELLED
}
