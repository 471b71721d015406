package io.tidemill.standalone.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.base.GrammarCorrections.Correction;
import io.tidemill.proto.v1.Comparison;
import io.tidemill.proto.v1.Comparison.Side;
import io.tidemill.proto.v1.Comparison.Verdict;
import io.tidemill.proto.v1.Feedback;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChoicesTest {
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-01-02T03:04:05Z"), ZoneOffset.UTC);
    private static final Correction CORRECTION =
            new Correction("THEY_WAS/1", "THEY_WAS", "GRAMMAR", "They was late.", "They were late.");

    @Test
    void theCorrectedSentenceIsPreferredWhereverItStands() {
        for (Feedback choice : hundred(3)) {
            Comparison comparison = choice.getComparison();
            String preferred = comparison.getVerdict() == Verdict.A_BETTER
                    ? comparison.getSelfContained().getAnswerA()
                    : comparison.getSelfContained().getAnswerB();
            assertThat(preferred).isEqualTo("They were late.");
        }
    }

    @Test
    void bothSidesAndBothLettersOccurAndAreRecorded() {
        List<Comparison> comparisons =
                hundred(3).stream().map(Feedback::getComparison).toList();
        assertThat(comparisons).extracting(Comparison::getVerdict).contains(Verdict.A_BETTER, Verdict.B_BETTER);
        assertThat(comparisons).extracting(Comparison::getLeft).contains(Side.A, Side.B);
        assertThat(comparisons).allSatisfy(comparison -> assertThat(comparison.getDisplayedOrderList())
                .isEqualTo(comparison.getLeft() == Side.A ? List.of("a", "b") : List.of("b", "a")));
    }

    @Test
    void theQuestionDoesNotGiveTheMistakeAway() {
        assertThat(hundred(3).get(0).getComparison().getSelfContained().getMessagesList())
                .singleElement()
                .satisfies(message -> assertThat(message.getContent()).isEqualTo(Choices.PROMPT));
    }

    @Test
    void theRuleIsTheGroupAndTheExampleTheId() {
        Feedback choice = new Choices(1, CLOCK).of(CORRECTION);
        assertThat(choice.getGroupId()).isEqualTo("THEY_WAS");
        assertThat(choice.getFeedbackId()).isEqualTo("demo/THEY_WAS/1");
        assertThat(choice.getEventTime().getSeconds()).isEqualTo(CLOCK.instant().getEpochSecond());
    }

    @Test
    void theSeedAloneDecidesTheSides() {
        assertThat(hundred(5)).isEqualTo(hundred(5)).isNotEqualTo(hundred(6));
    }

    private static List<Feedback> hundred(long seed) {
        Choices choices = new Choices(seed, CLOCK);
        return IntStream.range(0, 100).mapToObj(i -> choices.of(CORRECTION)).toList();
    }
}
