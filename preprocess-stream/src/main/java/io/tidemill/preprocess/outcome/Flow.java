package io.tidemill.preprocess.outcome;

import io.tidemill.proto.ProtoSerde;
import io.tidemill.proto.v1.Rejected;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Named;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The pieces that both topologies are drawn with. */
public final class Flow {
    private Flow() {}

    /** What a stage lets go on. */
    public static <V> KStream<String, V> passed(KStream<String, Outcome<V>> stage, String name) {
        return stage.flatMapValues(Outcome::passed, Named.as(name + "-passed"));
    }

    /** What a stage refuses, as the record for {@code rejected}. */
    public static <V> KStream<String, Rejected> refused(KStream<String, Outcome<V>> stage, String name) {
        return stage.flatMapValues(Outcome::refused, Named.as(name + "-refused"));
    }

    /** Ends a flow of refusals in their topic. */
    public static void toRejected(KStream<String, Rejected> refused, String topic) {
        refused.to(
                topic,
                Produced.with(Serdes.String(), ProtoSerde.of(Rejected.getDefaultInstance()))
                        .withName("rejected"));
    }

    /** A store for {@link io.tidemill.preprocess.state.ExpiringMap}s, on disk and logged. */
    public static StoreBuilder<KeyValueStore<Bytes, byte[]>> store(String name) {
        return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.Bytes(), Serdes.ByteArray());
    }
}
