package io.tidemill.model.text.jinja;

import java.util.List;

/**
 * What a template made of its values.
 *
 * @param text      the output
 * @param generated places in the text inside <code>{% generation %}</code>, in order; empty without such marks
 */
public record Rendering(String text, List<Span> generated) {
    /** From {@code start}, inclusive, to {@code end}, exclusive; chars. */
    public record Span(int start, int end) {}

    public Rendering {
        generated = List.copyOf(generated);
    }
}
