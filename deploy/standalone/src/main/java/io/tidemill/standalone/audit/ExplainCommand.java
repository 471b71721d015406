package io.tidemill.standalone.audit;

import io.tidemill.auditor.AuditException;
import io.tidemill.auditor.Explanation;
import io.tidemill.standalone.CannotStartException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** From a version to the events that it learned from. */
@Command(
        name = "explain",
        sortOptions = false,
        description = {
            "Tells what a version was made of: parents, slices, counts, sources, the gate's suites, and the events behind"
                    + " its examples with their places in the log."
        })
public final class ExplainCommand implements Callable<Integer> {
    private static final int FEW = 20;

    @Spec
    CommandSpec spec;

    @Parameters(paramLabel = "VERSION", description = "Version to explain, such as tidemill-000001.")
    String version;

    @Mixin
    AuditOptions options = new AuditOptions();

    @Option(names = "--events", description = "List all events, not the first " + FEW + " only.")
    boolean events;

    @Option(names = "--json", description = "Answer in JSON, with all events.")
    boolean json;

    @Override
    public Integer call() {
        try {
            Explanation explanation = Explanation.of(options.settings(), version);
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.print(explanation.json());
            } else {
                explanation.lines(events ? Integer.MAX_VALUE : FEW).forEach(out::println);
            }
            out.flush();
            return 0;
        } catch (AuditException e) {
            throw new CannotStartException(version + " cannot be explained: " + e.getMessage(), e);
        }
    }
}
