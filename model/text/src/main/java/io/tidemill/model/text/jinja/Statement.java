package io.tidemill.model.text.jinja;

import java.util.List;

/** A part of a template that writes. */
@FunctionalInterface
interface Statement {
    /** What to do after a statement: go on, or leave this round of the loop, or the loop. */
    enum Next {
        GO_ON,
        CONTINUE,
        BREAK
    }

    Next render(Frame frame, Output output);

    static Statement all(List<Statement> parts) {
        Statement[] copy = parts.toArray(Statement[]::new);
        return (frame, output) -> {
            for (Statement part : copy) {
                frame.run.spend(1);
                Next next = part.render(frame, output);
                if (next != Next.GO_ON) {
                    return next;
                }
            }
            return Next.GO_ON;
        };
    }
}
