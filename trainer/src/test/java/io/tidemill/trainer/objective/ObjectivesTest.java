package io.tidemill.trainer.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ObjectivesTest {
    @Test
    void everyObjectiveIsMadeFromItsDescribedDefaultsAndKnowsItsName() {
        assertThat(Objectives.describe()).isNotEmpty().allSatisfy(description -> {
            Map<String, String> defaults = new TreeMap<>();
            description.parameters().forEach(parameter -> defaults.put(parameter.name(), parameter.defaultValue()));
            assertThat(nameOf(description, defaults)).isEqualTo(description.name());
            assertThat(nameOf(description, Map.of())).isEqualTo(description.name());
            assertThat(description.source()).contains("arXiv:");
            assertThat(description.parameters()).allSatisfy(parameter -> {
                assertThat(parameter.meaning()).isNotBlank();
                assertThat(parameter.accepted()).isNotBlank();
            });
        });
    }

    private static String nameOf(ObjectiveDescription description, Map<String, String> parameters) {
        return switch (description.kind()) {
            case PAIR -> Objectives.pair(description.name(), parameters).name();
            case RATING -> Objectives.rating(description.name(), parameters).name();
            case POLICY -> Objectives.policy(description.name(), parameters).name();
        };
    }

    @Test
    void anUnknownNameIsRefusedWithTheKnownOnes() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Objectives.pair("dpoo", Map.of()))
                .withMessage("No objective over pairs of answers is called dpoo."
                        + " There are dpo, ipo, hinge, robust, simpo, orpo, cpo, reward");
    }

    @Test
    void everythingWrongWithTheParametersIsSaidAtOnce() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Objectives.pair(
                        "dpo",
                        Map.of("beta", "-1", "label-smoothing", "0.5", "length-normalised", "yes", "betta", "1")))
                .withMessage("beta of objective dpo must be above 0, but was -1;"
                        + " label-smoothing of objective dpo must be 0 or more and below 0.5, but was 0.5;"
                        + " length-normalised of objective dpo must be true or false, but was yes;"
                        + " objective dpo has no parameter betta. It takes beta (above 0; default 0.1),"
                        + " label-smoothing (0 or more and below 0.5; default 0),"
                        + " length-normalised (true or false; default false),"
                        + " supervised-weight (0 or more; default 0)");
    }

    @Test
    void numbersThatAreNoneAreRefused() {
        for (String value : List.of("", "NaN", "Infinity", "0,1", "0")) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Objectives.pair("ipo", Map.of("beta", value)))
                    .withMessage("beta of objective ipo must be above 0, but was " + value);
        }
    }

    @Test
    void smoothingWithTheHingeIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Objectives.pair("cpo", Map.of("loss", "hinge", "label-smoothing", "0.1")))
                .withMessage("label-smoothing must be 0 with the hinge loss, which has none, but was 0.1");
    }
}
