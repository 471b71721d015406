package io.tidemill.trainer.slice;

import java.util.Map;
import org.apache.kafka.common.TopicPartition;

/** The log no longer holds what a slice names. */
public final class SliceGoneException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SliceGoneException(Slice slice, Map<TopicPartition, Long> gone, Throwable cause) {
        super(
                "The log no longer holds offsets " + gone + " of slice " + slice
                        + ": retention or a new topic took them. The round is given up; the next one starts at what is left.",
                cause);
    }
}
