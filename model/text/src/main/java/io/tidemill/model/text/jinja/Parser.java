package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Statements of a template: text, output, for, if, set and generation. Others are refused by name. */
final class Parser {
    private final TokenReader tokens;
    private final ExpressionParser expressions;

    Parser(List<Token> tokens) {
        this.tokens = new TokenReader(tokens);
        this.expressions = new ExpressionParser(this.tokens);
    }

    Statement template() {
        Statement body = body(Set.of());
        tokens.expect(Kind.END, "");
        return body;
    }

    /** Statements up to one of the named ends, whose tag is left open right after its name. */
    private Statement body(Set<String> ends) {
        List<Statement> parts = new ArrayList<>();
        while (!tokens.peek().is(Kind.END, "")) {
            Token token = tokens.next();
            if (token.kind() == Kind.TEXT) {
                parts.add((scope, output) -> output.write(token.text()));
            } else if (token.kind() == Kind.OPEN_OUTPUT) {
                Expression expression = expressions.parse();
                tokens.expect(Kind.CLOSE, "}}");
                parts.add((scope, output) -> output.write(Values.string(expression.value(scope))));
            } else if (ends.contains(tokens.peek().text())) {
                return Statement.all(parts);
            } else {
                parts.add(statement());
            }
        }
        if (!ends.isEmpty()) {
            throw tokens.fault("one of " + ends.stream().sorted().toList() + " is missing at the end of the template");
        }
        return Statement.all(parts);
    }

    private Statement statement() {
        Token name = tokens.next();
        return switch (name.text()) {
            case "for" -> loop();
            case "if" -> condition();
            case "set" -> assignment();
            case "generation" -> generation();
            default ->
                throw new JinjaException(
                        name.line(),
                        "statement '" + name.text()
                                + "' is not supported; chat templates may use for, if, set and generation");
        };
    }

    private Statement generation() {
        close();
        Statement body = body(Set.of("endgeneration"));
        end();
        return (scope, output) -> output.generation(() -> body.render(scope, output));
    }

    private Statement condition() {
        Expression test = expressions.parse();
        close();
        Statement then = body(Set.of("elif", "else", "endif"));
        Statement otherwise =
                switch (tokens.next().text()) {
                    case "elif" -> condition();
                    case "else" -> {
                        close();
                        Statement last = body(Set.of("endif"));
                        end();
                        yield last;
                    }
                    default -> {
                        close();
                        yield (scope, output) -> {};
                    }
                };
        return (scope, output) -> (Values.isTrue(test.value(scope)) ? then : otherwise).render(scope, output);
    }

    private Statement assignment() {
        String name = tokens.name();
        if (tokens.take(Kind.OPERATOR, ".")) {
            String member = tokens.name();
            tokens.expect(Kind.OPERATOR, "=");
            Expression value = expressions.parse();
            close();
            return (scope, output) -> {
                if (!(scope.get(name) instanceof Values.Namespace namespace)) {
                    throw new JinjaException("only a namespace's members can be set, and '" + name + "' is none");
                }
                namespace.members.put(member, value.value(scope));
            };
        }
        if (tokens.take(Kind.CLOSE, "%}")) {
            Statement body = body(Set.of("endset"));
            end();
            return (scope, output) -> {
                Output aside = new Output();
                body.render(scope, aside);
                scope.set(name, aside.rendering().text());
            };
        }
        tokens.expect(Kind.OPERATOR, "=");
        Expression value = expressions.parse();
        close();
        return (scope, output) -> scope.set(name, value.value(scope));
    }

    private Statement loop() {
        List<String> names = new ArrayList<>(List.of(tokens.name()));
        while (tokens.take(Kind.OPERATOR, ",")) {
            names.add(tokens.name());
        }
        tokens.expect(Kind.NAME, "in");
        Expression items = expressions.withoutCondition();
        Expression filter = tokens.take(Kind.NAME, "if") ? expressions.parse() : scope -> true;
        close();
        Statement body = body(Set.of("else", "endfor"));
        Statement none = (scope, output) -> {};
        if (tokens.next().text().equals("else")) {
            close();
            none = body(Set.of("endfor"));
            tokens.next();
        }
        close();
        return new Loop(names, items, filter, body, none);
    }

    private record Loop(List<String> names, Expression items, Expression filter, Statement body, Statement none)
            implements Statement {
        @Override
        public void render(Scope outer, Output output) {
            List<Scope> rounds = new ArrayList<>();
            List<Object> kept = new ArrayList<>();
            for (Object item : Values.items(items.value(outer))) {
                Scope scope = outer.inner();
                bind(scope, item);
                if (Values.isTrue(filter.value(scope))) {
                    rounds.add(scope);
                    kept.add(item);
                }
            }
            for (int i = 0; i < rounds.size(); i++) {
                rounds.get(i).set("loop", position(i, kept));
                body.render(rounds.get(i), output);
            }
            if (rounds.isEmpty()) {
                none.render(outer, output);
            }
        }

        private void bind(Scope scope, Object item) {
            if (names.size() == 1) {
                scope.set(names.get(0), item);
                return;
            }
            List<Object> parts = Values.items(item);
            if (parts.size() != names.size()) {
                throw new JinjaException(
                        "for " + names + " needs items of " + names.size() + " parts, but found " + Values.shown(item));
            }
            for (int i = 0; i < names.size(); i++) {
                scope.set(names.get(i), parts.get(i));
            }
        }

        private static Map<String, Object> position(int index, List<Object> items) {
            Map<String, Object> loop = new LinkedHashMap<>();
            int last = items.size() - 1;
            loop.put("index", index + 1L);
            loop.put("index0", (long) index);
            loop.put("revindex", (long) last - index + 1);
            loop.put("revindex0", (long) last - index);
            loop.put("first", index == 0);
            loop.put("last", index == last);
            loop.put("length", (long) items.size());
            if (index > 0) {
                loop.put("previtem", items.get(index - 1));
            }
            if (index < last) {
                loop.put("nextitem", items.get(index + 1));
            }
            return loop;
        }
    }

    /** The rest of an end tag: its name, which is already known, and its close. */
    private void end() {
        tokens.next();
        close();
    }

    private void close() {
        tokens.expect(Kind.CLOSE, "%}");
    }
}
