package io.tidemill.trainer.objective;

import java.util.ArrayList;
import java.util.List;

/**
 * Advantages of answers against the other answers to their prompt; one number an answer.
 *
 * <p>Sources: Shao et al. (2024), arXiv:2402.03300, section 4.1.2 (divided by the group's standard deviation); Liu et al.
 * (2025), arXiv:2503.20783 (not divided); Hu et al. (2025), arXiv:2501.03262 (by the batch's); Ahmadian et al. (2024),
 * arXiv:2402.14740, equation 8 (leave one out). Standard deviations with n − 1 degrees of freedom and 1e-4 added, as in TRL.
 */
public final class GroupAdvantages {
    private static final double TINY = 1e-4;

    /** By what centred rewards are divided. */
    public enum Scale {
        GROUP,
        BATCH,
        NONE
    }

    private GroupAdvantages() {}

    /**
     * Reward minus the group's mean, scaled.
     *
     * @param rewards of each prompt's answers
     */
    public static List<double[]> centred(List<double[]> rewards, Scale scale) {
        double batch = Spread.of(rewards).deviation();
        List<double[]> advantages = new ArrayList<>();
        for (double[] group : rewards) {
            Spread own = Spread.of(group);
            double divisor =
                    switch (scale) {
                        case GROUP -> own.deviation() + TINY;
                        case BATCH -> batch + TINY;
                        case NONE -> 1;
                    };
            double[] of = new double[group.length];
            for (int a = 0; a < of.length; a++) {
                of[a] = (group[a] - own.mean()) / divisor;
            }
            advantages.add(of);
        }
        return advantages;
    }

    /**
     * Reward minus the mean of the prompt's other answers.
     *
     * @param rewards    of each prompt's answers, at least two
     * @param normalises whether all are then moved to mean 0 and standard deviation 1
     */
    public static List<double[]> leaveOneOut(List<double[]> rewards, boolean normalises) {
        List<double[]> advantages = new ArrayList<>();
        for (double[] group : rewards) {
            if (group.length < 2) {
                throw new IllegalArgumentException("One answer alone has no others to be compared with");
            }
            double sum = 0;
            for (double reward : group) {
                sum += reward;
            }
            double[] of = new double[group.length];
            for (int a = 0; a < of.length; a++) {
                of[a] = group[a] - (sum - group[a]) / (group.length - 1);
            }
            advantages.add(of);
        }
        if (normalises) {
            Spread spread = Spread.of(advantages);
            for (double[] of : advantages) {
                for (int a = 0; a < of.length; a++) {
                    of[a] = (of[a] - spread.mean()) / (spread.deviation() + TINY);
                }
            }
        }
        return advantages;
    }
}
