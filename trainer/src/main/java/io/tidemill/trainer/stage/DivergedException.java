package io.tidemill.trainer.stage;

import java.util.List;

/** A step gave something that is not a number. The weights are those of the step before. */
public final class DivergedException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int SHOWN = 8;

    private final transient List<String> exampleIds;

    DivergedException(String stage, long step, double loss, double gradientNorm, List<String> exampleIds) {
        super("Step " + step + " of stage " + stage + " diverged: loss=" + loss + ", gradientNorm=" + gradientNorm
                + ". Weights are those of step " + (step - 1) + ". Examples: " + shown(exampleIds));
        this.exampleIds = List.copyOf(exampleIds);
    }

    private static String shown(List<String> ids) {
        String some = String.join(", ", ids.subList(0, Math.min(SHOWN, ids.size())));
        return ids.size() <= SHOWN ? some : some + " and " + (ids.size() - SHOWN) + " more";
    }

    /** What did it, as far as it can be told apart; otherwise all that the step was made of. */
    public List<String> exampleIds() {
        return exampleIds;
    }
}
