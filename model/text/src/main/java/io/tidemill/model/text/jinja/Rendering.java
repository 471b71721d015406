package io.tidemill.model.text.jinja;

import java.util.List;

/**
 * What a template made of its values.
 *
 * @param text      the output
 * @param generated places in the text inside <code>{% generation %}</code>, in order; empty without such marks
 * @param markAside whether a mark stood inside a macro, a call or a block that collects text, so that its place in the
 *                  output is not known and {@code generated} lacks it
 */
public record Rendering(String text, List<Span> generated, boolean markAside) {
    /** From {@code start}, inclusive, to {@code end}, exclusive; chars. */
    public record Span(int start, int end) {}

    public Rendering {
        generated = List.copyOf(generated);
    }
}
