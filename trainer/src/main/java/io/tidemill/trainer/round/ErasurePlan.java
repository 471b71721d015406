package io.tidemill.trainer.round;

import io.tidemill.proto.v1.Forgotten;
import java.util.List;
import java.util.Optional;

/**
 * What a round does about erasures, frozen with its plan.
 *
 * @param offset   end of the erasures topic: what was erased before it is in no batch
 * @param since    what those erasures concern that the round's parent did not know of
 * @param again    the version that this round stands for, where it is a retraining; null elsewhere
 */
record ErasurePlan(long offset, List<Known> since, Again again) {
    static final ErasurePlan NONE = new ErasurePlan(0, List.of(), null);

    ErasurePlan {
        since = since == null ? List.of() : List.copyOf(since);
    }

    /** An erasure and the versions that had learned from what it concerns. */
    record Known(
            String erasureId, String kind, long offset, List<String> versions, long examples, List<String> unknown) {}

    /**
     * A version is made once more, without what is erased.
     *
     * @param of        version whose slice, order, seed and settings are taken
     * @param commandId that asked for it
     * @param champion  live version that the last of the line is judged against; empty for those on the way to it
     * @param force     live whatever the gate says
     */
    record Again(String of, String commandId, String champion, boolean force) {
        boolean last() {
            return !champion.isEmpty();
        }

        io.tidemill.proto.v1.Retraining toProto() {
            return io.tidemill.proto.v1.Retraining.newBuilder()
                    .setOf(of)
                    .setCommandId(commandId)
                    .build();
        }
    }

    Optional<Again> retraining() {
        return Optional.ofNullable(again);
    }

    ErasurePlan as(Again retraining) {
        return new ErasurePlan(offset, since, retraining);
    }

    List<Forgotten> toProto() {
        return since.stream()
                .map(known -> Forgotten.newBuilder()
                        .setErasureId(known.erasureId)
                        .setKind(known.kind)
                        .setOffset(known.offset)
                        .addAllVersions(known.versions)
                        .setExamples(known.examples)
                        .addAllUnknown(known.unknown)
                        .build())
                .toList();
    }
}
