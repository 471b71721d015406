package io.tidemill.standalone.audit;

import io.tidemill.auditor.Audit;
import io.tidemill.auditor.AuditException;
import io.tidemill.auditor.AuditSettings;
import io.tidemill.auditor.Report;
import io.tidemill.standalone.CannotStartException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Proves the ledger of a lineage. */
@Command(
        name = "audit",
        sortOptions = false,
        description = {
            "Proves from the log and the store of a running mill what became of every event and every example: trained"
                    + " once, held out, waiting, quarantined, rejected or erased, and that nothing else was trained.",
            "Changes nothing. Exit status 1 if the ledger does not close, with a sentence for each finding."
        })
public final class AuditCommand implements Callable<Integer> {
    @Spec
    CommandSpec spec;

    @Mixin
    AuditOptions options = new AuditOptions();

    @Option(
            names = "--examples-only",
            description = "Leave out the events before preprocessing, for a log whose examples come from elsewhere.")
    boolean examplesOnly;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the report to this file as well.")
    Optional<Path> json = Optional.empty();

    @Override
    public Integer call() {
        try {
            AuditSettings settings = options.settings();
            Report report = Audit.run(examplesOnly ? settings.withoutEvents() : settings);
            PrintWriter out = spec.commandLine().getOut();
            report.lines().forEach(out::println);
            out.flush();
            if (json.isPresent()) {
                Files.writeString(json.get(), report.json());
            }
            return report.closes() ? 0 : 1;
        } catch (AuditException e) {
            throw new CannotStartException("The ledger cannot be audited: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new CannotStartException("--json " + json.orElseThrow() + " cannot be written: " + e, e);
        }
    }
}
