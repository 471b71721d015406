package io.tidemill.preprocess.outcome;

import com.google.protobuf.Message;

/** One of several kinds of message that flow through the same operators. */
public interface Wrapped {
    /** The message inside. */
    Message message();
}
