package io.tidemill.trainer.encoder;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.engine.EncoderConfig;
import io.tidemill.model.engine.EncoderConfig.Head;
import io.tidemill.model.engine.EncoderConfig.Problem;
import io.tidemill.model.engine.LabelledText;
import io.tidemill.model.text.Tokenizer;
import io.tidemill.trainer.data.LabelledSequence;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class LabelReaderTest {
    private static final EncoderConfig BASE =
            new EncoderConfig(53, 8, 8, 1, 1, 16, 2, 1e-12, 0.02, 0, Head.MASKED, List.of());

    private static Tokenizer tokenizer;

    @BeforeAll
    static void open() throws IOException {
        tokenizer = Tokenizer.load(EncoderTextTest.DIRECTORY);
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    private static Optional<LabelledText> read(Problem problem, List<String> labels, OptionalDouble score) {
        List<String> told = problem == Problem.SCORE ? List.of("score") : List.of("ham", "spam", "news");
        LabelReader reader = new LabelReader(BASE.withLabels(told, problem), new EncoderText(tokenizer, 6));
        return reader.read(new LabelledSequence("a", new int[] {5, 6, 7, 8, 9, 10}, labels, score, 1))
                .map(EncoderExample::text);
    }

    private static Optional<Set<Integer>> labels(Problem problem, String... labels) {
        return read(problem, List.of(labels), OptionalDouble.empty()).map(LabelledText::labels);
    }

    @Test
    void oneOfTheModelsLabelsIsTakenByNameOrNumberAndNothingElse() {
        assertThat(labels(Problem.SINGLE, "spam")).contains(Set.of(1));
        assertThat(labels(Problem.SINGLE, "2")).contains(Set.of(2));
        assertThat(labels(Problem.SINGLE, "spam", "spam")).contains(Set.of(1));
        assertThat(labels(Problem.SINGLE, "spam", "ham")).isEmpty();
        assertThat(labels(Problem.SINGLE, "sea")).isEmpty();
        assertThat(labels(Problem.SINGLE, "spam", "sea")).isEmpty();
        assertThat(labels(Problem.SINGLE, "3")).isEmpty();
        assertThat(read(Problem.SINGLE, List.of(), OptionalDouble.of(1))).isEmpty();
    }

    @Test
    void ofSeveralLabelsEachMustBeTheModels() {
        assertThat(labels(Problem.MULTIPLE, "ham", "news")).contains(Set.of(0, 2));
        assertThat(labels(Problem.MULTIPLE, "ham", "sea")).isEmpty();
        assertThat(read(Problem.MULTIPLE, List.of(), OptionalDouble.of(1))).isEmpty();
    }

    @Test
    void aScoreIsWhatAModelOfScoresLearnsAndLabelsAreNot() {
        assertThat(read(Problem.SCORE, List.of(), OptionalDouble.of(-1.5)).map(LabelledText::score))
                .contains(-1.5);
        assertThat(labels(Problem.SCORE, "score")).isEmpty();
    }

    @Test
    void theTextIsFramedAndCutToAnInput() {
        LabelledText text =
                read(Problem.SINGLE, List.of("ham"), OptionalDouble.empty()).orElseThrow();
        assertThat(text.input().ids()).containsExactly(2, 5, 6, 7, 8, 3);
    }
}
