package io.tidemill.model.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.text.jinja.JinjaException;
import io.tidemill.model.text.jinja.JinjaTemplate;
import io.tidemill.model.text.jinja.Limits;
import io.tidemill.model.text.jinja.Rendering;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

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
