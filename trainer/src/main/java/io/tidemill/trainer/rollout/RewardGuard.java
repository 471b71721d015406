package io.tidemill.trainer.rollout;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * Watches for reward hacking and collapse. It compares the newest harvests with the first ones: divergence from the
 * reference, length, answers that repeat others or themselves, and a reward that rises while one that is not trained on
 * falls, which is Goodhart's law at work (Gao et al. 2022, arXiv:2210.10760). It sees answers before they are learned from.
 *
 * <p>It keeps nothing itself: sums of the first and the newest harvests are numbers of the stage's memory.
 *
 * @param action         what an alarm does
 * @param window         harvests that are the first ones, and as many that are the newest; comparisons begin when both are
 *                       there and do not overlap
 * @param kl             k3 divergence from the reference above which there is an alarm, at once; nats a token
 * @param lengthFactor   mean length may change by this factor either way
 * @param repeatedRise   share of answers that repeat another one may rise by this
 * @param repetitionRise share of 3-grams that their answer has said before may rise by this
 * @param deviations     standard errors by which the reward must have risen and the held-out one fallen
 */
public record RewardGuard(
        Action action,
        int window,
        double kl,
        double lengthFactor,
        double repeatedRise,
        double repetitionRise,
        double deviations) {
    /** What an alarm does. */
    public enum Action {
        STOP,
        WARN,
        OFF
    }

    /** Stops; limits that an honest run does not reach and a broken one passes soon. */
    public static final RewardGuard USUAL = new RewardGuard(Action.STOP, 4, 1, 2, 0.5, 0.3, 4);

    public static final RewardGuard NONE = new RewardGuard(Action.OFF, 1, 1, 2, 0.5, 0.3, 4);

    private static final String PREFIX = "guard_";

    public RewardGuard {
        if (window < 1) {
            throw new IllegalArgumentException("The guard's window must be at least 1 harvest, but was " + window);
        }
        if (!(kl > 0) || !(lengthFactor > 1) || !(repeatedRise > 0) || !(repetitionRise > 0) || !(deviations > 0)) {
            throw new IllegalArgumentException("The guard's limits must be positive and its length factor above 1, but"
                    + " they were kl " + kl + ", length factor " + lengthFactor + ", repeated " + repeatedRise
                    + ", repetition " + repetitionRise + " and deviations " + deviations);
        }
    }

    /** The same with another action. */
    public RewardGuard with(Action other) {
        return new RewardGuard(other, window, kl, lengthFactor, repeatedRise, repetitionRise, deviations);
    }

    /**
     * What one look gave.
     *
     * @param alarms each with its numbers; none if all is well
     * @param memory what is to be remembered
     */
    record Look(List<String> alarms, Map<String, Double> memory) {}

    /** @param memory the stage's; what is the guard's in it comes from {@link Look#memory} */
    Look look(HarvestFigures now, Map<String, Double> memory) {
        if (action == Action.OFF || now.answers() == 0) {
            return new Look(List.of(), own(memory));
        }
        Map<String, Double> after = own(memory);
        long seen = Math.round(memory.getOrDefault(PREFIX + "seen", 0.0));
        Sums newest = Sums.of(now);
        after.put(PREFIX + "seen", seen + 1.0);
        if (seen < window) {
            Sums.read(memory, PREFIX + "first_").plus(newest).write(after, PREFIX + "first_");
        }
        newest.write(after, PREFIX + "newest" + seen % window + "_");

        List<String> alarms = new ArrayList<>();
        if (now.klOfToken() > kl) {
            alarms.add(said("the divergence from the reference is %.4g nats a token, above %.4g", now.klOfToken(), kl));
        }
        if (seen + 1 >= 2L * window) {
            Sums recent = Sums.NONE;
            for (int i = 0; i < window; i++) {
                recent = recent.plus(Sums.read(after, PREFIX + "newest" + i + "_"));
            }
            compare(Sums.read(after, PREFIX + "first_"), recent, alarms);
        }
        return new Look(alarms, after);
    }

    private static Map<String, Double> own(Map<String, Double> memory) {
        Map<String, Double> own = new TreeMap<>();
        memory.forEach((name, value) -> {
            if (name.startsWith(PREFIX)) {
                own.put(name, value);
            }
        });
        return own;
    }

    private void compare(Sums first, Sums recent, List<String> alarms) {
        double lengthBefore = first.mean(Sums::length);
        double length = recent.mean(Sums::length);
        if (length > lengthBefore * lengthFactor || length < lengthBefore / lengthFactor) {
            alarms.add(said(
                    "answers have %.4g tokens and had %.4g, further apart than a factor of %.4g",
                    length, lengthBefore, lengthFactor));
        }
        rise("answers that are another one over again", first, recent, Sums::repeated, repeatedRise, alarms);
        rise("3-grams that their answer has said before", first, recent, Sums::repetition, repetitionRise, alarms);

        double up = deviations(first, recent, Sums::reward, Sums::rewardSquares);
        double down = -deviations(first, recent, Sums::heldOut, Sums::heldOutSquares);
        if (up > deviations && down > deviations) {
            alarms.add(said(
                    "the reward rose from %.4g to %.4g (%.3g standard errors) while the held-out one fell from %.4g to"
                            + " %.4g (%.3g)",
                    first.mean(Sums::reward),
                    recent.mean(Sums::reward),
                    up,
                    first.mean(Sums::heldOut),
                    recent.mean(Sums::heldOut),
                    down));
        }
    }

    private static void rise(
            String what, Sums first, Sums recent, ToDoubleFunction<Sums> share, double limit, List<String> alarms) {
        double before = first.mean(share);
        double now = recent.mean(share);
        if (now - before > limit) {
            alarms.add(
                    said("the share of %s is %.4g and was %.4g, a rise of more than %.4g", what, now, before, limit));
        }
    }

    /** Welch's t: the difference of two means in standard errors; NaN where one was not measured. */
    private static double deviations(
            Sums first, Sums recent, ToDoubleFunction<Sums> sum, ToDoubleFunction<Sums> squares) {
        double error = Math.sqrt(first.errorOfMean(sum, squares) + recent.errorOfMean(sum, squares));
        double difference = recent.mean(sum) - first.mean(sum);
        return error == 0 && difference != 0 ? Math.signum(difference) * Double.MAX_VALUE : difference / error;
    }

    private static String said(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    /** Sums over answers; the held-out ones are NaN where nothing was measured. */
    private record Sums(
            double answers,
            double length,
            double repeated,
            double repetition,
            double reward,
            double rewardSquares,
            double heldOut,
            double heldOutSquares) {
        static final Sums NONE = new Sums(0, 0, 0, 0, 0, 0, 0, 0);
        private static final List<String> NAMES = List.of(
                "answers",
                "length",
                "repeated",
                "repetition",
                "reward",
                "reward_squares",
                "held_out",
                "held_out_squares");

        static Sums of(HarvestFigures now) {
            double n = now.answers();
            return new Sums(
                    n,
                    n * now.length(),
                    n * now.repeated(),
                    n * now.repetition(),
                    n * now.rewardMean(),
                    n * (now.rewardVariance() + now.rewardMean() * now.rewardMean()),
                    n * now.heldOutMean(),
                    n * (now.heldOutVariance() + now.heldOutMean() * now.heldOutMean()));
        }

        private double[] all() {
            return new double[] {answers, length, repeated, repetition, reward, rewardSquares, heldOut, heldOutSquares};
        }

        private static Sums of(double[] all) {
            return new Sums(all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7]);
        }

        static Sums read(Map<String, Double> memory, String prefix) {
            return of(NAMES.stream()
                    .mapToDouble(name -> memory.getOrDefault(
                            prefix + name, memory.containsKey(prefix + "answers") ? Double.NaN : 0.0))
                    .toArray());
        }

        /** What was not measured is left out, because not every file of numbers knows NaN. */
        void write(Map<String, Double> memory, String prefix) {
            double[] all = all();
            for (int i = 0; i < all.length; i++) {
                if (Double.isNaN(all[i])) {
                    memory.remove(prefix + NAMES.get(i));
                } else {
                    memory.put(prefix + NAMES.get(i), all[i]);
                }
            }
        }

        Sums plus(Sums other) {
            double[] mine = all();
            double[] theirs = other.all();
            for (int i = 0; i < mine.length; i++) {
                mine[i] += theirs[i];
            }
            return of(mine);
        }

        double mean(ToDoubleFunction<Sums> sum) {
            return sum.applyAsDouble(this) / answers;
        }

        /** Squared standard error of a mean. */
        double errorOfMean(ToDoubleFunction<Sums> sum, ToDoubleFunction<Sums> squares) {
            double mean = mean(sum);
            return Math.max(0, mean(squares) - mean * mean) / answers;
        }
    }
}
