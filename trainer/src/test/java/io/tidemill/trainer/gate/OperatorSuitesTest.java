package io.tidemill.trainer.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.text.Tokenizer;
import io.tidemill.proto.v1.GateVerdict;
import io.tidemill.proto.v1.SuiteResult;
import io.tidemill.trainer.round.TinyBase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OperatorSuitesTest {
    @TempDir
    static Path shared;

    @TempDir
    Path directory;

    private static Tokenizer tokenizer;

    @BeforeAll
    static void loadTokenizer() throws IOException {
        tokenizer = Tokenizer.load(TinyBase.write(shared.resolve("base")));
    }

    @AfterAll
    static void closeTokenizer() {
        tokenizer.close();
    }

    /** Answers with a text, whatever it is asked, and finds every token as likely as said. */
    private record Spoken(Function<Question, String> answer, Function<int[], Double> likelihood) implements Scoring {
        @Override
        public List<float[]> logProbabilities(List<int[]> sequences) {
            return sequences.stream()
                    .map(sequence -> {
                        float[] each = new float[sequence.length - 1];
                        Arrays.fill(each, likelihood.apply(sequence).floatValue());
                        return each;
                    })
                    .toList();
        }

        @Override
        public List<Reply> answers(List<Question> questions) {
            return questions.stream()
                    .map(question -> new Reply(tokenizer.encode(answer.apply(question)), true))
                    .toList();
        }
    }

    private static AskedModel model(int positions) {
        return new AskedModel(tokenizer, Optional.empty(), positions);
    }

    private GatePolicy policy(String... lines) throws IOException {
        return policy(1, lines);
    }

    private GatePolicy policy(int minimum, String... lines) throws IOException {
        Path file = directory.resolve("probes.jsonl");
        Files.write(file, List.of(lines));
        return new GatePolicy(
                List.of(file.toString()),
                List.of(),
                "",
                0.1,
                minimum,
                20,
                GatePolicy.Drift.OFF,
                List.of(),
                List.of(),
                false);
    }

    private double[] scores(Scoring model, String... lines) throws IOException {
        Suite<Scoring> suite =
                OperatorSuites.read(policy(lines)).probeSuites(model(256)).get(0);
        int[] all = new int[suite.weights().length];
        Arrays.setAll(all, i -> i);
        return suite.score(model, all);
    }

    // ---- checks -----------------------------------------------------------------------------------------------------

    private boolean passes(String answer, String check) throws IOException {
        return scores(
                        new Spoken(question -> answer, sequence -> 0.0),
                        "{\"prompt\": \"Say it\", \"check\": " + check + "}")[0]
                == 1;
    }

    @Test
    void eachKindOfCheckPassesWhatItDescribesAndNothingElse() throws IOException {
        Map<String, List<String>> cases = Map.of(
                "{\"contains\": \"tide\"}", List.of("the tide comes", "the mill stops"),
                "{\"contains\": [\"tide\", \"mill\"]}", List.of("tide and mill", "the tide"),
                "{\"not_contains\": [\"mill\", \"flour\"]}", List.of("the tide", "no flour"),
                "{\"equals\": \"The tide.\"}", List.of(" The tide. ", "The tide!"),
                "{\"starts_with\": \"No\", \"ignore_case\": true}", List.of(" no, sir", "yes, no"),
                "{\"one_of\": [\"yes\", \"no\"]}", List.of("no", "no no"),
                "{\"matches\": \"^[0-9]+$\"}", List.of("1234", "12a"),
                "{\"json\": true}", List.of("{\"a\": [1]}", "{\"a\": [1]} and more"),
                "{\"max_tokens\": 3}", List.of("tide", "the tide comes in and goes out again and again"),
                "{\"min_tokens\": 4, \"contains\": \"tide\"}", List.of("the tide comes in again", "tide"));
        for (Map.Entry<String, List<String>> one : cases.entrySet()) {
            assertThat(passes(one.getValue().get(0), one.getKey()))
                    .as(one.toString())
                    .isTrue();
            assertThat(passes(one.getValue().get(1), one.getKey()))
                    .as(one.toString())
                    .isFalse();
        }
    }

    @Test
    void anAnswerThatTheLimitCutIsLongerThanAnyLimit() throws IOException {
        Scoring cut = new Scoring() {
            @Override
            public List<float[]> logProbabilities(List<int[]> sequences) {
                return List.of();
            }

            @Override
            public List<Reply> answers(List<Question> questions) {
                return List.of(new Reply(tokenizer.encode("a"), false));
            }
        };
        assertThat(scores(cut, "{\"prompt\": \"Say it\", \"check\": {\"max_tokens\": 9}}"))
                .containsExactly(0);
    }

    @Test
    void amongChoicesTheMostLikelyATokenMustBeTheRightOneAndATieCountsHalf() throws IOException {
        String probe =
                "{\"prompt\": \"Two and two are\", \"choices\": [\" three\", \" four\"], \"answer\": 1, \"weight\": 3}";
        int[] right = tokenizer.encode("Two and two are four");
        Spoken knows = new Spoken(q -> "", sequence -> Arrays.equals(sequence, right) ? -1.0 : -2.0);
        Spoken errs = new Spoken(q -> "", sequence -> Arrays.equals(sequence, right) ? -2.0 : -1.0);
        Spoken wavers = new Spoken(q -> "", sequence -> -1.0);
        assertThat(scores(knows, probe)).containsExactly(3);
        assertThat(scores(errs, probe)).containsExactly(0);
        assertThat(scores(wavers, probe)).containsExactly(1.5);
    }

    @Test
    void probesOfASuiteOfTheirOwnAreJudgedByItAlone() throws IOException {
        OperatorSuites suites = OperatorSuites.read(policy(
                "{\"prompt\": \"a\", \"check\": {\"contains\": \"b\"}}",
                "{\"prompt\": \"c\", \"suite\": \"sycophancy\", \"check\": {\"contains\": \"d\"}}"));
        assertThat(suites.names()).containsExactly("probes", "probes-sycophancy");
        assertThat(suites.probeSuites(model(256)))
                .extracting(Suite::name)
                .containsExactly("probes", "probes-sycophancy");
        assertThat(suites.policy(Set.of()).required()).containsExactlyInAnyOrder("probes", "probes-sycophancy");
    }

    @Test
    void aScoreIsRememberedByContentSoThatAChangedCheckIsAskedAnew() throws IOException {
        String one = "{\"prompt\": \"a\", \"check\": {\"contains\": \"b\"}}";
        String other = "{\"prompt\": \"a\", \"check\": {\"contains\": \"c\"}}";
        List<String> before =
                OperatorSuites.read(policy(one)).probeSuites(model(256)).get(0).exampleIds();
        assertThat(OperatorSuites.read(policy(one))
                        .probeSuites(model(256))
                        .get(0)
                        .exampleIds())
                .isEqualTo(before);
        assertThat(OperatorSuites.read(policy(other))
                        .probeSuites(model(256))
                        .get(0)
                        .exampleIds())
                .isNotEqualTo(before);
    }

    // ---- mistakes ---------------------------------------------------------------------------------------------------

    private void refused(String line, String... told) {
        assertThatThrownBy(() -> OperatorSuites.read(policy("", line)))
                .as(line)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("trainer.gate.probes: ")
                .hasMessageContaining("probes.jsonl:2")
                .hasMessageContainingAll(told);
    }

    @Test
    void aMistakeIsToldWithFileLineAndRemedy() {
        refused("{\"prompt\": \"a\"", "not one JSON object");
        refused("[]", "must be a JSON object");
        refused("{\"prompt\": \"a\", \"chek\": {}}", "\"chek\" is not known", "check");
        refused("{\"check\": {\"json\": true}}", "either a \"prompt\" or \"messages\"");
        refused(
                "{\"prompt\": \"a\", \"messages\": [{\"role\": \"user\", \"content\": \"b\"}], \"check\": {\"json\": true}}",
                "not both");
        refused("{\"prompt\": \"a\"}", "needs either a \"check\"");
        refused("{\"prompt\": \"a\", \"check\": {}}", "at least one of contains");
        refused("{\"prompt\": \"a\", \"check\": {\"contain\": \"b\"}}", "has no \"contain\"; it has contains");
        refused("{\"prompt\": \"a\", \"check\": {\"contains\": 3}}", "\"contains\" must be a text, but is 3");
        refused("{\"prompt\": \"a\", \"check\": {\"matches\": \"(\"}}", "not a regular expression");
        refused("{\"prompt\": \"a\", \"check\": {\"ignore_case\": true}}", "asks for nothing");
        refused("{\"prompt\": \"a\", \"choices\": [\"b\"], \"answer\": 0}", "at least two");
        refused("{\"prompt\": \"a\", \"choices\": [\"b\", \"c\"]}", "from 0 to 1, but is missing");
        refused("{\"prompt\": \"a\", \"choices\": [\"b\", \"b\"], \"answer\": 0}", "the same");
        refused("{\"prompt\": \"a\", \"check\": {\"json\": true}, \"weight\": 0}", "\"weight\"", "above 0");
        refused("{\"prompt\": \"a\", \"check\": {\"json\": true}, \"suite\": \"A b\"}", "\"suite\"");
        refused("{\"prompt\": \"a\", \"prompt\": \"b\", \"check\": {\"json\": true}}", "not one JSON object");
    }

    @Test
    void anIdThatStandsTwiceIsToldAndAFileThatIsNotThere() throws IOException {
        String line = "{\"id\": \"x\", \"prompt\": \"a\", \"check\": {\"json\": true}}";
        assertThatThrownBy(() -> OperatorSuites.read(policy(line, line)))
                .hasMessageContaining("probes.jsonl:2")
                .hasMessageContaining("\"x\" stands twice");
        GatePolicy absent = new GatePolicy(
                List.of("nowhere.jsonl"), List.of(), "", 0.1, 1, 20, GatePolicy.Drift.OFF, List.of(), List.of(), false);
        assertThatThrownBy(() -> OperatorSuites.read(absent)).hasMessageContaining("nowhere.jsonl cannot be read");
    }

    @Test
    void aSuiteThatIsTooSmallToBeJudgedIsRefusedBecauseItWouldBlockEveryRound() {
        assertThatThrownBy(() -> OperatorSuites.read(policy(3, "{\"prompt\": \"a\", \"check\": {\"json\": true}}")))
                .hasMessageContaining("suite probes has 1 probe, but is judged from 3 on");
    }

    @Test
    void aProbeThatTheModelCannotBeAskedIsTold() throws IOException {
        OperatorSuites messages = OperatorSuites.read(
                policy("{\"messages\": [{\"role\": \"user\", \"content\": \"b\"}], \"check\": {\"json\": true}}"));
        assertThatThrownBy(() -> messages.check(model(256)))
                .hasMessageContaining("probes.jsonl:1")
                .hasMessageContaining("no chat template");
        OperatorSuites longer = OperatorSuites.read(policy("{\"prompt\": \"a\", \"check\": {\"json\": true}}"));
        assertThatThrownBy(() -> longer.check(model(20)))
                .hasMessageContaining("21 tokens long with its answer, but the model has 20 positions");
    }

    @Test
    void aPolicyThatWantsASuiteOfTheOperatorsIsRefusedWithoutOne() {
        assertThatThrownBy(() -> new GatePolicy(
                        List.of(), List.of(), "", 0.1, 10, 20, GatePolicy.Drift.OFF, List.of(), List.of(), true))
                .hasMessageContaining("trainer.gate.require-operator-suite")
                .hasMessageContaining("trainer.gate.probes");
        assertThatThrownBy(() -> new GatePolicy(
                        List.of(), List.of(), "", 0, 10, 20, GatePolicy.Drift.OFF, List.of(), List.of(), false))
                .hasMessageContaining("trainer.gate.probe-margin must be above 0");
    }

    // ---- drift ------------------------------------------------------------------------------------------------------

    /** @param agreement accepted loss of it */
    private static GatePolicy watching(double agreement) {
        return new GatePolicy(
                List.of(),
                List.of(),
                "",
                0.1,
                10,
                20,
                new GatePolicy.Drift("", 30, 16, 20, 0.35, 0.25, agreement),
                List.of(),
                List.of(),
                false);
    }

    private static GateVerdict drift(Scoring champion, Scoring candidate) {
        return drift(champion, candidate, 0.9);
    }

    private static GateVerdict drift(Scoring champion, Scoring candidate, double agreement) {
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            prompts.add(tokenizer.encode("What comes in, number " + i + "?"));
        }
        List<Gate.Measured> measured = new ArrayList<>();
        for (Suite<Scoring> suite :
                OperatorSuites.read(watching(agreement)).driftSuites(model(256), prompts, "m-1", champion)) {
            int[] all = new int[suite.weights().length];
            Arrays.setAll(all, i -> i);
            measured.add(Gate.Measured.withChampion(
                    suite,
                    new Scores(suite.score(champion, all), suite.weights()),
                    new Scores(suite.score(candidate, all), suite.weights())));
        }
        return new Gate(new Gate.Settings(500, 0.05)).judge(measured, 1);
    }

    private static Spoken saying(Function<Question, String> answer) {
        return new Spoken(answer, sequence -> 0.0);
    }

    private static List<String> failed(GateVerdict verdict) {
        return verdict.getSuitesList().stream()
                .filter(suite -> !suite.getPassed())
                .map(SuiteResult::getSuite)
                .toList();
    }

    @Test
    void theSameAnswersPassAndOneTokenOverAndOverDoesNot() {
        Spoken champion = saying(question -> "The tide comes in " + question.prompt().length + " times a day, sir.");
        assertThat(failed(drift(champion, champion))).isEmpty();
        Spoken collapsed = saying(question -> " tide".repeat(16));
        assertThat(failed(drift(champion, collapsed))).contains("answer-repetition", "answer-agreement");
    }

    /** As in the first rounds from a base that cannot answer. */
    @Test
    void withAMarginOfAllAgreementIsToldAndDecidesNothing() {
        Spoken champion = saying(question -> "The tide comes in.");
        Spoken other = saying(question -> "Elms grow north");
        assertThat(failed(drift(champion, other))).containsExactly("answer-agreement");
        GateVerdict verdict = drift(champion, other, 1);
        assertThat(verdict.getPassed()).isTrue();
        assertThat(verdict.getSuitesList())
                .filteredOn(suite -> suite.getSuite().equals("answer-agreement"))
                .singleElement()
                .satisfies(suite -> {
                    assertThat(suite.getAfter()).isLessThan(0.5);
                    assertThat(suite.getRule()).isEqualTo("not judged: a margin of 1.0 decides nothing");
                });
    }

    @Test
    void answersThatBecameMuchShorterAreRefusedAsAreMuchLongerOnes() {
        Spoken wordy = saying(question -> "The tide comes in, one two three four five six.");
        Spoken curt = saying(question -> "The tide");
        assertThat(failed(drift(wordy, curt))).containsExactly("answer-length");
        assertThat(failed(drift(curt, wordy))).containsExactly("answer-length");
    }

    @Test
    void answersAreAskedOnceAVersionAndReadBackAsTheyWere() throws IOException {
        AnswerCache cache = new ScoreCache(directory).answers();
        List<Question> questions = List.of(
                new Question(new int[] {1, 2}, 5), new Question(new int[] {1, 2}, 6), new Question(new int[] {3}, 5));
        List<Integer> asked = new ArrayList<>();
        Function<List<Question>, List<Reply>> model = some -> {
            asked.add(some.size());
            return some.stream()
                    .map(question -> new Reply(
                            question.prompt().length == 1 ? new int[0] : new int[] {7, question.maxTokens()},
                            question.maxTokens() == 5))
                    .toList();
        };
        cache.answers("m-000001", questions.subList(0, 1), model, () -> {});
        List<Reply> replies = cache.answers("m-000001", questions, model, () -> {});
        assertThat(asked).containsExactly(1, 2);
        assertThat(replies).extracting(Reply::tokens).containsExactly(new int[] {7, 5}, new int[] {7, 6}, new int[0]);
        assertThat(replies).extracting(Reply::ended).containsExactly(true, false, true);

        new ScoreCache(directory).keepOnly(List.of("m-000001"));
        cache.answers("m-000001", questions, model, () -> {});
        assertThat(asked).hasSize(2);
        new ScoreCache(directory).keepOnly(List.of("m-000002"));
        cache.answers("m-000001", questions, model, () -> {});
        assertThat(asked).containsExactly(1, 2, 3);

        Path kept = directory.resolve("m-000001.answers");
        Files.writeString(kept, Files.readString(kept).replace("7 6", "7 8"));
        assertThat(cache.answers("m-000001", questions, model, () -> {}).get(1).tokens())
                .containsExactly(7, 6);
        assertThat(asked).containsExactly(1, 2, 3, 3);
    }
}
