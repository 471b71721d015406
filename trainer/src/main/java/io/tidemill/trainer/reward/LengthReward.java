package io.tidemill.trainer.reward;

import java.util.List;
import java.util.OptionalDouble;

/**
 * How far an answer's length is from what is wanted; 0 at its best.
 *
 * <pre>  −over · max(0, n − target − tolerance) − under · max(0, target − tolerance − n) − [cut off] · truncated  </pre>
 *
 * <p>With target = longest − margin, tolerance 0, under 0, over = 1/margin and a minimum of −1 it is the soft overlong
 * punishment of DAPO: Yu et al. (2025), arXiv:2503.14476, equation 13.
 *
 * <p>Letters: n length of the answer, in tokens or characters.
 */
final class LengthReward implements Reward {
    private final boolean characters;
    private final double target;
    private final double tolerance;
    private final double over;
    private final double under;
    private final double truncated;

    /**
     * @param characters whether characters (code points) are counted, and not tokens
     * @param over       what each token or character too many costs
     * @param under      what each one missing costs
     * @param truncated  what being cut off costs
     */
    LengthReward(boolean characters, double target, double tolerance, double over, double under, double truncated) {
        this.characters = characters;
        this.target = target;
        this.tolerance = tolerance;
        this.over = over;
        this.under = under;
        this.truncated = truncated;
    }

    static LengthReward of(Parameters parameters) {
        double target = parameters.number("target", 0, "a number of 0 or more", v -> v >= 0);
        if (parameters.text("target").isEmpty()) {
            parameters.required("target", "the length that is wanted");
        }
        double each = 1 / Math.max(1, target);
        return new LengthReward(
                parameters.oneOf("unit", "tokens", "tokens", "characters").equals("characters"),
                target,
                parameters.number("tolerance", 0, "a number of 0 or more", v -> v >= 0),
                parameters.number("over", each, "a number of 0 or more", v -> v >= 0),
                parameters.number("under", each, "a number of 0 or more", v -> v >= 0),
                parameters.number("truncated", 0, "a number of 0 or more", v -> v >= 0));
    }

    @Override
    public List<OptionalDouble> judge(List<GivenAnswer> answers) {
        return answers.stream().map(this::judge).toList();
    }

    private OptionalDouble judge(GivenAnswer answer) {
        double n = characters ? answer.text().codePointCount(0, answer.text().length()) : answer.tokens().length;
        double value = 0; // a sum of what is subtracted, so that nothing wrong is 0 and not −0
        value -= over * Math.max(0, n - target - tolerance);
        value -= under * Math.max(0, target - tolerance - n);
        value -= answer.truncated() ? truncated : 0;
        return OptionalDouble.of(value);
    }
}
