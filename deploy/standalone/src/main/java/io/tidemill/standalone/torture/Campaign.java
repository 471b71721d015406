package io.tidemill.standalone.torture;

import io.tidemill.trainer.checkpoint.Durable;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** Lineage after lineage of a target, until the ledger has enough faults. */
final class Campaign {
    private final FaultLedger ledger;
    private final Path data;
    private final long seed;
    private final int ofLineage;
    private final Set<FaultKind> kinds;
    private final PrintStream out;

    /**
     * @param ofLineage faults before a proof
     * @param kinds     of faults that may happen
     */
    Campaign(FaultLedger ledger, Path data, long seed, int ofLineage, Set<FaultKind> kinds, PrintStream out) {
        this.ledger = ledger;
        this.data = data.toAbsolutePath();
        this.seed = seed;
        this.ofLineage = ofLineage;
        this.kinds = kinds;
        this.out = out;
    }

    /** Goes on with the lineage whose proof is missing, if there is one, then with new ones. */
    void run(Target target, long faults) throws IOException, InterruptedException {
        Optional<String> unproven = ledger.unproven(target);
        while (unproven.isPresent() || ledger.count(target) < faults) {
            long number = ledger.proven(target) + 1;
            run(target, unproven.orElse(target.word() + "-" + seed + "-" + number), faults);
            unproven = Optional.empty();
        }
    }

    private void run(Target target, String lineage, long faults) throws IOException, InterruptedException {
        Path directory = data.resolve(lineage);
        Set<FaultKind> among = FaultKind.of(target);
        among.retainAll(kinds);
        if (ledger.planned(lineage) == 0) {
            SystemVictim.endOrphan(directory);
            Disk.unmount(directory.resolve(Disk.NAME));
            Durable.deleteTree(directory); // of another ledger, or without a fault yet
        }
        out.println("lineage " + lineage + " in " + directory);
        Proof proof;
        try (Victim victim = victim(target, directory)) {
            int number = ledger.planned(lineage);
            while (number < ofLineage && ledger.count(target) < faults) {
                number++;
                Fault fault = Fault.draw(lineage, number, target, among, seed + lineage.hashCode());
                if (!victim.allows(fault.kind())) {
                    out.println(fault.kind().word()
                            + " is skipped, because this machine does not allow it: a kill instead");
                    fault = new Fault(lineage, number, target, FaultKind.KILL, fault.seed());
                }
                victim.suffer(fault);
                out.println(lineage + " fault " + number + ": " + fault.kind().word());
            }
            proof = victim.prove();
            ledger.proof(lineage, target, proof);
            if (proof.flaws().isEmpty()) {
                victim.discard();
            }
        }
        out.println("proof of " + lineage + ": " + (proof.flaws().isEmpty() ? "holds" : proof.flaws()));
        if (proof.flaws().isEmpty()) {
            Durable.deleteTree(directory);
        }
    }

    private Victim victim(Target target, Path directory) throws IOException, InterruptedException {
        return switch (target) {
            case TRAINER -> new TrainerVictim(directory, ledger, out);
            case SYSTEM -> new SystemVictim(directory, ledger, out);
        };
    }
}
