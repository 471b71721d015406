package io.tidemill.feedback.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.feedback.answer.Classification;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TextJsonTest {
    private final Map<String, Double> probabilities = new LinkedHashMap<>();

    @Test
    void ofOneRightLabelTheMostLikelyIsTold() {
        probabilities.put("ham", 0.25);
        probabilities.put("spam", 0.75);
        assertThat(TextJson.classified(3, new Classification.OneLabel(probabilities), false))
                .hasToString("{\"index\":3,\"label\":\"spam\",\"probabilities\":{\"ham\":0.25,\"spam\":0.75}}");
    }

    @Test
    void ofSeveralLabelsAllAboveOneHalfAreToldAndNoneIsAnAnswerToo() {
        probabilities.put("ham", 0.75);
        probabilities.put("spam", 0.5);
        assertThat(TextJson.classified(0, new Classification.SeveralLabels(probabilities), true))
                .hasToString("{\"index\":0,\"labels\":[\"ham\"],\"probabilities\":{\"ham\":0.75,\"spam\":0.5},"
                        + "\"truncated\":true}");
        probabilities.put("ham", 0.0);
        assertThat(TextJson.classified(0, new Classification.SeveralLabels(probabilities), false)
                        .get("labels"))
                .isEmpty();
    }

    @Test
    void aScoreIsANumberAlone() {
        assertThat(TextJson.classified(1, new Classification.Score(-0.375), false))
                .hasToString("{\"index\":1,\"score\":-0.375}");
    }
}
