package io.tidemill.standalone.torture;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;

/** What is done. Weights are shares of a target's faults, in percent. */
enum FaultKind {
    /** {@code kill -9} at a random moment between the start of the process and the end of its first round. */
    KILL(62, 52),
    /** A rollback is asked for, and while it may be under way the trainer is killed: it must be carried out once. */
    ROLLBACK(0, 6),
    /** {@code kill -STOP} for longer than a transaction may last, then {@code kill -CONT}. */
    PAUSE(12, 5),
    /** While the trainer is stopped another one takes its transactional id: it must notice, say so, and end. */
    TAKE_OVER(0, 4),
    /** {@code kill -9} of the broker alone; it is started again. */
    BROKER_KILL(0, 5),
    /** The broker ends in order, and is away for some seconds. */
    BROKER_STOP(0, 3),
    /** The disk of the data directory is full for some seconds. */
    DISK_FULL(8, 6),
    /** After a {@code kill -9} a file of the running round is cut, changed by a bit or emptied. */
    DAMAGE_ROUND(10, 9),
    /** After a {@code kill -9} kept scores of the gate are damaged. */
    DAMAGE_SCORES(2, 3),
    /** A file of a published version that is not the champion is damaged: {@code verify} must name it. */
    DAMAGE_VERSION(3, 3),
    /** After a {@code kill -9} a file of the champion is damaged: no round may start from it before it is restored. */
    DAMAGE_CHAMPION(3, 4);

    private final int ofSystem;
    private final int ofTrainer;

    FaultKind(int ofSystem, int ofTrainer) {
        this.ofSystem = ofSystem;
        this.ofTrainer = ofTrainer;
    }

    /** Those that happen to a target. */
    static Set<FaultKind> of(Target target) {
        return Arrays.stream(values())
                .filter(kind -> kind.share(target) > 0)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(FaultKind.class)));
    }

    /** @throws IllegalArgumentException if there is none of that name; says which there are */
    static FaultKind parse(String word) {
        return Arrays.stream(values())
                .filter(kind -> kind.word().equals(word))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("'" + word + "' is no kind of fault; there are "
                        + Arrays.stream(values()).map(FaultKind::word).collect(Collectors.joining(", "))));
    }

    /** @param among happen to the target */
    static FaultKind draw(Target target, Set<FaultKind> among, Random random) {
        int sum = among.stream().mapToInt(kind -> kind.share(target)).sum();
        int drawn = random.nextInt(sum);
        for (FaultKind kind : among) {
            drawn -= kind.share(target);
            if (drawn < 0) {
                return kind;
            }
        }
        throw new IllegalStateException("The shares of " + target + " have changed while one was drawn");
    }

    private int share(Target target) {
        return target == Target.SYSTEM ? ofSystem : ofTrainer;
    }

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
