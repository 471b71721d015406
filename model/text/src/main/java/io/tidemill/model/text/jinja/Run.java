package io.tidemill.model.text.jinja;

import java.time.Clock;
import java.util.Map;

/** One rendering: what was given to it, what time it is, and what it has used of its limits. */
final class Run {
    final Clock clock;
    private final Map<String, ?> variables;
    private final Limits limits;
    private long steps;
    private long chars;
    private int depth;
    private boolean markAside;

    Run(Map<String, ?> variables, Clock clock, Limits limits) {
        this.variables = variables;
        this.clock = clock;
        this.limits = limits;
    }

    /** A variable of the caller, a function of Jinja, or {@link Frame#MISSING}. */
    Object variable(String name) {
        if (variables.containsKey(name)) {
            return variables.get(name);
        }
        if (name.equals("self")) {
            throw new JinjaException("'self' is not supported: a chat template has no blocks");
        }
        Object global = Globals.get(name);
        return global == null ? Frame.MISSING : global;
    }

    void spend(long count) {
        steps += count;
        if (steps > limits.steps()) {
            throw new JinjaException("the template takes more than " + limits.steps() + " steps");
        }
    }

    void spendText(long length) {
        chars += length;
        if (chars > limits.chars()) {
            throw new JinjaException("the template makes more than " + limits.chars() + " characters of text");
        }
    }

    /** Walking over a text, which is cheap but not free. */
    void spendWalk(String text) {
        spend(text.length() / 64);
    }

    /** Text that was made, counted. */
    String counted(String text) {
        spendText(text.length());
        return text;
    }

    /** Steps into a call; {@link #leave} steps out. */
    void enter(String what) {
        if (++depth > limits.depth()) {
            throw new JinjaException(what + " is nested more than " + limits.depth() + " deep");
        }
    }

    void leave() {
        depth--;
    }

    void markAside() {
        markAside = true;
    }

    boolean markedAside() {
        return markAside;
    }
}
