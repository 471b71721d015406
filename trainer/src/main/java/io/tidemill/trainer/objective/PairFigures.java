package io.tidemill.trainer.objective;

/** Figures that all objectives over pairs log. */
final class PairFigures {
    private PairFigures() {}

    static void rewards(Figures figures, double chosen, double rejected) {
        figures.add("rewards_chosen", chosen);
        figures.add("rewards_rejected", rejected);
        figures.add("reward_margin", chosen - rejected);
        figures.add("accuracy", chosen > rejected ? 1 : 0);
    }
}
