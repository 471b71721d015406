package io.tidemill.trainer.checkpoint;

import io.tidemill.proto.VersionId;
import io.tidemill.trainer.slice.KeptSlices;
import io.tidemill.trainer.slice.Slice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Slices that the versions of a store keep. */
public record SliceCopies(CheckpointStore store) implements KeptSlices {
    private static final Logger LOG = LoggerFactory.getLogger(SliceCopies.class);

    @Override
    public Optional<Kept> of(Slice slice) {
        try {
            List<VersionId> newestFirst = new ArrayList<>(store.versions());
            Collections.reverse(newestFirst);
            for (VersionId version : newestFirst) {
                Path state = store.directory(version).resolve(CheckpointStore.STATE);
                if (SliceCopy.exists(state) && slice(version).covers(slice) && isWhole(state)) {
                    LOG.info("version={} its copy is read, because the log no longer holds all of {}", version, slice);
                    return Optional.of((asked, sink) -> read(state, asked, sink));
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Slice slice(VersionId version) throws IOException {
        return Slice.of(store.manifest(version).event().getLineage().getSlicesList());
    }

    private static boolean isWhole(Path state) throws IOException {
        try {
            Sums.check(state, SliceCopy.FILE);
            return true;
        } catch (DamagedFileException e) {
            LOG.warn("{} It is not read.", e.getMessage());
            return false;
        }
    }

    private static void read(Path state, Slice slice, Consumer<ConsumerRecord<byte[], byte[]>> sink) {
        try {
            SliceCopy.read(state).stream()
                    .filter(record ->
                            slice.has(new TopicPartition(record.topic(), record.partition()), record.offset()))
                    .forEach(sink);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
