package io.tidemill.model.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemill.model.text.jinja.JinjaException;
import io.tidemill.model.text.jinja.JinjaTemplate;
import io.tidemill.model.text.jinja.Limits;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Thousands of small templates against what jinja2 made of them; {@code bench/peers/make_jinja_fixtures.py}. */
class JinjaDifferentialTest {
    @Test
    @SuppressWarnings("unchecked")
    void everySnippetEqualsJinja2OrIsRefusedByName() {
        Map<String, Object> fixture = Fixtures.values("jinja-snippets.json.gz");
        Clock clock =
                Clock.fixed(LocalDateTime.parse((String) fixture.get("now")).toInstant(ZoneOffset.UTC), ZoneOffset.UTC);
        Map<String, Object> context = (Map<String, Object>) fixture.get("context");
        List<Map<String, Object>> cases = (List<Map<String, Object>>) fixture.get("cases");
        assertThat(cases).hasSizeGreaterThan(3000);

        List<String> different = new ArrayList<>();
        int equal = 0;
        int refused = 0;
        for (Map<String, Object> each : cases) {
            String source = (String) each.get("source");
            Object expected = each.get("text");
            String found;
            try {
                found = JinjaTemplate.parse(source)
                        .render(context, clock, Limits.USUAL)
                        .text();
            } catch (JinjaException e) {
                found = null;
                boolean named = e.getMessage().contains("support");
                if (expected != null && !named) {
                    different.add(source + "\n  expected " + expected + "\n  refused  " + e.getMessage());
                }
                refused += expected != null && named ? 1 : 0;
            }
            if (found != null && !found.equals(expected)) {
                different.add(source + "\n  expected " + (each.containsKey("refusal") ? each.get("refusal") : expected)
                        + "\n  found    " + found);
            }
            equal += found != null && found.equals(expected) ? 1 : 0;
        }

        assertThat(different.size())
                .as(String.join("\n", different.subList(0, Math.min(40, different.size()))))
                .isZero();
        assertThat(equal).isGreaterThan(1700);
        assertThat(refused).as("renderings of jinja2 that are refused here").isLessThan(80);
    }
}
