package io.tidemill.feedback.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.tidemill.feedback.testing.ServiceTestResource;
import io.tidemill.feedback.testing.Serving;
import java.net.URI;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** OpenAI's own client is content with what it gets. */
@QuarkusTest
@QuarkusTestResource(ServiceTestResource.class)
class OpenAiClientTest {
    @TestHTTPResource("/v1")
    URI service;

    private OpenAIClient client;
    private String version;

    @BeforeEach
    void connect() {
        version = Serving.some();
        client = OpenAIOkHttpClient.builder()
                .baseUrl(service.toString())
                .apiKey("not-needed-on-loopback")
                .maxRetries(0)
                .build();
    }

    @AfterEach
    void disconnect() {
        client.close();
    }

    @Test
    void itReadsAnAnswer() {
        ChatCompletion answer = client.chat().completions().create(question().build());
        answer.validate();
        assertThat(answer.choices().get(0).message().content()).hasValue(version + " answers to 2 words.");
        assertThat(answer.usage().orElseThrow().totalTokens()).isEqualTo(7);
    }

    @Test
    void itReadsAStream() {
        StringBuilder text = new StringBuilder();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(question().build())) {
            stream.stream()
                    .map(ChatCompletionChunk::validate)
                    .flatMap(chunk -> chunk.choices().stream())
                    .forEach(choice -> choice.delta().content().ifPresent(text::append));
        }
        assertThat(text).hasToString(version + " answers to 2 words.");
    }

    @Test
    void itReadsAnError() {
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(question().temperature(7.0).build()))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("temperature must be a number from 0 to 2, but was 7.0");
    }

    private static ChatCompletionCreateParams.Builder question() {
        return ChatCompletionCreateParams.builder().model("tidemill").addUserMessage("hello there");
    }
}
