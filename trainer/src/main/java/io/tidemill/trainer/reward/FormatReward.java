package io.tidemill.trainer.reward;

import com.google.re2j.Pattern;
import java.util.List;
import java.util.OptionalDouble;

/**
 * Whether an answer is written as a regular expression says. RE2 takes time in proportion to the text, whatever the
 * expression and whatever the model writes. A dot matches line ends too.
 */
final class FormatReward implements Reward {
    private final Pattern pattern;
    private final boolean whole;
    private final double right;
    private final double wrong;

    /** @param whole whether all of the answer must match, and not some part of it */
    FormatReward(Pattern pattern, boolean whole, double right, double wrong) {
        this.pattern = pattern;
        this.whole = whole;
        this.right = right;
        this.wrong = wrong;
    }

    static FormatReward of(Parameters parameters) {
        parameters.required("pattern", "a regular expression");
        return new FormatReward(
                parameters.pattern("pattern").orElseThrow(),
                parameters.oneOf("mode", "matches", "matches", "finds").equals("matches"),
                parameters.number("right", 1, "", v -> true),
                parameters.number("wrong", 0, "", v -> true));
    }

    @Override
    public List<OptionalDouble> judge(List<GivenAnswer> answers) {
        return answers.stream()
                .map(answer -> OptionalDouble.of(fits(answer.text()) ? right : wrong))
                .toList();
    }

    private boolean fits(String text) {
        return whole ? pattern.matches(text) : pattern.matcher(text).find();
    }
}
