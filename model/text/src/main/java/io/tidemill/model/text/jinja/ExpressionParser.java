package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Expressions, one method per level of precedence, loosest first: condition, or, and, not, comparison, sum, {@code ~},
 * product, sign, then members, calls, filters and tests.
 */
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenReader tokens;

    ExpressionParser(TokenReader tokens) {
        this.tokens = tokens;
    }

    Expression parse() {
        Expression value = withoutCondition();
        while (tokens.take(Kind.NAME, "if")) {
            Expression then = value;
            Expression test = withoutCondition();
            Expression otherwise = tokens.take(Kind.NAME, "else") ? parse() : scope -> new Values.Undefined("else");
            value = scope -> Values.isTrue(test.value(scope)) ? then.value(scope) : otherwise.value(scope);
        }
        return value;
    }

    /** An expression that leaves an {@code if} behind it alone: it belongs to the loop. */
    Expression withoutCondition() {
        Expression left = and();
        while (tokens.take(Kind.NAME, "or")) {
            Expression first = left;
            Expression second = and();
            left = scope -> {
                Object value = first.value(scope);
                return Values.isTrue(value) ? value : second.value(scope);
            };
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.take(Kind.NAME, "and")) {
            Expression first = left;
            Expression second = not();
            left = scope -> {
                Object value = first.value(scope);
                return Values.isTrue(value) ? second.value(scope) : value;
            };
        }
        return left;
    }

    private Expression not() {
        if (tokens.take(Kind.NAME, "not")) {
            Expression value = not();
            return scope -> !Values.isTrue(value.value(scope));
        }
        return comparison();
    }

    private Expression comparison() {
        Expression left = sum();
        Expression all = null;
        while (true) {
            String operator = comparisonOperator();
            if (operator.isEmpty()) {
                return all == null ? left : all;
            }
            Expression first = left;
            Expression second = sum();
            Expression before = all == null ? scope -> true : all;
            all = scope ->
                    Values.isTrue(before.value(scope)) && compare(operator, first.value(scope), second.value(scope));
            left = second;
        }
    }

    private String comparisonOperator() {
        Token token = tokens.peek();
        if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
            return tokens.next().text();
        }
        if (tokens.take(Kind.NAME, "in")) {
            return "in";
        }
        if (token.is(Kind.NAME, "not") && tokens.peekSecond().is(Kind.NAME, "in")) {
            tokens.next();
            tokens.next();
            return "not in";
        }
        return "";
    }

    private static boolean compare(String operator, Object left, Object right) {
        return switch (operator) {
            case "==" -> Values.equal(left, right);
            case "!=" -> !Values.equal(left, right);
            case "in" -> Values.contains(right, left);
            case "not in" -> !Values.contains(right, left);
            case "<" -> Values.compare(left, right) < 0;
            case "<=" -> Values.compare(left, right) <= 0;
            case ">" -> Values.compare(left, right) > 0;
            default -> Values.compare(left, right) >= 0;
        };
    }

    private Expression sum() {
        Expression left = concatenation();
        while (true) {
            Expression first = left;
            if (tokens.takeOperator("+")) {
                Expression second = concatenation();
                left = scope -> Values.add(first.value(scope), second.value(scope));
            } else if (tokens.takeOperator("-")) {
                Expression second = concatenation();
                left = scope -> Values.integer(first.value(scope), "'-'") - Values.integer(second.value(scope), "'-'");
            } else {
                return left;
            }
        }
    }

    private Expression concatenation() {
        Expression left = product();
        while (tokens.takeOperator("~")) {
            Expression first = left;
            Expression second = product();
            left = scope -> Values.string(first.value(scope)) + Values.string(second.value(scope));
        }
        return left;
    }

    private Expression product() {
        Expression left = sign();
        while (true) {
            Expression first = left;
            if (tokens.takeOperator("*")) {
                Expression second = sign();
                left = scope -> Values.integer(first.value(scope), "'*'") * Values.integer(second.value(scope), "'*'");
            } else if (tokens.takeOperator("%")) {
                Expression second = sign();
                left = scope ->
                        Math.floorMod(Values.integer(first.value(scope), "'%'"), divisor(second.value(scope), "'%'"));
            } else if (tokens.takeOperator("//")) {
                Expression second = sign();
                left = scope ->
                        Math.floorDiv(Values.integer(first.value(scope), "'//'"), divisor(second.value(scope), "'//'"));
            } else {
                return left;
            }
        }
    }

    private static long divisor(Object value, String operator) {
        long divisor = Values.integer(value, operator);
        if (divisor == 0) {
            throw new JinjaException(operator + " by zero");
        }
        return divisor;
    }

    private Expression sign() {
        if (tokens.takeOperator("-")) {
            Expression value = sign();
            return scope -> -Values.integer(value.value(scope), "'-'");
        }
        return filtersAndTests(members(primary()));
    }

    private Expression primary() {
        Token token = tokens.next();
        switch (token.kind()) {
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (tokens.peek().kind() == Kind.STRING) { // neighbours join, as in Python
                    text.append(tokens.next().text());
                }
                String joined = text.toString();
                return scope -> joined;
            }
            case NUMBER -> {
                Object number = token.text().contains(".")
                        ? (Object) Double.valueOf(token.text())
                        : (Object) Long.valueOf(token.text());
                return scope -> number;
            }
            case NAME -> {
                return name(token);
            }
            case OPERATOR -> {
                switch (token.text()) {
                    case "(" -> {
                        return parentheses();
                    }
                    case "[" -> {
                        return list("]", new ArrayList<>());
                    }
                    case "{" -> {
                        return mapping();
                    }
                    default -> {}
                }
            }
            default -> {}
        }
        throw new JinjaException(token.line(), "a value is expected, but found " + token.shown());
    }

    private Expression name(Token token) {
        switch (token.text()) {
            case "true", "True" -> {
                return scope -> true;
            }
            case "false", "False" -> {
                return scope -> false;
            }
            case "none", "None" -> {
                return scope -> null;
            }
            default -> {}
        }
        String name = token.text();
        if (tokens.takeOperator("(")) {
            Arguments arguments = arguments();
            return Functions.call(name, arguments, token.line());
        }
        return scope -> scope.get(name);
    }

    private Expression parentheses() {
        Expression first = parse();
        if (tokens.takeOperator(")")) {
            return first;
        }
        tokens.expect(Kind.OPERATOR, ",");
        return list(")", new ArrayList<>(List.of(first)));
    }

    private Expression list(String end, List<Expression> items) {
        while (!tokens.takeOperator(end)) {
            items.add(parse());
            if (!tokens.peek().is(Kind.OPERATOR, end)) {
                tokens.expect(Kind.OPERATOR, ",");
            }
        }
        return scope -> {
            List<Object> values = new ArrayList<>();
            items.forEach(item -> values.add(item.value(scope)));
            return values;
        };
    }

    private Expression mapping() {
        Map<Expression, Expression> entries = new LinkedHashMap<>();
        while (!tokens.takeOperator("}")) {
            Expression key = parse();
            tokens.expect(Kind.OPERATOR, ":");
            entries.put(key, parse());
            if (!tokens.peek().is(Kind.OPERATOR, "}")) {
                tokens.expect(Kind.OPERATOR, ",");
            }
        }
        return scope -> {
            Map<Object, Object> values = new LinkedHashMap<>();
            entries.forEach((key, value) -> values.put(key.value(scope), value.value(scope)));
            return values;
        };
    }

    private Expression members(Expression start) {
        Expression owner = start;
        while (true) {
            Expression inner = owner;
            if (tokens.takeOperator(".")) {
                Token member = tokens.next();
                if (member.kind() != Kind.NAME) {
                    throw new JinjaException(
                            member.line(), "a name is expected after '.', but found " + member.shown());
                }
                String name = member.text();
                owner = tokens.takeOperator("(")
                        ? Functions.method(inner, name, arguments(), member.line())
                        : scope -> Values.member(inner.value(scope), name, name);
            } else if (tokens.takeOperator("[")) {
                owner = subscript(inner);
            } else {
                return owner;
            }
        }
    }

    private Expression subscript(Expression owner) {
        List<Expression> bounds = new ArrayList<>();
        Expression bound = null;
        boolean slice = false;
        while (!tokens.takeOperator("]")) {
            if (tokens.takeOperator(":")) {
                bounds.add(bound);
                bound = null;
                slice = true;
            } else {
                bound = parse();
            }
        }
        bounds.add(bound);
        if (!slice) {
            Expression key = bound;
            if (key == null) {
                throw tokens.fault("a key is expected between '[' and ']'");
            }
            return scope -> {
                Object value = key.value(scope);
                return Values.member(owner.value(scope), value, Values.string(value));
            };
        }
        return scope -> {
            Long[] values = new Long[3];
            for (int i = 0; i < Math.min(3, bounds.size()); i++) {
                Object value = bounds.get(i) == null ? null : bounds.get(i).value(scope);
                values[i] = value == null ? null : Values.integer(value, "a slice");
            }
            return Values.slice(owner.value(scope), values[0], values[1], values[2]);
        };
    }

    private Expression filtersAndTests(Expression start) {
        Expression value = start;
        while (true) {
            Expression inner = value;
            if (tokens.takeOperator("|")) {
                int line = tokens.peek().line();
                String name = tokens.name();
                value = Functions.filter(inner, name, tokens.takeOperator("(") ? arguments() : Arguments.NONE, line);
            } else if (tokens.take(Kind.NAME, "is")) {
                boolean negated = tokens.take(Kind.NAME, "not");
                int line = tokens.peek().line();
                Expression test = Functions.test(inner, tokens.name(), line);
                value = negated ? scope -> !Values.isTrue(test.value(scope)) : test;
            } else {
                return value;
            }
        }
    }

    /** Arguments up to the closing parenthesis; the opening one is read. */
    private Arguments arguments() {
        List<Expression> places = new ArrayList<>();
        Map<String, Expression> names = new LinkedHashMap<>();
        while (!tokens.takeOperator(")")) {
            if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().is(Kind.OPERATOR, "=")) {
                String name = tokens.name();
                tokens.next();
                names.put(name, parse());
            } else {
                places.add(parse());
            }
            if (!tokens.peek().is(Kind.OPERATOR, ")")) {
                tokens.expect(Kind.OPERATOR, ",");
            }
        }
        return new Arguments(places, names);
    }
}
