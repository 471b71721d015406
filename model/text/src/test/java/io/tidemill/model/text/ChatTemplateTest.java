package io.tidemill.model.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatTemplateTest {
    private static final List<ChatMessage> HELLO = List.of(ChatMessage.user("Hello"));

    @Test
    void everyRenderingEqualsThatOfTransformers() {
        JsonNode fixture = Fixtures.json("chat-templates.json");
        assertThat(fixture.get("cases").size()).isGreaterThanOrEqualTo(80);

        for (JsonNode each : fixture.get("cases")) {
            String about = each.get("template").asText() + " / "
                    + each.get("conversation").asText() + " / " + each.get("addGenerationPrompt");
            ChatTemplate template = ChatTemplate.of(
                    fixture.get("templates").get(each.get("template").asText()).asText(),
                    Map.of("bos_token", "<s>", "eos_token", "</s>"));
            List<ChatMessage> messages = messages(
                    fixture.get("conversations").get(each.get("conversation").asText()));
            boolean prompt = each.get("addGenerationPrompt").asBoolean();

            if (each.has("refusal")) {
                assertThatThrownBy(() -> template.render(messages, prompt))
                        .as(about)
                        .hasMessageContaining(each.get("refusal").asText());
            } else {
                assertThat(template.render(messages, prompt))
                        .as(about)
                        .isEqualTo(each.get("text").asText());
            }
        }
    }

    private static List<ChatMessage> messages(JsonNode conversation) {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : conversation) {
            messages.add(new ChatMessage(
                    message.get("role").asText(), message.get("content").asText()));
        }
        return messages;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            quoteCharacter = '`',
            textBlock =
                    """
            {% block f %}{% endblock %}        ! line 1: statement 'block' is not supported
            a{# #}\\n{% include 'x' %}          ! line 2: statement 'include' is not supported
            {{ messages | pprint }}            ! line 1: filter 'pprint' is not supported
            {{ 1 is even_more }}               ! line 1: test 'even_more' is not supported
            {{ messages                        ! '{{' is never closed
            {% for m in messages %}            ! [else, endfor] is missing
            {{ 1 + }}                          ! a value is expected
            {{ a $ b }}                        ! character '$' is not expected
            """)
    void whatIsNotSupportedIsRefusedByNameWhenLoading(String jinja, String message) {
        assertThatThrownBy(() -> ChatTemplate.of(jinja.replace("\\n", "\n"), Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cannot be used")
                .hasMessageContaining(message);
    }

    @Test
    void toolsCallsAndOptionsReachTheTemplate() {
        ChatTemplate template = ChatTemplate.of(
                "{{ tools[0].function.name }} {{ messages[0].tool_calls[0].n + 1 }} {{ enable_thinking }}"
                        + " {{ messages[0].x is none }} {{ messages[0] | tojson }}",
                Map.of());
        Map<String, Object> more = new LinkedHashMap<>();
        more.put("tool_calls", List.of(Map.of("n", 1)));
        more.put("x", null);
        Conversation conversation = new Conversation(
                List.of(new ChatMessage("assistant", "hi", more)),
                List.of(Map.of("function", Map.of("name", "clock"))),
                Map.of("enable_thinking", false));

        assertThat(template.render(conversation, false))
                .isEqualTo("clock 2 False True {\"role\": \"assistant\", \"content\": \"hi\","
                        + " \"tool_calls\": [{\"n\": 1}], \"x\": null}");
        assertThat(ChatTemplate.of("{{ tools is none }} {{ x is defined }}", Map.of())
                        .render(HELLO, false))
                .isEqualTo("True False");
        assertThatThrownBy(() -> new ChatMessage("user", "x", Map.of("at", new java.util.Date(0))))
                .hasMessageContaining("a chat message.at must be a text")
                .hasMessageContaining("java.util.Date");
        assertThatThrownBy(() -> new ChatMessage("user", "x", Map.of("content", "y")))
                .hasMessageContaining("given once");
    }

    @Test
    void theDateIsThatOfTheClock() {
        Clock clock = Clock.fixed(Instant.parse("2026-11-23T10:00:00Z"), ZoneOffset.UTC);

        assertThat(ChatTemplate.of("{{ strftime_now('%d %b %Y') }}", Map.of())
                        .at(clock)
                        .render(HELLO, false))
                .isEqualTo("23 Nov 2026");
    }

    @Test
    void lookingIntoSomethingUndefinedSaysWhatWasMissing() {
        ChatTemplate template = ChatTemplate.of("{{ messages[0].tool.name }}", Map.of());

        assertThatThrownBy(() -> template.render(HELLO, false))
                .hasMessageContaining("Chat template '{{ messages[0].tool.name }}'")
                .hasMessageContaining("'tool' is undefined");
    }

    @Test
    void aContentIsNeverReadAsTemplate() {
        ChatTemplate template = ChatTemplate.of(Fixtures.CHATML, Map.of("eos_token", "secret"));
        List<ChatMessage> messages = List.of(ChatMessage.user("{{ eos_token }}{% raw %}"));

        assertThat(template.render(messages, false))
                .isEqualTo("<|im_start|>user\n{{ eos_token }}{% raw %}<|im_end|>\n");
    }

    @Test
    void aDirectoryMayHoldTheTemplateInEitherPlace(@TempDir Path directory) throws IOException {
        Path configuration = directory.resolve("tokenizer_config.json");
        assertThatThrownBy(() -> ChatTemplate.load(directory)).hasMessageContaining("There is no chat template");

        Files.writeString(configuration, "{\"bos_token\": \"<s>\", \"chat_template\": \"{{ bos_token }}inline\"}");
        assertThat(ChatTemplate.load(directory).render(HELLO, false)).isEqualTo("<s>inline");

        Files.writeString(
                configuration,
                "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"no\"},"
                        + " {\"name\": \"default\", \"template\": \"one of several\"}]}");
        assertThat(ChatTemplate.load(directory).render(HELLO, false)).isEqualTo("one of several");
        Conversation withTools = new Conversation(HELLO, List.of(Map.of("name", "clock")), Map.of());
        assertThat(ChatTemplate.load(directory).render(withTools, false)).isEqualTo("no");

        Files.writeString(directory.resolve("chat_template.jinja"), "{{ 'its own file' }}");
        assertThat(ChatTemplate.load(directory).render(HELLO, false)).isEqualTo("its own file");
    }
}
