package io.tidemill.trainer.round;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.tidemill.model.engine.PromptAnswers;
import io.tidemill.trainer.data.LoggedAnswer;
import io.tidemill.trainer.slice.Slice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReferencesTest {
    private static final String CHAMPION = "tiny-000003";

    @TempDir
    Path directory;

    private WorkDirectory work;
    private final List<Integer> scored = new ArrayList<>();
    private final Map<String, Double> metrics = new HashMap<>();

    @BeforeEach
    void freezeAPlan() throws IOException {
        work = WorkDirectory.begin(
                directory,
                new RoundPlan(
                        "tiny-000004",
                        CHAMPION,
                        "",
                        1,
                        Slice.EMPTY,
                        Slice.EMPTY,
                        TrainerTest.settings(1e-3),
                        "asked",
                        0,
                        ErasurePlan.NONE));
    }

    /** The champion says −1 of each token; it is remembered which prompts it was asked about. */
    private References references(double bound) {
        return new References(
                work,
                CHAMPION,
                bound,
                texts -> {
                    texts.forEach(text -> scored.add(text.prompt()[0]));
                    return texts.stream()
                            .map(text -> text.answers().stream()
                                    .mapToDouble(answer -> -answer.length)
                                    .toArray())
                            .toList();
                },
                () -> {},
                metrics);
    }

    private static LoggedAnswer logged(String version, int[] tokens, double each) {
        return new LoggedAnswer(
                version, tokens, IntStream.of(tokens).mapToDouble(token -> each).toArray());
    }

    private static References.Asked asked(int prompt, String version, double each) {
        int[] answer = {prompt, 1, 2};
        return new References.Asked(
                new PromptAnswers(new int[] {prompt}, List.of(answer)), List.of(logged(version, answer, each)));
    }

    private static List<References.Asked> fortyOfTheChampion(double each) {
        return IntStream.range(0, 40).mapToObj(i -> asked(i, CHAMPION, each)).toList();
    }

    @Test
    void whatTheChampionSaidAndLoggedIsNotComputedAgainButForAFew() throws IOException {
        List<double[]> given = references(0.01).of("preference", fortyOfTheChampion(-1.005));
        assertThat(scored).hasSize(16);
        assertThat(given).hasSize(40).allSatisfy(one -> assertThat(one[0]).isCloseTo(-3.015, within(1e-12)));
        assertThat(metrics).containsEntry("preference_references_logged", 40.0);
        assertThat(metrics.get("preference_references_off_nats_per_token")).isCloseTo(0.005, within(1e-9));
    }

    @Test
    void ifOneOfThoseFewIsFurtherOffThanTheBoundAllAreComputed() throws IOException {
        List<double[]> given = references(0.001).of("preference", fortyOfTheChampion(-1.005));
        assertThat(given).allSatisfy(one -> assertThat(one[0]).isEqualTo(-3));
        assertThat(metrics).containsEntry("preference_references_logged", 0.0);
    }

    @Test
    void othersAreComputed() throws IOException {
        int[] answer = {5, 6};
        List<References.Asked> asked = List.of(
                asked(1, "tiny-000002", -9), // of an older version
                new References.Asked( // the text, tokenized, is not what was sampled
                        new PromptAnswers(new int[] {2}, List.of(answer)),
                        List.of(logged(CHAMPION, new int[] {5, 7}, -9))),
                new References.Asked( // a pair of which one answer comes from elsewhere
                        new PromptAnswers(new int[] {3}, List.of(answer, answer)),
                        List.of(logged(CHAMPION, answer, -9), LoggedAnswer.NONE)),
                new References.Asked(new PromptAnswers(new int[] {4}, List.of(answer)), List.of()));
        List<double[]> given = references(100).of("preference", asked);
        assertThat(scored).containsExactly(1, 2, 3, 4);
        assertThat(given.stream().map(one -> one[0])).containsExactly(-3.0, -2.0, -2.0, -2.0);
    }

    @Test
    void aFrozenPlanIsReadBackAsItWas() throws IOException {
        assertThat(work.plan().settings()).isEqualTo(TrainerTest.settings(1e-3));
    }

    @Test
    void anInterruptedRoundHasTheSameOnesAndAsksNothingAgain() throws IOException {
        List<double[]> before = references(0).of("rating", fortyOfTheChampion(-1.005));
        assertThat(scored).hasSize(40); // a bound of 0 uses none of the log
        scored.clear();
        List<double[]> after = references(0).of("rating", fortyOfTheChampion(-1.005));
        assertThat(scored).isEmpty();
        assertThat(after).usingRecursiveComparison().isEqualTo(before);
    }
}
