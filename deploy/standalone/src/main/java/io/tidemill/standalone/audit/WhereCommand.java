package io.tidemill.standalone.audit;

import io.tidemill.auditor.AuditException;
import io.tidemill.auditor.Where;
import io.tidemill.standalone.CannotStartException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** From an event to the versions that learned from it. */
@Command(
        name = "where",
        sortOptions = false,
        description = {
            "Tells what became of an event: its examples, and which version trained or held out each, or where it waits,"
                    + " or why it was refused. Takes as long as an audit."
        })
public final class WhereCommand implements Callable<Integer> {
    @Spec
    CommandSpec spec;

    @Parameters(
            paramLabel = "ID",
            description = "Id of a document, demonstration, prompt, completion, turn, feedback or example.")
    String id;

    @Mixin
    AuditOptions options = new AuditOptions();

    @Option(names = "--json", description = "Answer in JSON.")
    boolean json;

    @Override
    public Integer call() {
        try {
            Where found = Where.find(options.settings(), id);
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.print(found.json());
            } else if (!found.isEmpty()) {
                found.lines().forEach(out::println);
            }
            out.flush();
            if (found.isEmpty()) {
                throw new CannotStartException(found.lines().get(0));
            }
            return 0;
        } catch (AuditException e) {
            throw new CannotStartException("Nothing can be told of " + id + ": " + e.getMessage(), e);
        }
    }
}
