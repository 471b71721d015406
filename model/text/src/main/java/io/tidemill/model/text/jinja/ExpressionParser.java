package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Node.Expr;
import io.tidemill.model.text.jinja.Node.Operation;
import io.tidemill.model.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Expressions, one method per level of precedence, loosest first: condition, or, and, not, comparison, sum, {@code ~},
 * product, power, sign, then members, calls, filters and tests.
 */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
    /** How many operators may follow each other on one level: their values are computed inside each other. */
    private static final int LONGEST_CHAIN = 500;

    private final TokenReader tokens;

    ExpressionParser(TokenReader tokens) {
        this.tokens = tokens;
    }

    Expr parse() {
        tokens.enter();
        Expr value = or();
        Chain chain = new Chain();
        while (tokens.takeName("if")) {
            chain.grow();
            Expr test = or();
            Expr otherwise = tokens.takeName("else")
                    ? parse()
                    : Node.constant(new Undefined("the condition was false and there is no 'else'"));
            value = new Operation(List.of(test, value, otherwise), parts -> {
                Expression condition = parts.get(0);
                Expression then = parts.get(1);
                Expression last = parts.get(2);
                return frame -> (Values.isTrue(condition.value(frame)) ? then : last).value(frame);
            });
        }
        tokens.leave();
        return value;
    }

    /**
     * An expression, or a tuple of several with commas between.
     *
     * @param conditions whether {@code if} may follow, which otherwise belongs to a loop
     * @param empty      whether nothing is an empty tuple
     */
    Expr tuple(boolean conditions, boolean empty) {
        List<Expr> items = new ArrayList<>();
        boolean tuple = false;
        while (true) {
            Token token = tokens.peek();
            boolean ended = token.kind() == Kind.CLOSE_OUTPUT
                    || token.kind() == Kind.CLOSE_STATEMENT
                    || token.is(Kind.OPERATOR, ")");
            if (ended) {
                break;
            }
            items.add(conditions ? parse() : or());
            if (!tokens.takeOperator(",")) {
                break;
            }
            tuple = true;
        }
        if (!tuple && !items.isEmpty()) {
            return items.get(0);
        }
        if (!tuple && !empty) {
            throw tokens.fault("a value is expected");
        }
        return new Operation(items, parts -> frame -> new Tuple(values(parts, frame)));
    }

    private static List<Object> values(List<Expression> parts, Frame frame) {
        frame.run.spend(parts.size());
        List<Object> values = new ArrayList<>(parts.size());
        parts.forEach(part -> values.add(part.value(frame)));
        return values;
    }

    private Expr or() {
        Expr left = and();
        Chain chain = new Chain();
        while (tokens.takeName("or")) {
            chain.grow();
            left = new Operation(List.of(left, and()), parts -> {
                Expression first = parts.get(0);
                Expression second = parts.get(1);
                return frame -> {
                    Object value = first.value(frame);
                    return Values.isTrue(value) ? value : second.value(frame);
                };
            });
        }
        return left;
    }

    private Expr and() {
        Expr left = not();
        Chain chain = new Chain();
        while (tokens.takeName("and")) {
            chain.grow();
            left = new Operation(List.of(left, not()), parts -> {
                Expression first = parts.get(0);
                Expression second = parts.get(1);
                return frame -> {
                    Object value = first.value(frame);
                    return Values.isTrue(value) ? second.value(frame) : value;
                };
            });
        }
        return left;
    }

    private Expr not() {
        if (tokens.takeName("not")) {
            tokens.enter();
            Expr value = not();
            tokens.leave();
            return Node.unary(value, of -> !Values.isTrue(of));
        }
        return comparison();
    }

    private Expr comparison() {
        List<Expr> values = new ArrayList<>(List.of(sum()));
        List<String> operators = new ArrayList<>();
        for (String operator = comparisonOperator(); !operator.isEmpty(); operator = comparisonOperator()) {
            operators.add(operator);
            values.add(sum());
        }
        if (operators.isEmpty()) {
            return values.get(0);
        }
        return new Operation(values, parts -> frame -> {
            Object left = parts.get(0).value(frame);
            for (int i = 0; i < operators.size(); i++) {
                Object right = parts.get(i + 1).value(frame);
                if (!compare(frame.run, operators.get(i), left, right)) {
                    return false;
                }
                left = right;
            }
            return true;
        });
    }

    private String comparisonOperator() {
        Token token = tokens.peek();
        if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
            return tokens.next().text();
        }
        if (tokens.takeName("in")) {
            return "in";
        }
        if (token.is(Kind.NAME, "not") && tokens.peekSecond().is(Kind.NAME, "in")) {
            tokens.next();
            tokens.next();
            return "not in";
        }
        return "";
    }

    private static boolean compare(Run run, String operator, Object left, Object right) {
        run.spend(1);
        return switch (operator) {
            case "==" -> Values.equal(run, left, right);
            case "!=" -> !Values.equal(run, left, right);
            case "in" -> Values.contains(run, right, left);
            case "not in" -> !Values.contains(run, right, left);
            default -> Order.test(run, operator, left, right);
        };
    }

    private Expr sum() {
        Expr left = concatenation();
        Chain chain = new Chain();
        while (true) {
            if (tokens.takeOperator("+")) {
                left = binary(chain, left, concatenation(), Arithmetic::add);
            } else if (tokens.takeOperator("-")) {
                left = binary(chain, left, concatenation(), Arithmetic::subtract);
            } else {
                return left;
            }
        }
    }

    /** An operation on two values, which the text that it makes is counted for. */
    private Expr binary(Chain chain, Expr left, Expr right, Binary operation) {
        chain.grow();
        return new Operation(List.of(left, right), parts -> {
            Expression first = parts.get(0);
            Expression second = parts.get(1);
            return frame -> operation.apply(frame.run, first.value(frame), second.value(frame));
        });
    }

    @FunctionalInterface
    private interface Binary {
        Object apply(Run run, Object left, Object right);
    }

    private Expr concatenation() {
        List<Expr> pieces = new ArrayList<>(List.of(product()));
        while (tokens.takeOperator("~")) {
            pieces.add(product());
        }
        if (pieces.size() == 1) {
            return pieces.get(0);
        }
        return new Operation(pieces, parts -> frame -> {
            StringBuilder text = new StringBuilder();
            for (Object value : values(parts, frame)) {
                text.append(Values.string(value));
            }
            return frame.run.counted(text.toString());
        });
    }

    private Expr product() {
        Expr left = power();
        Chain chain = new Chain();
        while (true) {
            if (tokens.takeOperator("*")) {
                left = binary(chain, left, power(), Arithmetic::multiply);
            } else if (tokens.takeOperator("/")) {
                left = binary(chain, left, power(), Arithmetic::divide);
            } else if (tokens.takeOperator("//")) {
                left = binary(chain, left, power(), Arithmetic::floorDivide);
            } else if (tokens.takeOperator("%")) {
                left = binary(chain, left, power(), Arithmetic::remainder);
            } else {
                return left;
            }
        }
    }

    private Expr power() {
        Expr left = sign(true);
        Chain chain = new Chain();
        while (tokens.takeOperator("**")) {
            left = binary(chain, left, sign(true), Arithmetic::power);
        }
        return left;
    }

    private Expr sign(boolean filters) {
        tokens.enter();
        Expr value;
        if (tokens.takeOperator("-")) {
            value = Node.unary(sign(false), Arithmetic::negate);
        } else if (tokens.takeOperator("+")) {
            value = Node.unary(sign(false), Arithmetic::plus);
        } else {
            value = primary();
        }
        value = members(value);
        tokens.leave();
        return filters ? filtersAndTests(value) : value;
    }

    private Expr primary() {
        Token token = tokens.next();
        if (token.kind() == Kind.STRING) {
            StringBuilder text = new StringBuilder((String) token.value());
            while (tokens.peek().kind() == Kind.STRING) { // neighbours join, as in Python
                text.append(tokens.next().value());
            }
            return Node.constant(text.toString());
        }
        if (token.kind() == Kind.NUMBER) {
            return Node.constant(token.value());
        }
        if (token.kind() == Kind.NAME) {
            return switch (token.text()) {
                case "true", "True" -> Node.constant(true);
                case "false", "False" -> Node.constant(false);
                case "none", "None" -> Node.constant(null);
                default -> new Node.Name(token.text());
            };
        }
        return switch (token.kind() == Kind.OPERATOR ? token.text() : "") {
            case "(" -> {
                Expr inner = tuple(true, true);
                tokens.expectOperator(")");
                yield inner;
            }
            case "[" -> list();
            case "{" -> mapping();
            default -> throw new JinjaException(token.line(), "a value is expected, but found " + token.shown());
        };
    }

    private Expr list() {
        List<Expr> items = new ArrayList<>();
        while (!tokens.takeOperator("]")) {
            items.add(parse());
            if (!tokens.atOperator("]")) {
                tokens.expectOperator(",");
            }
        }
        return new Operation(items, parts -> frame -> values(parts, frame));
    }

    private Expr mapping() {
        List<Expr> items = new ArrayList<>();
        while (!tokens.takeOperator("}")) {
            items.add(parse());
            tokens.expectOperator(":");
            items.add(parse());
            if (!tokens.atOperator("}")) {
                tokens.expectOperator(",");
            }
        }
        return new Operation(items, parts -> frame -> {
            frame.run.spend(parts.size());
            Map<Object, Object> values = new LinkedHashMap<>();
            for (int i = 0; i < parts.size(); i += 2) {
                Object key = Values.key(parts.get(i).value(frame));
                values.put(key, parts.get(i + 1).value(frame));
            }
            return values;
        });
    }

    private Expr members(Expr start) {
        Expr owner = start;
        Chain chain = new Chain();
        while (true) {
            if (tokens.takeOperator(".")) {
                chain.grow();
                Token member = tokens.next();
                if (member.kind() == Kind.NAME) {
                    owner = Node.unary(owner, of -> Members.attribute(of, member.text()));
                } else if (member.kind() == Kind.NUMBER && member.value() instanceof Long place) {
                    owner = Node.unary(owner, of -> Members.item(of, place));
                } else {
                    throw new JinjaException(
                            member.line(), "a name is expected after '.', but found " + member.shown());
                }
            } else if (tokens.takeOperator("[")) {
                chain.grow();
                owner = subscript(owner);
            } else if (tokens.atOperator("(")) {
                chain.grow();
                owner = call(owner);
            } else {
                return owner;
            }
        }
    }

    private Expr call(Expr function) {
        int line = tokens.peek().line();
        return new Node.Call(function, arguments(), line);
    }

    private Expr subscript(Expr owner) {
        if (tokens.atOperator("]")) {
            throw tokens.fault("a key is expected between '[' and ']'");
        }
        Expr[] bounds = new Expr[3];
        int colons = 0;
        while (!tokens.atOperator("]")) {
            if (tokens.takeOperator(":")) {
                if (++colons > 2) {
                    throw tokens.fault("']' is expected");
                }
            } else if (tokens.atOperator(",")) {
                throw tokens.fault("a tuple as a key is not supported; ']' is expected");
            } else if (bounds[colons] != null) {
                throw tokens.fault("']' is expected");
            } else {
                bounds[colons] = parse();
            }
        }
        tokens.expectOperator("]");
        if (colons == 0) {
            return new Operation(List.of(owner, bounds[0]), parts -> {
                Expression of = parts.get(0);
                Expression key = parts.get(1);
                return frame -> {
                    Object value = of.value(frame);
                    if (value instanceof String text) {
                        frame.run.spendWalk(text);
                    }
                    return Members.item(value, key.value(frame));
                };
            });
        }
        List<Expr> all = new ArrayList<>(List.of(owner));
        for (Expr bound : bounds) {
            all.add(bound == null ? Node.constant(null) : bound);
        }
        return new Operation(
                all,
                parts -> frame -> Members.slice(
                        frame.run,
                        parts.get(0).value(frame),
                        parts.get(1).value(frame),
                        parts.get(2).value(frame),
                        parts.get(3).value(frame)));
    }

    private Expr filtersAndTests(Expr start) {
        Expr value = start;
        Chain chain = new Chain();
        while (true) {
            if (tokens.atOperator("|")) {
                chain.grow();
                value = filter(value);
            } else if (tokens.takeName("is")) {
                chain.grow();
                value = test(value);
            } else if (tokens.atOperator("(")) {
                chain.grow();
                value = call(value);
            } else {
                return value;
            }
        }
    }

    /** A filter after its {@code |}. */
    Expr filter(Expr value) {
        tokens.expectOperator("|");
        return namedFilter(value);
    }

    /** A filter from its name on. */
    Expr namedFilter(Expr value) {
        int line = tokens.peek().line();
        String name = tokens.name();
        Filters.Filter filter = Filters.get(name);
        if (filter == null) {
            throw new JinjaException(
                    line, "filter '" + name + "' is not supported; chat templates may use " + Filters.known());
        }
        Arguments arguments = tokens.atOperator("(") ? arguments() : Arguments.NONE;
        return applied(value, arguments, filter);
    }

    private static Expr applied(Expr value, Arguments arguments, Filters.Filter filter) {
        return new Expr() {
            @Override
            public List<Node> children() {
                return List.of(value, arguments);
            }

            @Override
            public Expression link(Symbols symbols) {
                Expression of = value.link(symbols);
                Arguments.Linked given = arguments.link(symbols);
                return frame -> {
                    Object input = of.value(frame);
                    frame.run.spend(
                            input instanceof Map || input instanceof View || input instanceof Range
                                    ? 1 + Values.length(input)
                                    : 1);
                    if (input instanceof String text) {
                        frame.run.spendWalk(text);
                    }
                    return filter.apply(frame.run, input, given.values(frame));
                };
            }
        };
    }

    private Expr test(Expr value) {
        boolean negated = tokens.takeName("not");
        int line = tokens.peek().line();
        String name = tokens.name();
        Filters.Filter test = Tests.get(name);
        if (test == null) {
            throw new JinjaException(
                    line, "test '" + name + "' is not supported; chat templates may use " + Tests.known());
        }
        Arguments arguments = Arguments.NONE;
        Token next = tokens.peek();
        boolean opens = next.kind() == Kind.OPERATOR && Set.of("[", "{").contains(next.text());
        boolean named = next.kind() == Kind.NAME && !Set.of("else", "or", "and").contains(next.text());
        if (tokens.atOperator("(")) {
            arguments = arguments();
        } else if (opens || named || next.kind() == Kind.STRING || next.kind() == Kind.NUMBER) {
            if (next.is(Kind.NAME, "is")) {
                throw tokens.fault("tests cannot follow each other");
            }
            arguments = new Arguments(List.of(members(primary())), Map.of(), null, null);
        }
        Expr tested = applied(value, arguments, test);
        return negated ? Node.unary(tested, of -> !Values.isTrue(of)) : tested;
    }

    /** Arguments with their parentheses. */
    private Arguments arguments() {
        tokens.expectOperator("(");
        List<Expr> places = new ArrayList<>();
        Map<String, Expr> names = new LinkedHashMap<>();
        Expr more = null;
        Expr named = null;
        while (!tokens.takeOperator(")")) {
            if (named != null) {
                throw tokens.fault("nothing may follow '**' but ')'");
            }
            if (tokens.takeOperator("*")) {
                if (more != null) {
                    throw tokens.fault("only one '*' may stand in a call");
                }
                more = parse();
            } else if (tokens.takeOperator("**")) {
                named = parse();
            } else if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().is(Kind.OPERATOR, "=")) {
                String name = tokens.name();
                tokens.next();
                if (names.put(name, parse()) != null) {
                    throw tokens.fault("argument '" + name + "' is given twice");
                }
            } else if (more != null || !names.isEmpty()) {
                throw tokens.fault("a name is expected after arguments with names");
            } else {
                places.add(parse());
            }
            if (!tokens.atOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        return new Arguments(places, names, more, named);
    }

    /** Counts operators on one level. */
    private final class Chain {
        private int length;

        void grow() {
            if (++length > LONGEST_CHAIN) {
                throw tokens.fault("at most " + LONGEST_CHAIN + " operators may follow each other");
            }
        }
    }
}
