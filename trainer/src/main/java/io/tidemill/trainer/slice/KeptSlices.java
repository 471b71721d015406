package io.tidemill.trainer.slice;

import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Slices that somebody keeps for when the log has dropped them. */
@FunctionalInterface
public interface KeptSlices {
    KeptSlices NONE = slice -> Optional.empty();

    /** One that has all of the slice. */
    Optional<Kept> of(Slice slice);

    /** Records of a slice, or of more than that. */
    @FunctionalInterface
    interface Kept {
        /** Hands over those of the slice that were kept, in order within a partition. */
        void read(Slice slice, Consumer<ConsumerRecord<byte[], byte[]>> sink);
    }
}
