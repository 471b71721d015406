package io.tidemill.preprocess.route;

import io.tidemill.preprocess.outcome.Wrapped;
import io.tidemill.preprocess.outcome.WrappedSerde;
import io.tidemill.proto.ErasureKeys;
import io.tidemill.proto.v1.Completion;
import io.tidemill.proto.v1.Feedback;
import java.util.Set;

/** What happens in a turn: an answer is shown, or somebody says something about one. */
sealed interface TurnEvent extends Wrapped {
    /** For the repartition topic; numbers are never used again. */
    static WrappedSerde<TurnEvent> serde() {
        return new WrappedSerde<TurnEvent>()
                .kind(1, Shown.class, Completion.parser(), Shown::new)
                .kind(2, Said.class, Feedback.parser(), Said::new);
    }

    /** What the events of a turn meet under. */
    String turn();

    record Shown(Completion message) implements TurnEvent {
        @Override
        public Set<String> keys() {
            return ErasureKeys.of(message);
        }

        @Override
        public String turn() {
            return message.getTurnId();
        }

        @Override
        public String id() {
            return message.getCompletionId();
        }
    }

    record Said(Feedback message) implements TurnEvent {
        @Override
        public Set<String> keys() {
            return ErasureKeys.of(message);
        }

        /** A comparison that brings its own answers may have no turn; it needs to meet nothing. */
        @Override
        public String turn() {
            return message.getTurnId().isEmpty() ? message.getFeedbackId() : message.getTurnId();
        }

        @Override
        public String id() {
            return message.getFeedbackId();
        }
    }
}
