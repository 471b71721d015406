package io.tidemill.model.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tidemill.model.text.jinja.JinjaException;
import io.tidemill.model.text.jinja.JinjaTemplate;
import io.tidemill.model.text.jinja.Limits;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A template is a program from outside: whatever it does, it ends, within its limits, with an error that says which. */
class JinjaLimitsTest {
    private static final Limits SMALL = new Limits(100_000, 1_000_000, 100);

    @ParameterizedTest
    @CsvSource(
            delimiter = '!',
            quoteCharacter = '`',
            textBlock =
                    """
            {% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}          ! more than 100000 steps
            {% set n = namespace(x='ab') %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %} ! more than 1000000 characters
            {% set n = namespace(x=[1]) %}{% for a in range(99) %}{% set n.x = n.x + n.x %}{% endfor %} ! more than 100000 steps
            {{ 'a' * 999999999999 }}                                                            ! more than 1000000 characters
            {{ [0] * 999999999999 }}                                                            ! more than 100000 steps
            {{ [0] * 9223372036854775807 }}                                                     ! more than 100000 steps
            {{ 'a'.center(9223372036854775807) }}                                               ! more than 1000000 characters
            {{ 'a'|center(99999999999) }}                                                       ! more than 1000000 characters
            {{ 'a'.ljust(99999999999) }}                                                        ! more than 1000000 characters
            {{ '%99999999999d' % 1 }}                                                           ! format
            {{ '%9999d' % 1 }}                                                                  ! 1000 wide
            {{ '{:9999}'.format(1) }}                                                           ! 1000 wide
            {{ ('x' * 1000).replace('', 'y' * 10000) }}                                         ! more than 1000000 characters
            {{ ('x' * 1000).replace('x', 'y' * 10000) }}                                        ! more than 1000000 characters
            {{ ('x' * 1000)|replace('x', 'y' * 10000) }}                                        ! more than 1000000 characters
            {{ ('y' * 10000).join('x' * 1000) }}                                                ! more than 1000000 characters
            {{ ('x' * 1000)|join('y' * 10000) }}                                                ! more than 1000000 characters
            {{ ('\\n' * 10000)|indent(9000, blank=true) }}                                      ! more than 1000000 characters
            {{ [1, 2]|batch(99999999999, 0)|list }}                                             ! more than 100000 steps
            {{ [1, 2]|slice(99999999999)|list }}                                                ! more than 100000 steps
            {{ range(100001) }}                                                                 ! may have 100000 numbers
            {{ range(-9223372036854775807, 9223372036854775807) }}                              ! may have 100000 numbers
            {% macro f() %}{{ f() }}{% endmacro %}{{ f() }}                                     ! nested more than 100 deep
            {% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}                             ! nested more than 100 deep
            {% set n = namespace(x=[]) %}{% for a in range(30000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }} ! nested too deeply
            {% set n = namespace(x=[]) %}{% for a in range(30000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x|tojson }} ! nested too deeply
            {{ [1]|tojson(indent=999999999) * 10000 }}                                          ! more than 1000000 characters
            {% set n = namespace(x=[1]) %}{% for a in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }} ! more than 20000000 characters
            {% set n = namespace(x=[1]) %}{% for a in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x|tojson }} ! more than 20000000 characters
            {% set n = namespace(x=[1], y=[1]) %}{% for a in range(60) %}{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }} ! more than 100000 steps
            {% set n = namespace(x=(1,), y=(1,)) %}{% for a in range(60) %}{% set n.x = (n.x, n.x) %}{% set n.y = (n.y, n.y) %}{% endfor %}{{ n.x < n.y }} ! more than 100000 steps
            {{ ('x' * 900000).replace('x', 'y' * 90000) }}                                      ! more than 1000000 characters
            {{ 2 ** 9223372036854775807 }}                                                      ! beyond 64 bits
            {{ -9223372036854775807 - 2 }}                                                      ! beyond 64 bits
            """)
    void aTemplateThatDoesTooMuchIsStoppedByName(String jinja, String message) {
        JinjaTemplate template = JinjaTemplate.parse(jinja.strip().replace("\\\\", "\\"));
        assertThatThrownBy(() -> template.render(Map.of(), Clock.systemUTC(), SMALL))
                .isInstanceOf(JinjaException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aTemplateNestedTooDeeplyIsRefusedWhenItIsRead() {
        for (String deep : List.of(
                "{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}",
                "{{ " + "[".repeat(5000) + "]".repeat(5000) + " }}",
                "{{ " + "not ".repeat(5000) + "1 }}",
                "{{ " + "- ".repeat(5000) + "1 }}",
                "{{ 1" + " + 1".repeat(5000) + " }}",
                "{{ x" + ".y".repeat(5000) + " }}",
                "{{ x" + "|trim".repeat(5000) + " }}",
                "{{ 1" + " if 1 else 1".repeat(5000) + " }}",
                "{% if 1 %}".repeat(5000) + "{% endif %}".repeat(5000),
                "{% set " + "(".repeat(5000) + "x" + ")".repeat(5000) + " = 1 %}")) {
            assertThatThrownBy(() -> JinjaTemplate.parse(deep))
                    .as(deep.substring(0, 20))
                    .isInstanceOf(JinjaException.class)
                    .hasMessageMatching("(?s).*(nested|operators may follow).*");
        }
        assertThatThrownBy(() -> JinjaTemplate.parse("x".repeat((1 << 20) + 1)))
                .hasMessageContaining("may have 1048576 characters");
    }

    @Test
    void valuesThatWereGivenStayAsTheyWere() {
        Map<String, Object> variables = new HashMap<>(Map.of("l", List.of(1L), "d", Map.of("a", 1L)));
        for (String attack : List.of(
                "{{ l.append(2) }}",
                "{{ d.update({'b': 1}) }}",
                "{{ d.pop('a') }}",
                "{% set d.a = 2 %}",
                "{{ ''.__class__.__mro__ }}",
                "{{ l.__class__.__base__ }}",
                "{{ range.__globals__['x'] }}")) {
            assertThatThrownBy(() -> JinjaTemplate.parse(attack).render(variables))
                    .as(attack)
                    .isInstanceOf(JinjaException.class);
        }
        assertThat(JinjaTemplate.parse("{% set l = l + [2] %}{{ l }}")
                        .render(variables)
                        .text())
                .isEqualTo("[1, 2]");
        assertThat(variables).isEqualTo(Map.of("l", List.of(1L), "d", Map.of("a", 1L)));
    }

    @Test
    void threadsMayShareATemplate() {
        JinjaTemplate template = JinjaTemplate.parse(
                "{% macro f(x) %}{{ x }}{% endmacro %}{% for i in range(n) %}{{ f(i) }}{% endfor %}");
        List<String> texts = java.util.stream.IntStream.range(0, 200)
                .parallel()
                .mapToObj(i -> template.render(Map.of("n", 10L)).text())
                .distinct()
                .toList();
        assertThat(texts).containsExactly("0123456789");
    }
}
