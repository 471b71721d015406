package io.tidemill.standalone.audit;

import io.tidemill.auditor.AuditSettings;
import io.tidemill.standalone.LogOptions;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where log and store are: the options that all commands of the auditor share. */
final class AuditOptions {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = "tidemill-data",
            description = "Where the mill keeps everything (default: ./${DEFAULT-VALUE}).")
    Path data;

    @Mixin
    LogOptions log;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "Name of the lineage; needed where the log has several.")
    Optional<String> model = Optional.empty();

    @Option(
            names = "--split-salt",
            paramLabel = "TEXT",
            defaultValue = "tidemill",
            description = "preprocess.split.salt of the mill (default: ${DEFAULT-VALUE}).")
    String splitSalt;

    @Option(
            names = "--held-out-share",
            paramLabel = "SHARE",
            description = "preprocess.split.held-out-share of the mill (default: the share that its records agree on).")
    Optional<Double> heldOutShare = Optional.empty();

    /** Returns once the log answers. */
    AuditSettings settings() {
        log.greet();
        return AuditSettings.of(data, log.bootstrapServers())
                .withTopicPrefix(log.topicPrefix())
                .withModel(model)
                .withSplit(splitSalt, heldOutShare.map(OptionalDouble::of).orElse(OptionalDouble.empty()));
    }
}
