package io.tidemill.model.text.jinja;

import java.util.List;

/** A part of a template that writes. */
@FunctionalInterface
interface Statement {
    void render(Scope scope, Output output);

    static Statement all(List<Statement> parts) {
        List<Statement> copy = List.copyOf(parts);
        return (scope, output) -> copy.forEach(part -> part.render(scope, output));
    }
}
