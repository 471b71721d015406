package io.tidemill.preprocess.outcome;

import io.tidemill.proto.v1.Rejected;
import java.util.List;

/** What a stage made of one record: something to go on with, or a refusal to keep. */
public sealed interface Outcome<V> {
    /** What goes on, one or none. */
    List<V> passed();

    /** What goes to {@code rejected}, one or none. */
    List<Rejected> refused();

    record Passed<V>(V value) implements Outcome<V> {
        @Override
        public List<V> passed() {
            return List.of(value);
        }

        @Override
        public List<Rejected> refused() {
            return List.of();
        }
    }

    record Refused<V>(Rejected rejected) implements Outcome<V> {
        @Override
        public List<V> passed() {
            return List.of();
        }

        @Override
        public List<Rejected> refused() {
            return List.of(rejected);
        }
    }
}
