package io.tidemill.trainer.reward;

import com.google.re2j.Matcher;
import com.google.re2j.Pattern;
import java.math.BigDecimal;
import java.text.Normalizer;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/** Whether an answer, or the part of it that counts, is what the prompt's reward data says. */
final class ExactReward implements Reward {
    /**
     * What is not looked at.
     *
     * @param space   space around and how much of it between words
     * @param letters upper and lower case
     * @param numbers how a number is written: 1,000.0 is 1000
     */
    record Ignored(boolean space, boolean letters, boolean numbers) {
        /** Before two texts are compared; Unicode's composed form in any case. */
        String normalise(String text) {
            String result = Normalizer.normalize(text, Normalizer.Form.NFC);
            result = space ? result.strip().replaceAll("\\s+", " ") : result;
            result = letters ? result.toLowerCase(Locale.ROOT) : result;
            return numbers ? number(result).orElse(result) : result;
        }

        private static Optional<String> number(String text) {
            String digits = text.strip().replace(",", "").replace("_", "");
            if (digits.isEmpty() || digits.length() > 100) {
                return Optional.empty();
            }
            try {
                BigDecimal number = new BigDecimal(digits);
                // 1e999999999 must not be written out, so the plain form is not asked for.
                return Optional.of(
                        number.signum() == 0 ? "0" : number.stripTrailingZeros().toString());
            } catch (NumberFormatException e) {
                return Optional.empty();
            }
        }
    }

    private final String key;
    private final Optional<Pattern> part;
    private final Ignored ignored;
    private final boolean silentWithoutData;
    private final double right;
    private final double wrong;

    /**
     * @param key               of the reward data
     * @param part              what of the answer counts: the first group of its last match, or the whole match; an answer
     *                          without one is wrong
     * @param silentWithoutData whether a prompt without that data gets no opinion, and not an error
     */
    ExactReward(
            String key,
            Optional<Pattern> part,
            Ignored ignored,
            boolean silentWithoutData,
            double right,
            double wrong) {
        this.key = key;
        this.part = part;
        this.ignored = ignored;
        this.silentWithoutData = silentWithoutData;
        this.right = right;
        this.wrong = wrong;
    }

    static ExactReward of(Parameters parameters) {
        return new ExactReward(
                parameters.text("key").orElse("answer"),
                parameters.pattern("part"),
                new Ignored(
                        parameters.flag("ignore-space", true),
                        parameters.flag("ignore-case", false),
                        parameters.flag("ignore-number-format", false)),
                parameters
                        .oneOf("without-data", "refuse", "refuse", "no-opinion")
                        .equals("no-opinion"),
                parameters.number("right", 1, "", v -> true),
                parameters.number("wrong", 0, "", v -> true));
    }

    @Override
    public List<OptionalDouble> judge(List<GivenAnswer> answers) {
        return answers.stream().map(this::judge).toList();
    }

    private OptionalDouble judge(GivenAnswer answer) {
        String expected = answer.rewardData().get(key);
        if (expected == null) {
            if (silentWithoutData) {
                return OptionalDouble.empty();
            }
            throw new RewardException("Prompt " + answer.promptId() + " has no reward data " + key + ", but "
                    + answer.rewardData().keySet().stream().sorted().toList()
                    + ". Give it, or set without-data: no-opinion");
        }
        boolean same = part(answer.text())
                .filter(found -> ignored.normalise(found).equals(ignored.normalise(expected)))
                .isPresent();
        return OptionalDouble.of(same ? right : wrong);
    }

    private Optional<String> part(String text) {
        if (part.isEmpty()) {
            return Optional.of(text);
        }
        Matcher matcher = part.get().matcher(text);
        Optional<String> last = Optional.empty();
        while (matcher.find()) {
            last = Optional.ofNullable(matcher.group(matcher.groupCount() > 0 ? 1 : 0));
        }
        return last;
    }
}
