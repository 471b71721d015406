package io.tidemill.trainer.reward;

import java.util.List;
import java.util.OptionalDouble;

/**
 * Minus the share of an answer's n-grams that it has said before: −(1 − distinct/all), 0 where none is repeated. The
 * complement of "distinct-n": Li et al. (2016), arXiv:1510.03055, section 5.2.
 */
final class RepetitionReward implements Reward {
    private final int length;
    private final boolean words;

    /**
     * @param length n
     * @param words  whether words (lower case, between spaces) are looked at, and not tokens
     */
    RepetitionReward(int length, boolean words) {
        this.length = length;
        this.words = words;
    }

    static RepetitionReward of(Parameters parameters) {
        return new RepetitionReward(
                parameters.whole("n", 3, 1, 100),
                parameters.oneOf("unit", "tokens", "tokens", "words").equals("words"));
    }

    @Override
    public List<OptionalDouble> judge(List<GivenAnswer> answers) {
        return answers.stream().map(this::judge).toList();
    }

    private OptionalDouble judge(GivenAnswer answer) {
        double share = words ? Repetition.ofWords(answer.text(), length) : Repetition.ofTokens(answer.tokens(), length);
        return OptionalDouble.of(0 - share);
    }
}
