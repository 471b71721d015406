package io.tidemill.feedback.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.feedback.answer.AnswerSettings;
import io.tidemill.feedback.request.InvalidRequest;
import io.tidemill.model.text.ChatMessage;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RequestReaderTest {
    private static final String HI = "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]";

    private final RequestReader reader = new RequestReader(200, new Random(1));

    @Test
    void whatIsNotSaidIsAsOpenAiHasItWithThisServicesLength() {
        AskedFor asked = chat(HI + "}");
        AnswerSettings settings = asked.settings();
        assertThat(settings.temperature()).isEqualTo(1);
        assertThat(settings.topP()).isEqualTo(1);
        assertThat(settings.topK()).isZero();
        assertThat(settings.maxTokens()).isEqualTo(200);
        assertThat(settings.stop()).isEmpty();
        assertThat(asked.choices()).isEqualTo(1);
        assertThat(asked.stream()).isFalse();
        assertThat(asked.store()).isTrue();
        assertThat(asked.model()).isEmpty();
        assertThat(asked.user()).isEmpty();
    }

    @Test
    void everythingThatIsSaidArrives() {
        AskedFor asked = chat(
                HI + ", \"model\": \"tidemill\", \"temperature\": 0, \"top_p\": 0.9, \"top_k\": 5, \"min_p\": 0.05,"
                        + " \"repetition_penalty\": 1.1,"
                        + " \"max_completion_tokens\": 7, \"max_tokens\": 9, \"n\": 3, \"seed\": -4, \"stop\": [\"a\", \"b\"],"
                        + " \"stream\": true, \"stream_options\": {\"include_usage\": true}, \"logprobs\": true,"
                        + " \"store\": false, \"user\": \"ann\", \"metadata\": {\"k\": \"v\"}}");
        assertThat(asked.settings()).isEqualTo(new AnswerSettings(0, 0.9, 5, 0.05, 1.1, 7, -4, List.of("a", "b")));
        assertThat(asked.choices()).isEqualTo(3);
        assertThat(asked.includeUsage()).isTrue();
        assertThat(asked.logProbs()).isTrue();
        assertThat(asked.store()).isFalse();
        assertThat(asked.user()).hasValue("ann");
    }

    @Test
    void fieldsThatAskForNothingAreAcceptedAndNullIsTheSameAsAbsent() {
        AskedFor asked = chat(HI + ", \"frequency_penalty\": 0, \"presence_penalty\": 0.0, \"logit_bias\": {},"
                + " \"response_format\": {\"type\": \"text\"}, \"tools\": [], \"tool_choice\": \"none\", \"stop\": null,"
                + " \"temperature\": null, \"service_tier\": \"auto\", \"parallel_tool_calls\": true}");
        assertThat(asked.settings().temperature()).isEqualTo(1);
    }

    @Test
    void aDevelopersMessageIsASystemMessage() {
        AskedFor asked = chat("{\"messages\": [{\"role\": \"developer\", \"content\": \"Be brief.\"},"
                + " {\"role\": \"user\", \"content\": \"hi\", \"name\": \"Ann\"}]}");
        assertThat(asked.question().messages())
                .containsExactly(ChatMessage.system("Be brief."), ChatMessage.user("hi"));
    }

    @Test
    void eachRequestWithoutASeedGetsItsOwn() {
        assertThat(chat(HI + "}").settings().seed())
                .isNotEqualTo(chat(HI + "}").settings().seed());
    }

    @Test
    void twiceTheSameFieldIsNotGuessedAt() {
        assertThatThrownBy(() -> chat(HI + ", \"n\": 1, \"n\": 2}"))
                .isInstanceOf(InvalidRequest.class)
                .hasMessageContaining("Duplicate field 'n'");
    }

    @Test
    void aLongValueIsClippedInTheMessage() {
        assertThatThrownBy(() -> chat(HI + ", \"model\": [\"" + "x".repeat(5000) + "\"]}"))
                .isInstanceOf(InvalidRequest.class)
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(400));
    }

    @Test
    void aTextToContinueIsOneString() {
        AskedFor asked = reader.rawText("{\"prompt\": \"Once\", \"logprobs\": 0}".getBytes(StandardCharsets.UTF_8));
        assertThat(asked.question().raw()).isTrue();
        assertThat(asked.logProbs()).isTrue();
        for (String prompt : List.of("[1, 2]", "[\"a\", \"b\"]", "\"\"", "7")) {
            assertThatThrownBy(() -> reader.rawText(("{\"prompt\": " + prompt + "}").getBytes(StandardCharsets.UTF_8)))
                    .as(prompt)
                    .isInstanceOf(InvalidRequest.class)
                    .hasMessageContaining("prompt");
        }
    }

    private AskedFor chat(String body) {
        return reader.chat(body.getBytes(StandardCharsets.UTF_8));
    }
}
