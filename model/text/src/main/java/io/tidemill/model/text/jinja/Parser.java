package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Node.Expr;
import io.tidemill.model.text.jinja.Node.Stmt;
import io.tidemill.model.text.jinja.Node.StoredMember;
import io.tidemill.model.text.jinja.Node.StoredName;
import io.tidemill.model.text.jinja.Node.StoredTuple;
import io.tidemill.model.text.jinja.Node.Target;
import io.tidemill.model.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Statements of a template. Those that load other templates, and any other, are refused by name. */
final class Parser {
    private static final Set<String> CONSTANTS = Set.of("true", "false", "none", "True", "False", "None");

    private final TokenReader tokens;
    private final ExpressionParser expressions;
    private int loops;

    Parser(List<Token> tokens) {
        this.tokens = new TokenReader(tokens);
        this.expressions = new ExpressionParser(this.tokens);
    }

    List<Stmt> template() {
        List<Stmt> body = body(Set.of());
        tokens.expect(Kind.END, "");
        return body;
    }

    /** Statements up to one of the named ends, whose tag is left open before its name. */
    private List<Stmt> body(Set<String> ends) {
        tokens.enter();
        List<Stmt> parts = new ArrayList<>();
        while (!tokens.peek().is(Kind.END, "")) {
            Token token = tokens.next();
            if (token.kind() == Kind.TEXT) {
                parts.add(new Statements.Text(token.text()));
            } else if (token.kind() == Kind.OPEN_OUTPUT) {
                parts.add(new Statements.Print(expressions.tuple(true, false)));
                tokens.expect(Kind.CLOSE_OUTPUT, "}}");
            } else if (tokens.peek().kind() == Kind.NAME
                    && ends.contains(tokens.peek().text())) {
                tokens.leave();
                return parts;
            } else {
                parts.add(statement());
            }
        }
        if (!ends.isEmpty()) {
            throw tokens.fault("one of " + ends.stream().sorted().toList() + " is missing at the end of the template");
        }
        tokens.leave();
        return parts;
    }

    /** The close of a tag and the statements up to the end, whose tag is read too. */
    private List<Stmt> bodyTo(String end) {
        List<Stmt> body = openBody(Set.of(end));
        tokens.next();
        close();
        return body;
    }

    private List<Stmt> openBody(Set<String> ends) {
        tokens.takeOperator(":");
        close();
        return body(ends);
    }

    /** A body that is called, so that no loop around it can be left from inside. */
    private List<Stmt> calledBodyTo(String end) {
        int around = loops;
        loops = 0;
        List<Stmt> body = bodyTo(end);
        loops = around;
        return body;
    }

    private void close() {
        tokens.expect(Kind.CLOSE_STATEMENT, "%}");
    }

    private Stmt statement() {
        Token name = tokens.next();
        return switch (name.kind() == Kind.NAME ? name.text() : "") {
            case "for" -> loop();
            case "if" -> condition();
            case "set" -> assignment();
            case "macro" -> macro();
            case "call" -> callBlock();
            case "filter" -> filterBlock();
            case "with" -> with();
            case "print" -> print();
            case "generation" -> new Statements.Generation(calledBodyTo("endgeneration"));
            case "break", "continue" -> loopControl(name);
            default ->
                throw new JinjaException(
                        name.line(),
                        "statement " + name.shown()
                                + " is not supported; chat templates may use for, break, continue, if,"
                                + " set, macro, call, filter, with, print, raw and generation");
        };
    }

    private Stmt loopControl(Token name) {
        if (loops == 0) {
            throw new JinjaException(name.line(), "'" + name.text() + "' stands outside a loop");
        }
        close();
        return new Statements.LoopControl(name.text().equals("break") ? Statement.Next.BREAK : Statement.Next.CONTINUE);
    }

    private Stmt condition() {
        Expr test = expressions.tuple(false, false);
        List<Stmt> then = openBody(Set.of("elif", "else", "endif"));
        List<Statements.Branch> others = new ArrayList<>();
        while (tokens.takeName("elif")) {
            Expr other = expressions.tuple(false, false);
            others.add(new Statements.Branch(other, openBody(Set.of("elif", "else", "endif"))));
        }
        List<Stmt> otherwise = List.of();
        if (tokens.next().text().equals("else")) {
            otherwise = bodyTo("endif");
        } else {
            close();
        }
        return new Statements.If(new Statements.Branch(test, then), others, otherwise);
    }

