package io.tidemill.standalone.torture;

import io.tidemill.standalone.CannotStartException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Does to the product what the world does to it, and looks whether it keeps its promises. */
@Command(
        name = "torture",
        sortOptions = false,
        description = {
            "Runs a mill, or a trainer alone, on a tiny model; kills its processes at random moments, stops and starts the"
                    + " broker, fills the disk, pauses processes and damages files. Then proves from ids that every accepted"
                    + " record was learned once, and by training each version anew without faults that not a bit differs.",
            "Every fault is a line of the ledger before it happens. Killed itself, it goes on where it was; runs add up.",
            "Exit status 1 if a fault was not recovered from, or a proof failed."
        })
public final class TortureCommand implements Callable<Integer> {
    /** What is hit. */
    enum Which {
        system(List.of(Target.SYSTEM)),
        trainer(List.of(Target.TRAINER)),
        both(List.of(Target.SYSTEM, Target.TRAINER));

        private final List<Target> targets;

        Which(List<Target> targets) {
            this.targets = targets;
        }
    }

    @Option(
            names = "--faults",
            paramLabel = "N",
            defaultValue = "20",
            description = "Faults that the ledger has at the end, those of earlier runs included (default:"
                    + " ${DEFAULT-VALUE}).")
    int faults;

    @Option(
            names = "--target",
            paramLabel = "TARGET",
            defaultValue = "both",
            description =
                    "system: the whole mill; trainer: a process with the trainer alone, beside a broker in another;"
                            + " both: of every 20 faults 3 hit the system (default: ${DEFAULT-VALUE}).")
    Which target;

    @Option(
            names = "--ledger",
            paramLabel = "FILE",
            defaultValue = "torture.jsonl",
            description = "The ledger (default: ./${DEFAULT-VALUE}).")
    Path ledger;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = "torture-data",
            description = "Where processes keep their data; that of a lineage goes when its proof holds (default:"
                    + " ./${DEFAULT-VALUE}).")
    Path data;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Draws kinds, moments and places of faults (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(
            names = "--lineage",
            paramLabel = "N",
            defaultValue = "50",
            description = "Faults that a lineage suffers before its proof (default: ${DEFAULT-VALUE}).")
    int ofLineage;

    @Option(
            names = "--kinds",
            paramLabel = "KIND",
            split = ",",
            description =
                    "Faults of these kinds alone, separated by commas, such as kill,take-over (default: all that happen to"
                            + " the target).")
    List<String> kinds = List.of();

    @Option(names = "--summary", description = "Only tells what the ledger has.")
    boolean summary;

    @Spec
    CommandSpec spec;

    private final PrintStream out = System.out;

    @Override
    public Integer call() {
        Set<FaultKind> some = kinds();
        FaultLedger faultLedger = new FaultLedger(ledger);
        if (!summary) {
            try {
                for (Target one : target.targets) {
                    new Campaign(faultLedger, data, seed, ofLineage, some, out).run(one, share(one));
                }
            } catch (IOException e) {
                throw new CannotStartException("The harness cannot go on: " + e, e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CannotStartException("The harness was interrupted.", e);
            }
        }
        out.print(faultLedger.summary());
        List<String> flaws = faultLedger.flaws();
        if (!flaws.isEmpty()) {
            flaws.forEach(out::println);
            throw new CannotStartException(flaws.size() + " promises were not kept: " + flaws.get(0));
        }
        return 0;
    }

    private Set<FaultKind> kinds() {
        Set<FaultKind> some = EnumSet.allOf(FaultKind.class);
        try {
            if (!kinds.isEmpty()) {
                some = EnumSet.copyOf(kinds.stream().map(FaultKind::parse).toList());
            }
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--kinds: " + e.getMessage() + ".");
        }
        for (Target one : target.targets) {
            if (Collections.disjoint(some, FaultKind.of(one))) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--kinds " + String.join(",", kinds) + ": none of them happens to --target " + one.word()
                                + ", to which " + words(FaultKind.of(one)) + " do.");
            }
        }
        return some;
    }

    private static String words(Set<FaultKind> kinds) {
        return kinds.stream().map(FaultKind::word).collect(Collectors.joining(", "));
    }

    private int share(Target one) {
        if (target != Which.both) {
            return faults;
        }
        int ofSystem = (int) Math.ceil(faults * 0.15);
        return one == Target.SYSTEM ? ofSystem : faults - ofSystem;
    }
}
