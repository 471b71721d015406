package io.tidemill.standalone.erase;

import io.tidemill.standalone.control.MillApi;
import io.tidemill.standalone.control.Operator;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Forgets, and trains again without what was forgotten. */
@Command(
        name = "erase",
        description = {
            "Forgets a person, an event with all that was made of it, or a source: from the answer on it is in no batch,",
            "and the mill's own stores lose its text within a minute. What was learned from it stays in the weights of the",
            "versions that learned it, until --retrain makes them again without it."
        })
public final class EraseCommand implements Callable<Integer> {
    private static final Duration GLANCE = Duration.ofSeconds(1);

    /** At most one of them. */
    static final class Named {
        @Option(names = "--subject", paramLabel = "NAME", description = "A person, as records name it in subjects.")
        String subject;

        @Option(
                names = "--document",
                paramLabel = "ID",
                description =
                        "Id of an event: document, demonstration, prompt, answer, feedback; or of a conversation.")
        String document;

        @Option(names = "--source", paramLabel = "NAME", description = "Everything from that source.")
        String source;

        String field() {
            return subject != null ? "subject" : document != null ? "document_id" : "source";
        }

        String value() {
            return subject != null ? subject : document != null ? document : source;
        }
    }

    @Spec
    CommandSpec spec;

    @ArgGroup
    Named named;

    @Option(
            names = "--reason",
            paramLabel = "TEXT",
            defaultValue = "",
            description = "Why; it stays in the log, so write nothing that is itself to be forgotten.")
    String reason;

    @Option(
            names = "--lift",
            description = "Take the erasure back: what comes from now on counts again; what is gone stays gone.")
    boolean lift;

    @Option(
            names = "--retrain",
            description = {
                "Make the rounds since the last version that had learned nothing of what is erased by now again, from",
                "the same slices without it; the gate judges the result against the live version."
            })
    boolean retrain;

    @Option(names = "--force", description = "Make the result of --retrain live whatever the gate says.")
    boolean force;

    @Mixin
    Operator operator;

    private final PrintStream out = System.out;

    @Override
    public Integer call() throws InterruptedException {
        if (named == null && !retrain) {
            throw new ParameterException(
                    spec.commandLine(), "Name what to erase: --subject, --document or --source; or --retrain.");
        }
        MillApi mill = operator.mill();
        if (named != null) {
            String id = mill.erase(named.field(), named.value(), reason, lift);
            out.println(
                    lift
                            ? "Lifted (" + id + "): what comes from now on counts again."
                            : "Erased (" + id + "): it is in no batch from now on.");
        }
        return retrain ? follow(mill, mill.command(Operator.command("retrain").put("force", force))) : 0;
    }

    /** Until the trainer tells what came of the command. */
    private int follow(MillApi mill, String command) throws InterruptedException {
        out.println("Asked the trainer (command " + command + ").");
        String told = "";
        while (true) {
            MillApi.Round round = mill.round();
            if (round.notice().commandId().equals(command)) {
                out.println(round.notice());
                return round.notice().done() ? 0 : 1;
            }
            String line = round.version() + " " + round.stage() + " "
                    + (round.steps() > 0 ? round.step() + " of " + round.steps() : "");
            if (!line.equals(told) && round.busy()) {
                out.println(line.strip());
            }
            told = line;
            Thread.sleep(GLANCE.toMillis());
        }
    }
}
