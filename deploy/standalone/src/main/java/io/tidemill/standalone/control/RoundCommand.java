package io.tidemill.standalone.control;

import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Starts a round, or holds rounds back. */
@Command(name = "round", description = "Starts a round with what there is, or holds rounds back.")
public final class RoundCommand {
    @Command(name = "start", description = "Starts a round now with what waits.")
    int start(@Mixin Operator operator) throws InterruptedException {
        MillApi mill = operator.mill();
        MillApi.Round running = mill.round();
        if (running.busy()) {
            operator.ask(Operator.command("start_round"));
            System.out.println("Asked for; it starts when " + running.version() + " is done.");
            return 0;
        }
        System.out.println(operator.outcome(
                Operator.command("start_round"),
                (loop, id) -> Optional.of(mill.round(loop))
                        .filter(MillApi.Round::busy)
                        .map(round -> "The round that makes " + round.version() + " runs."),
                "Asked for; the trainer has not begun yet."));
        return 0;
    }

    @Command(name = "pause", description = "No round starts, and a running one waits between two steps, until resumed.")
    int pause(
            @Mixin Operator operator,
            @Option(names = "--reason", paramLabel = "TEXT", description = "Is shown while it lasts.")
                    Optional<String> reason)
            throws InterruptedException {
        operator.ask(Operator.command("pause").put("reason", reason.orElse("")));
        System.out.println("Paused until ./tidemill round resume.");
        return 0;
    }

    @Command(name = "resume", description = "Ends a pause.")
    int resume(@Mixin Operator operator) throws InterruptedException {
        operator.ask(Operator.command("resume"));
        System.out.println("Rounds go on.");
        return 0;
    }
}