    private Stmt loop() {
        int line = tokens.peek().line();
        Target target = target(false);
        if (Statements.names(target).contains("loop")) {
            throw new JinjaException(line, "'loop' is the loop's own name and cannot be set by it");
        }
        tokens.expect(Kind.NAME, "in");
        Expr items = expressions.tuple(false, false);
        Expr test = tokens.takeName("if") ? expressions.parse() : null;
        boolean recursive = tokens.takeName("recursive");
        loops++;
        List<Stmt> body = openBody(Set.of("else", "endfor"));
        loops--;
        List<Stmt> none = List.of();
        if (tokens.next().text().equals("else")) {
            none = bodyTo("endfor");
        } else {
            close();
        }
        return new Loop(target, items, test, body, none, recursive);
    }

    private Stmt assignment() {
        Target target = target(true);
        if (tokens.takeOperator("=")) {
            Expr value = expressions.tuple(true, false);
            close();
            return new Statements.Assign(target, value);
        }
        List<Expr> filters = new ArrayList<>();
        Statements.Captured captured = new Statements.Captured();
        Expr filtered = captured;
        while (tokens.atOperator("|")) {
            filtered = expressions.filter(filtered);
            filters.add(filtered);
        }
        return new Statements.AssignBlock(target, captured, filtered, bodyTo("endset"));
    }

    private Stmt macro() {
        String name = tokens.name();
        Macro.Signature signature = signature(name);
        return new Macro(signature, calledBodyTo("endmacro"));
    }

    private Macro.Signature signature(String name) {
        tokens.expectOperator("(");
        List<String> names = new ArrayList<>();
        List<Expr> defaults = new ArrayList<>();
        while (!tokens.atOperator(")")) {
            if (!names.isEmpty()) {
                tokens.expectOperator(",");
            }
            names.add(tokens.name());
            if (tokens.takeOperator("=")) {
                defaults.add(expressions.parse());
            } else if (!defaults.isEmpty()) {
                throw tokens.fault("an argument after one with a default needs a default too");
            }
        }
        tokens.expectOperator(")");
        return new Macro.Signature(name, names, defaults);
    }

    private Stmt callBlock() {
        Macro.Signature signature =
                tokens.atOperator("(") ? signature("caller") : new Macro.Signature("caller", List.of(), List.of());
        Expr call = expressions.parse();
        if (!(call instanceof Node.Call made)) {
            throw tokens.fault("'call' needs a call");
        }
        return new Statements.CallBlock(made, new Macro(signature, calledBodyTo("endcall")));
    }

    private Stmt filterBlock() {
        Statements.Captured captured = new Statements.Captured();
        Expr filtered = expressions.namedFilter(captured);
        while (tokens.atOperator("|")) {
            filtered = expressions.filter(filtered);
        }
        return new Statements.FilterBlock(captured, filtered, bodyTo("endfilter"));
    }

    private Stmt with() {
        List<Target> targets = new ArrayList<>();
        List<Expr> values = new ArrayList<>();
        while (tokens.peek().kind() != Kind.CLOSE_STATEMENT && !tokens.atOperator(":")) {
            if (!targets.isEmpty()) {
                tokens.expectOperator(",");
            }
            targets.add(target(false));
            tokens.expectOperator("=");
            values.add(expressions.parse());
        }
        return new Statements.With(targets, values, bodyTo("endwith"));
    }

    private Stmt print() {
        List<Stmt> parts = new ArrayList<>();
        while (tokens.peek().kind() != Kind.CLOSE_STATEMENT) {
            if (!parts.isEmpty()) {
                tokens.expectOperator(",");
            }
            parts.add(new Statements.Print(expressions.parse()));
        }
        close();
        return new Statements.Group(parts);
    }

    /** Names that a value is given to: one, or several between commas, perhaps in parentheses. */
    private Target target(boolean members) {
        List<Target> targets = new ArrayList<>();
        boolean tuple = false;
        do {
            boolean ended = tokens.peek().kind() == Kind.CLOSE_STATEMENT || tokens.atOperator(")");
            if (ended && tuple) {
                break;
            }
            targets.add(oneTarget(members));
            tuple |= tokens.atOperator(",");
        } while (tokens.takeOperator(","));
        return tuple ? new StoredTuple(targets) : targets.get(0);
    }

    private Target oneTarget(boolean members) {
        if (tokens.takeOperator("(")) {
            tokens.enter();
            Target inner = target(false);
            tokens.leave();
            tokens.expectOperator(")");
            return inner;
        }
        String name = tokens.name();
        if (members && tokens.takeOperator(".")) {
            return new StoredMember(name, tokens.name());
        }
        if (CONSTANTS.contains(name)) {
            throw tokens.fault("'" + name + "' cannot be set");
        }
        return new StoredName(name);
    }
}
