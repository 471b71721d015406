package io.tidemill.preprocess.outcome;

import com.google.protobuf.Message;
import java.util.Set;

/** One of several kinds of message that flow through the same operators. */
public interface Wrapped {
    /** The message inside. */
    Message message();

    /** Its own id, or the hash of its content. */
    String id();

    /** What it goes by where something is to be forgotten. */
    Set<String> keys();
}
