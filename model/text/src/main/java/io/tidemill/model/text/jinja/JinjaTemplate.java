package io.tidemill.model.text.jinja;

import java.util.Map;

/** A template, read and checked once, rendered as often as needed; safe for use by several threads. */
public final class JinjaTemplate {
    private final Statement body;

    private JinjaTemplate(Statement body) {
        this.body = body;
    }

    /**
     * Reads a template.
     *
     * @throws JinjaException naming the statement, filter, test, method or function that is not supported
     */
    public static JinjaTemplate parse(String source) {
        return new JinjaTemplate(new Parser(Lexer.read(source)).template());
    }

    /**
     * Renders with variables of these kinds: String, Boolean, Long, Double, null, List and Map of them.
     *
     * @throws JinjaException if the template raises an exception or uses a value in a way it does not allow
     */
    public Rendering render(Map<String, ?> variables) {
        Output output = new Output();
        body.render(new Scope(variables), output);
        return output.rendering();
    }
}
