package io.tidemill.auditor;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What to audit.
 *
 * @param data                data directory of the mill, whose {@code store/} has the versions
 * @param model               name of the lineage; empty where the log speaks of one alone
 * @param splitSalt           {@code preprocess.split.salt}
 * @param heldOutShare        {@code preprocess.split.held-out-share}; empty to find the share that the records agree on
 * @param completionRetention {@code preprocess.completion-retention}: how long a completion waits for feedback
 * @param patience            how long the broker may be silent, or keep a transaction open
 * @param now                 time of the audit
 * @param events              whether the events before preprocessing are accounted for; not where examples are made by others
 */
public record AuditSettings(
        Path data,
        String bootstrapServers,
        String topicPrefix,
        Optional<String> model,
        String splitSalt,
        OptionalDouble heldOutShare,
        Duration completionRetention,
        Duration patience,
        Instant now,
        boolean events) {
    private static final Duration COMPLETION_RETENTION = Duration.ofDays(30);
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    /** The defaults of a mill. */
    public static AuditSettings of(Path data, String bootstrapServers) {
        return new AuditSettings(
                data,
                bootstrapServers,
                "tidemill.",
                Optional.empty(),
                "tidemill",
                OptionalDouble.empty(),
                COMPLETION_RETENTION,
                PATIENCE,
                Instant.now(),
                true);
    }

    /** The same of other topics. */
    public AuditSettings withTopicPrefix(String prefix) {
        return new AuditSettings(
                data,
                bootstrapServers,
                prefix,
                model,
                splitSalt,
                heldOutShare,
                completionRetention,
                patience,
                now,
                events);
    }

    /** The same of another lineage. */
    public AuditSettings withModel(Optional<String> name) {
        return new AuditSettings(
                data,
                bootstrapServers,
                topicPrefix,
                name,
                splitSalt,
                heldOutShare,
                completionRetention,
                patience,
                now,
                events);
    }

    /** The same with the split as preprocessing was told. */
    public AuditSettings withSplit(String salt, OptionalDouble share) {
        return new AuditSettings(
                data, bootstrapServers, topicPrefix, model, salt, share, completionRetention, patience, now, events);
    }

    /** The same of the examples alone. */
    public AuditSettings withoutEvents() {
        return new AuditSettings(
                data,
                bootstrapServers,
                topicPrefix,
                model,
                splitSalt,
                heldOutShare,
                completionRetention,
                patience,
                now,
                false);
    }
}
