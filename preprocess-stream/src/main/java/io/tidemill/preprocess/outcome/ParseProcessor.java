package io.tidemill.preprocess.outcome;

import com.google.protobuf.Message;
import io.tidemill.proto.Ids;
import io.tidemill.proto.Reading;
import io.tidemill.proto.RecordReader;
import io.tidemill.proto.v1.Rejected;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;

/**
 * The first operator of every source: bytes in, a message under the id in its payload out, or a refusal. Incoming keys
 * are not trusted and incoming headers end here.
 *
 * @param <M> message of the source topic
 * @param <V> what the topology goes on with
 */
public final class ParseProcessor<M extends Message, V extends Wrapped>
        implements Processor<byte[], byte[], String, Outcome<V>> {
    /** Name of this stage in {@code rejected} and in the counts. */
    public static final String STAGE = "parse";

    private final RecordReader<M> reader;
    private final Function<M, V> wrap;
    private final Function<V, String> id;
    private final int maxBytes;
    private final Erased erased;
    private final Outcomes outcomes;
    private ProcessorContext<String, Outcome<V>> context;

    /**
     * @param wrap     from the message to what goes on; null where the record is none of our business
     * @param id       that the record is repartitioned by
     * @param maxBytes largest message as protobuf that internal topics take; JSON may be smaller than what it says
     * @param erased   what is to be forgotten goes no further, and nothing of it but its id
     */
    public ParseProcessor(
            RecordReader<M> reader,
            Function<M, V> wrap,
            Function<V, String> id,
            int maxBytes,
            Erased erased,
            Outcomes outcomes) {
        this.reader = reader;
        this.wrap = wrap;
        this.id = id;
        this.maxBytes = maxBytes;
        this.erased = erased;
        this.outcomes = outcomes;
    }

    @Override
    public void init(ProcessorContext<String, Outcome<V>> context) {
        this.context = context;
    }

    @Override
    public void process(Record<byte[], byte[]> input) {
        Origin origin = Origin.of(context, input.key());
        Reading<M> reading = reader.read(input.value(), input.headers());
        if (reading instanceof Reading.Refused<M> refused) {
            refuse(input, origin, new Refusal(STAGE, refused.code(), refused.reason()));
        } else if (reading instanceof Reading.Accepted<M> accepted) {
            accept(input, origin, accepted.message());
        }
    }

    private void accept(Record<byte[], byte[]> input, Origin origin, M message) {
        int bytes = message.getSerializedSize();
        if (bytes > maxBytes) {
            String reason = "the record is " + bytes + " bytes as protobuf, at most " + maxBytes + " are taken";
            refuse(input, origin, new Refusal(STAGE, "too-large", reason));
            return;
        }
        V value = wrap.apply(message);
        if (value == null) {
            return;
        }
        Optional<Record<String, Outcome<V>>> gone =
                erased.refuse(STAGE, value::keys, value.id(), origin, input.timestamp(), context);
        if (gone.isPresent()) {
            context.forward(gone.get());
            return;
        }
        outcomes.accepted(STAGE);
        context.forward(
                new Record<>(id.apply(value), new Outcome.Passed<>(value), input.timestamp(), origin.headers()));
    }

    private void refuse(Record<byte[], byte[]> input, Origin origin, Refusal refusal) {
        outcomes.refused(refusal);
        Instant now = Instant.ofEpochMilli(context.currentSystemTimeMs());
        String sourceId = Ids.contentHash(input.value() == null ? new byte[0] : input.value());
        Rejected rejected = origin.refuse(refusal, input.value(), input.headers(), now, sourceId);
        context.forward(
                new Record<>(sourceId, new Outcome.Refused<>(rejected), input.timestamp(), new RecordHeaders()));
    }
}
