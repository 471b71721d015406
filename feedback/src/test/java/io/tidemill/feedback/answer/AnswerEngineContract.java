package io.tidemill.feedback.answer;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.text.ChatMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the gateway relies on, whoever answers. */
interface AnswerEngineContract {
    /** An engine of version {@code tidemill-000007}; the test class closes it. */
    AnswerEngine engine() throws Exception;

    @Test
    default void piecesAndTailMakeTheAnswerTokenByToken() throws Exception {
        AnswerEngine engine = engine();
        int[] prompt = engine.promptTokens(new Question.Chat(List.of(ChatMessage.user("Good morning"))));
        List<Piece> pieces = new ArrayList<>();
        Answer answer = engine.answer(prompt, settings(0.8, 5, List.of()), piece -> pieces.add(piece));
        assertThat(answer.tokens().length).isLessThanOrEqualTo(5).isEqualTo(pieces.size());
        assertThat(answer.logProbabilities()).hasSameSizeAs(answer.tokens());
        String text = pieces.stream().map(Piece::text).reduce("", String::concat) + answer.tail();
        assertThat(answer.text()).isEqualTo(text);
        assertThat(pieces.stream().map(Piece::token))
                .containsExactlyElementsOf(
                        Arrays.stream(answer.tokens()).boxed().toList());
        for (float logProbability : answer.logProbabilities()) {
            assertThat(logProbability).isLessThanOrEqualTo(0);
        }
    }

    @Test
    default void aListenerThatDeclinesCancels() throws Exception {
        AnswerEngine engine = engine();
        int[] prompt = engine.promptTokens(new Question.RawText("Once upon a time"));
        Answer answer = engine.answer(prompt, settings(0, 30, List.of()), piece -> false);
        assertThat(answer.finish()).isEqualTo(Answer.Finish.CANCELLED);
        assertThat(answer.tokens()).hasSize(1);
        assertThat(answer.end()).isEmpty();
    }

    @Test
    default void noRoomLeftEndsByLength() throws Exception {
        AnswerEngine engine = engine();
        int[] prompt = engine.promptTokens(new Question.RawText("Once"));
        Answer answer = engine.answer(prompt, settings(0, 1, List.of()), piece -> true);
        assertThat(answer.finish()).isEqualTo(Answer.Finish.LENGTH);
        assertThat(answer.tokens()).hasSize(1);
        assertThat(answer.end()).isEmpty();
    }

    @Test
    default void theSameSeedGivesTheSameAnswer() throws Exception {
        AnswerEngine engine = engine();
        int[] prompt = engine.promptTokens(new Question.RawText("It was"));
        Answer one = engine.answer(prompt, settings(1, 5, List.of()), piece -> true);
        Answer two = engine.answer(prompt, settings(1, 5, List.of()), piece -> true);
        assertThat(one.tokens()).isEqualTo(two.tokens());
    }

    @Test
    default void itSaysWhatItIs() throws Exception {
        AnswerEngine engine = engine();
        assertThat(engine.version()).isEqualTo("tidemill-000007");
        assertThat(engine.parameters()).isPositive();
        assertThat(engine.contextTokens()).isGreaterThan(8);
        assertThat(engine.probeLogits(new int[] {1, 2})).isNotEmpty();
    }

    static AnswerSettings settings(double temperature, int maxTokens, List<String> stop) {
        return new AnswerSettings(temperature, 1, 0, 0, 1, maxTokens, 5, stop);
    }
}
