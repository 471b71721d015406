package io.tidemill.model.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.text.jinja.JinjaException;
import io.tidemill.model.text.jinja.JinjaTemplate;
import io.tidemill.model.text.jinja.Limits;
import io.tidemill.model.text.jinja.Rendering;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every chat template that TRL ships, rendered as transformers renders it; {@code make_chat_template_fixtures.py}. */
@SuppressWarnings("unchecked")
class StockTemplatesTest {
    private final Map<String, Object> fixture = Fixtures.values("stock-templates.json.gz");
    private final Clock clock =
            Clock.fixed(LocalDateTime.parse((String) fixture.get("now")).toInstant(ZoneOffset.UTC), ZoneOffset.UTC);
    private final List<Map<String, Object>> cases = (List<Map<String, Object>>) fixture.get("cases");

    @Test
    void everyRenderingEqualsThatOfTransformersToTheLastCharacter() {
        assertThat(part("templates")).hasSizeGreaterThanOrEqualTo(60);
        assertThat(cases).hasSizeGreaterThan(5000);
        List<String> different = new ArrayList<>();
        for (Map<String, Object> each : cases) {
            String found;
            try {
                found = render(each).text();
            } catch (JinjaException e) {
                found = null;
                if (each.get("text") != null) {
                    different.add(about(each) + " is refused: " + e.getMessage());
                }
            }
            if (found != null && !found.equals(each.get("text"))) {
                different.add(about(each) + "\n expected " + each.getOrDefault("text", each.get("refusal"))
                        + "\n found " + found);
            }
        }
        assertThat(different.size())
                .as(String.join("\n", different.subList(0, Math.min(40, different.size()))))
                .isZero();
    }

    @Test
    void generationMarksStandWhereTransformersFindsThem() {
        int compared = 0;
        for (Map<String, Object> each : cases) {
            if (each.get("text") == null) {
                continue;
            }
            Rendering rendering = render(each);
            List<List<Long>> spans = new ArrayList<>();
            for (Rendering.Span span : rendering.generated()) {
                String text = rendering.text();
                spans.add(List.of(
                        (long) text.codePointCount(0, span.start()), (long) text.codePointCount(0, span.end())));
            }
            assertThat(rendering.markAside()).as(about(each)).isFalse();
            assertThat(spans).as(about(each)).isEqualTo(each.getOrDefault("spans", List.of()));
            compared += spans.isEmpty() ? 0 : 1;
        }
        assertThat(compared).isGreaterThan(1500);
    }

    @Test
    void masksOfTrainingTemplatesEqualThoseOfTransformers(@TempDir Path directory) throws IOException {
        List<Map<String, Object>> masks = (List<Map<String, Object>>) fixture.get("masks");
        assertThat(masks).hasSizeGreaterThan(100);
        int restsOfCharacters = 0;
        try (Tokenizer tokenizer = Fixtures.tokenizer(directory)) {
            for (Map<String, Object> each : masks) {
                String about = each.get("template") + " / " + each.get("conversation");
                ChatTemplate template = ChatTemplate.of(
                                (String) part("templates").get(each.get("template")),
                                Map.of("bos_token", "<|endoftext|>", "eos_token", "<|im_end|>"))
                        .at(clock);
                EncodedChat chat = new ChatEncoder(tokenizer, template)
                        .conversation(messages(part("maskedConversations").get(each.get("conversation"))));

                List<Long> mask = new ArrayList<>();
                for (boolean learnt : chat.assistantMask()) {
                    mask.add(learnt ? 1L : 0L);
                }
                List<Long> ids =
                        Arrays.stream(chat.ids()).asLongStream().boxed().toList();
                assertThat(ids).as(about).isEqualTo(each.get("ids"));
                List<Long> expected = (List<Long>) each.get("mask");
                for (int i = 0; i < mask.size(); i++) {
                    // Of a marked text's last character transformers takes the first token only: "å" of "å½" of "好".
                    boolean rest = mask.get(i) == 1 && continuesACharacter(tokenizer, chat.ids()[i]);
                    assertThat(mask.get(i).equals(expected.get(i)) || rest)
                            .as(about + ", token " + i)
                            .isTrue();
                    restsOfCharacters += mask.get(i).equals(expected.get(i)) ? 0 : 1;
                }
            }
        }
        assertThat(restsOfCharacters).isEqualTo(2); // of 116 masks, in one
    }

    private static boolean continuesACharacter(Tokenizer tokenizer, int id) {
        byte[] bytes = tokenizer.bytes(id);
        return bytes.length > 0 && (bytes[0] & 0xC0) == 0x80;
    }

    private static List<ChatMessage> messages(Object conversation) {
        List<ChatMessage> messages = new ArrayList<>();
        for (Map<String, Object> message : (List<Map<String, Object>>) conversation) {
            Map<String, Object> more = new LinkedHashMap<>(message);
            messages.add(new ChatMessage((String) more.remove("role"), (String) more.remove("content"), more));
        }
        return messages;
    }

    private final Map<String, JinjaTemplate> parsed = new HashMap<>();

    private Rendering render(Map<String, Object> each) {
        JinjaTemplate template = parsed.computeIfAbsent(
                (String) each.get("template"),
                name -> JinjaTemplate.parse((String) part("templates").get(name)));
        Map<String, Object> variables = new HashMap<>(part("tokens"));
        List<Object> tools = new ArrayList<>();
        ((List<Object>) each.get("tools"))
                .forEach(tool -> tools.add(part("tools").get(tool)));
        variables.put("messages", part("conversations").get(each.get("conversation")));
        variables.put("add_generation_prompt", each.get("prompt"));
        variables.put("tools", tools.isEmpty() ? null : tools);
        variables.put("documents", null);
        variables.putAll((Map<String, Object>) each.get("options"));
        return template.render(variables, clock, Limits.USUAL);
    }

    private Map<String, Object> part(String name) {
        return (Map<String, Object>) fixture.get(name);
    }

    private static String about(Map<String, Object> each) {
        Map<String, Object> about = new HashMap<>(each);
        about.keySet().removeAll(List.of("text", "spans", "refusal"));
        return about.toString();
    }
}
