package io.tidemill.trainer.round;

import io.tidemill.proto.VersionId;
import io.tidemill.trainer.checkpoint.VersionSigner;
import io.tidemill.trainer.promotion.PromotionSettings;
import io.tidemill.trainer.slice.SliceLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a trainer is told.
 *
 * @param model             name of topics' key, versions and route
 * @param topicPrefix       of all topics and of the transactional id
 * @param data              directory under which {@code store/} and {@code rounds/} stand
 * @param baseModel         Hugging Face directory that a new lineage starts from; empty for the embedded base
 * @param filesUrl          where a version's files are served
 * @param keep              versions that keep their weights
 * @param keepFor           how old a version may be that keeps them; any age where empty
 * @param signers           sign the versions that are published, one after the other; none for unsigned ones
 * @param deltas            whether versions come with deltas against their parents
 * @param waitingCapacity   records that are counted while they wait; more are left in the log until a round has run
 * @param retry             pause after a failure
 * @param memory            that the weights of a round must fit into
 * @param promotion         what becomes of a version that passed its gate; null for promoting it at once
 * @param gateThreads       that score for the gate at once, at least 1
 */
public record TrainerOptions(
        String model,
        String topicPrefix,
        short replicationFactor,
        Path data,
        Optional<Path> baseModel,
        Function<VersionId, String> filesUrl,
        RoundSettings round,
        RoundTrigger trigger,
        SliceLimits limits,
        int keep,
        Optional<Duration> keepFor,
        List<VersionSigner> signers,
        boolean deltas,
        int waitingCapacity,
        Duration patience,
        Duration retry,
        HostMemory memory,
        long seed,
        PromotionSettings promotion,
        int gateThreads) {
    public TrainerOptions {
        promotion = promotion == null ? PromotionSettings.AT_ONCE : promotion;
        if (gateThreads < 1) {
            throw new IllegalArgumentException("trainer.gate.threads must be at least 1, but was " + gateThreads);
        }
    }

    Path store() {
        return data.resolve("store");
    }

    Path rounds() {
        return data.resolve("rounds").resolve(model);
    }

    String transactionalId() {
        return topicPrefix + "trainer-" + model;
    }
}
