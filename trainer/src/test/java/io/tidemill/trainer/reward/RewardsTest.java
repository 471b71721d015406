package io.tidemill.trainer.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.FinishReason;
import io.tidemill.model.text.ChatMessage;
import io.tidemill.trainer.reward.Rewards.Limits;
import io.tidemill.trainer.reward.Rewards.Part;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RewardsTest {
    private static GivenAnswer answer(String text, int tokens, FinishReason finish, Map<String, String> data) {
        return new GivenAnswer("prompt-7", List.of(ChatMessage.user("?")), data, text, new int[tokens], finish);
    }

    private static GivenAnswer answer(String text) {
        return answer(text, text.length(), FinishReason.STOP, Map.of());
    }

    /** What one reward, written as in a recipe, says. */
    private static double judge(GivenAnswer answer, String... keysAndValues) {
        return Rewards.of(List.of(map(keysAndValues)))
                .judge(List.of(answer))
                .get(0)
                .total();
    }

    private static Map<String, String> map(String... keysAndValues) {
        return Stream.iterate(0, i -> i + 2)
                .limit(keysAndValues.length / 2)
                .collect(Collectors.toMap(i -> keysAndValues[i], i -> keysAndValues[i + 1]));
    }

    // ---- rules ------------------------------------------------------------------------------------------------------

    @Test
    void lengthCostsByTheTokenOutsideTheTolerance() {
        String[] settings = {"kind", "length", "target", "10", "tolerance", "2", "over", "0.5", "under", "0.25"};
        assertThat(judge(answer("", 8, FinishReason.STOP, Map.of()), settings)).isZero();
        assertThat(judge(answer("", 12, FinishReason.STOP, Map.of()), settings)).isZero();
        assertThat(judge(answer("", 15, FinishReason.STOP, Map.of()), settings)).isEqualTo(-1.5); // 3 · 0.5
        assertThat(judge(answer("", 4, FinishReason.STOP, Map.of()), settings)).isEqualTo(-1); // 4 · 0.25
    }

    @Test
    void lengthInCharactersCountsCodePointsAndBeingCutOffCosts() {
        GivenAnswer cut = answer("🙂🙂", 9, FinishReason.LENGTH, Map.of());
        assertThat(judge(cut, "kind", "length", "target", "2", "unit", "characters"))
                .isZero();
        assertThat(judge(cut, "kind", "length", "target", "2", "unit", "characters", "truncated", "0.75"))
                .isEqualTo(-0.75);
    }

    /** DAPO, equation 13, with a longest answer of 100 and a margin of 20: 0 to 80, then a line to −1 at 100. */
    @ParameterizedTest
    @CsvSource({"80, 0", "85, -0.25", "100, -1", "140, -1"})
    void lengthCanBeTheSoftOverlongPunishment(int tokens, double expected) {
        GivenAnswer answer = answer("", tokens, FinishReason.STOP, Map.of());
        assertThat(judge(answer, "kind", "length", "target", "80", "under", "0", "over", "0.05", "minimum", "-1"))
                .isCloseTo(expected, within(1e-12));
    }

    @Test
    void formatMatchesTheWholeAnswerOrFindsAPart() {
        GivenAnswer answer = answer("<think>\nso\n</think> 4");
        assertThat(judge(answer, "kind", "format", "pattern", "<think>.*</think>"))
                .isZero();
        assertThat(judge(answer, "kind", "format", "pattern", "<think>.*</think> \\d"))
                .isEqualTo(1);
        assertThat(judge(answer, "kind", "format", "pattern", "<think>.*</think>", "mode", "finds"))
                .isEqualTo(1);
        assertThat(judge(answer, "kind", "format", "pattern", "x", "right", "2", "wrong", "-0.5"))
                .isEqualTo(-0.5);
    }

    @ParameterizedTest
    @CsvSource({
        "'  the  Answer ', 'the Answer', 1",
        "'the answer', 'the Answer', 0",
        "'1,000.0', '1000', 0",
    })
    void anExactAnswerIsComparedWithoutItsOuterSpace(String given, String expected, double reward) {
        GivenAnswer answer = answer(given, 1, FinishReason.STOP, Map.of("answer", expected));
        assertThat(judge(answer, "kind", "exact")).isEqualTo(reward);
    }

    @Test
    void anExactAnswerMayIgnoreCaseAndHowANumberIsWritten() {
        GivenAnswer words = answer("The Answer", 1, FinishReason.STOP, Map.of("answer", "the answer"));
        assertThat(judge(words, "kind", "exact", "ignore-case", "true")).isEqualTo(1);
        for (String same : List.of("1,000.0", "1000", "1e3", "+1000.00")) {
            GivenAnswer number = answer(same, 1, FinishReason.STOP, Map.of("answer", "1000"));
            assertThat(judge(number, "kind", "exact", "ignore-number-format", "true"))
                    .as(same)
                    .isEqualTo(1);
        }
        GivenAnswer huge = answer("1e999999999", 1, FinishReason.STOP, Map.of("answer", "1000"));
        assertThat(judge(huge, "kind", "exact", "ignore-number-format", "true")).isZero();
        GivenAnswer spaced = answer(" the", 1, FinishReason.STOP, Map.of("answer", "the"));
        assertThat(judge(spaced, "kind", "exact", "ignore-space", "false")).isZero();
    }

    @Test
    void ofAnAnswerThePartThatCountsIsTheLastMatch() {
        String[] settings = {"kind", "exact", "key", "result", "part", "####\\s*(\\S+)"};
        Map<String, String> data = Map.of("result", "42");
        assertThat(judge(answer("#### 7, no: #### 42", 1, FinishReason.STOP, data), settings))
                .isEqualTo(1);
        assertThat(judge(answer("42", 1, FinishReason.STOP, data), settings)).isZero();
    }

    @Test
    void aPromptWithoutTheDataIsNamedOrGetsNoOpinion() {
        assertThatThrownBy(() -> judge(answer("42", 1, FinishReason.STOP, Map.of("other", "1")), "kind", "exact"))
                .isInstanceOf(RewardException.class)
                .hasMessage("Prompt prompt-7 has no reward data answer, but [other]."
                        + " Give it, or set without-data: no-opinion");
        Judgement judgement = Rewards.of(List.of(
                        map("kind", "exact", "without-data", "no-opinion"),
                        map("kind", "length", "target", "2", "unit", "characters")))
                .judge(List.of(answer("42")))
                .get(0);
        assertThat(judgement.parts()).containsOnlyKeys("length");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"a\": [1, {\"b\": null}], \"c\": 2} | 1",
                "[1, 2] | 1",
                "\"a\" | 1",
                "{\"a\": 1} {\"b\": 2} | 0",
                "{\"a\": 1} thanks | 0",
                "{\"a\": 1, \"a\": 2} | 0",
                "{\"a\": 1 | 0",
                "{'a': 1} | 0",
                "NaN | 0",
                "'' | 0",
            })
    void anAnswerIsOneJsonValueOrIsNot(String text, double expected) {
        assertThat(judge(answer(text), "kind", "json")).isEqualTo(expected);
    }

    @Test
    void requiredKeysStandAtTheTopOfAnObject() {
        String[] settings = {"kind", "json", "required", "a, b"};
        assertThat(judge(answer("{\"a\": 1, \"b\": 2, \"c\": 3}"), settings)).isEqualTo(1);
        assertThat(judge(answer("{\"a\": {\"b\": 2}}"), settings)).isZero();
        assertThat(judge(answer("[\"a\", \"b\"]"), settings)).isZero();
    }

    /** a b a b a b: bigrams ab ba ab ba ab, 2 distinct of 5. */
    @Test
    void repetitionIsTheShareOfWhatWasSaidBefore() {
        assertThat(judge(answer("a b A b a b"), "kind", "repetition", "n", "2", "unit", "words"))
                .isCloseTo(-0.6, within(1e-12));
        GivenAnswer tokens =
                new GivenAnswer("p", List.of(), Map.of(), "", new int[] {1, 2, 3, 4, 1, 2, 3}, FinishReason.STOP);
        assertThat(judge(tokens, "kind", "repetition")).isCloseTo(-0.2, within(1e-12)); // 123 is twice among 5
        assertThat(judge(answer("a"), "kind", "repetition", "n", "2", "unit", "words"))
                .isZero();
    }

    // ---- together ---------------------------------------------------------------------------------------------------

    private static Part part(String name, double weight, Limits limits, double... opinions) {
        return new Part(
                name,
                answers ->
                        DoubleStream.of(opinions).mapToObj(OptionalDouble::of).toList(),
                weight,
                limits);
    }

    @Test
    void rewardsAddUpByWeightWithinTheirLimitsAndKeepTheirParts() {
        Rewards rewards = new Rewards(
                List.of(part("a", 2, Limits.NONE, 3, -1), part("b", -0.5, new Limits(-1, 1), 10, 0.5)),
                new Limits(-10, 5));
        List<Judgement> judgements = rewards.judge(List.of(answer("x"), answer("y")));
        assertThat(judgements.get(0).total()).isEqualTo(5); // 2·3 − 0.5·1 = 5.5, at most 5
        assertThat(judgements.get(0).parts()).isEqualTo(Map.of("a", 3.0, "b", 10.0));
        assertThat(judgements.get(1).total()).isEqualTo(-2.25);
    }

    @Test
    void theLimitsOfTheSumAreAKindOfTheirOwn() {
        List<Map<String, String>> settings =
                List.of(map("kind", "length", "target", "10", "over", "1"), map("kind", "total", "minimum", "-3"));
        assertThat(Rewards.of(settings)
                        .judge(List.of(answer("", 50, FinishReason.STOP, Map.of())))
                        .get(0)
                        .total())
                .isEqualTo(-3);
    }

    @Test
    void aRewardThatMisbehavesIsNamedWithThePrompt() {
        List<GivenAnswer> answers = List.of(answer("x"), answer("y"));
        assertThatThrownBy(() -> new Rewards(List.of(part("odd", 1, Limits.NONE, 1)), Limits.NONE).judge(answers))
                .hasMessage("Reward odd gave 1 numbers for 2 answers, the first to prompt prompt-7."
                        + " It must give one each, or no opinion");
        assertThatThrownBy(() ->
                        new Rewards(List.of(part("odd", 1, Limits.NONE, 1, Double.NaN)), Limits.NONE).judge(answers))
                .hasMessage("Reward odd gave NaN for an answer to prompt prompt-7. It must be a finite number");
        Part silent = new Part(
                "silent",
                given -> given.stream().map(a -> OptionalDouble.empty()).toList(),
                1,
                Limits.NONE);
        assertThatThrownBy(() -> new Rewards(List.of(silent), Limits.NONE).judge(answers))
                .hasMessage("No reward has an opinion on an answer to prompt prompt-7; asked were silent."
                        + " Add one that judges every answer");
        assertThatThrownBy(
                        () -> new Rewards(List.of(part("a", 1e300, Limits.NONE, 1e300, 1)), Limits.NONE).judge(answers))
                .hasMessageContaining("add up to Infinity");
    }

    // ---- settings ---------------------------------------------------------------------------------------------------

    private static void refused(String message, String... keysAndValues) {
        assertThatThrownBy(() -> Rewards.of(List.of(map(keysAndValues))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void settingsThatAreUnknownMissingOrOutOfRangeAreNamedWithWhatIsAccepted() {
        refused("Reward 1 needs kind: one of exact, format, http, json, length", "weight", "1");
        refused("kind must be one of exact, format, http, json, length", "kind", "lenght");
        refused(
                "Reward 1 (length) has no setting taget; it has kind, maximum, minimum, name, over, target, tolerance,"
                        + " truncated, under, unit, weight",
                "kind",
                "length",
                "target",
                "3",
                "taget",
                "4");
        refused("Reward 1 (length) needs target: the length that is wanted", "kind", "length");
        refused(
                "Reward 1 (length): over must be a number of 0 or more, but was -1",
                "kind",
                "length",
                "target",
                "3",
                "over",
                "-1");
        refused("weight must be a finite number, but was NaN", "kind", "json", "weight", "NaN");
        refused("weight must be a finite number, but was heavy", "kind", "json", "weight", "heavy");
        refused("minimum must be at most maximum, 1.0, but was 2.0", "kind", "json", "minimum", "2", "maximum", "1");
        refused("pattern is no regular expression of RE2: ", "kind", "format", "pattern", "(?<=a)b");
        refused("mode must be one of matches, finds, but was all", "kind", "format", "pattern", "a", "mode", "all");
        refused("name must be of letters, digits, - and _, but was a b", "kind", "json", "name", "a b");
        refused("n must be a whole number from 1 to 100, but was 2.5", "kind", "repetition", "n", "2.5");
        refused(
                "type must be object where keys are required, but was any",
                "kind",
                "json",
                "required",
                "a",
                "type",
                "any");
        refused("At least one reward is needed", "kind", "total", "minimum", "2");
    }

    @Test
    void twoRewardsOfOneKindNeedNames() {
        assertThatThrownBy(() -> Rewards.of(List.of(map("kind", "json"), map("kind", "json"))))
                .hasMessageContaining("the names were [json, json]. Set name where a kind is used twice");
        assertThat(Rewards.of(List.of(map("kind", "json"), map("kind", "json", "name", "other")))
                        .names())
                .containsExactly("json", "other");
    }

    @Test
    void anEndpointNeedsAnAddressWithoutAPassword() {
        refused("url must be http:// or https:// with a host", "kind", "http", "url", "ftp://a/b");
        refused(
                "and without a password (use token-file), but was http://a:b@c/",
                "kind",
                "http",
                "url",
                "http://a:b@c/");
        refused(
                "timeout must be a duration such as 500ms, 10s or 2m, but was soon",
                "kind",
                "http",
                "url",
                "http://a/",
                "timeout",
                "soon");
        refused(
                "cannot be read from /nowhere/token",
                "kind",
                "http",
                "url",
                "http://a/",
                "token-file",
                "/nowhere/token");
    }
}
