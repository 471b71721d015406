package io.tidemill.model.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Arguments of a call as they were read.
 *
 * @param places by place
 * @param names  by name
 * @param more   after {@code *}, or null
 * @param named  after {@code **}, or null
 */
record Arguments(List<Node.Expr> places, Map<String, Node.Expr> names, Node.Expr more, Node.Expr named)
        implements Node {
    static final Arguments NONE = new Arguments(List.of(), Map.of(), null, null);

    @Override
    public List<Node> children() {
        List<Node> children = new ArrayList<>(places);
        children.addAll(names.values());
        if (more != null) {
            children.add(more);
        }
        if (named != null) {
            children.add(named);
        }
        return children;
    }

    Linked link(Symbols symbols) {
        List<Expression> byPlace =
                places.stream().map(each -> each.link(symbols)).toList();
        Map<String, Expression> byName = new LinkedHashMap<>();
        names.forEach((name, each) -> byName.put(name, each.link(symbols)));
        Expression rest = more == null ? null : more.link(symbols);
        Expression restNamed = named == null ? null : named.link(symbols);
        return frame -> {
            Args args = new Args(new ArrayList<>(), new LinkedHashMap<>());
            byPlace.forEach(each -> args.places().add(each.value(frame)));
            if (rest != null) {
                args.places().addAll(Values.items(rest.value(frame)));
            }
            byName.forEach((name, each) -> args.named().put(name, each.value(frame)));
            if (restNamed != null) {
                Values.mapping(restNamed.value(frame), "'**'").forEach((name, value) -> {
                    if (!(name instanceof String text) || args.named().containsKey(text)) {
                        throw new JinjaException("'**' needs names that are new, but found " + Values.shown(name));
                    }
                    args.named().put(text, value);
                });
            }
            return args;
        };
    }

    @FunctionalInterface
    interface Linked {
        Args values(Frame frame);
    }
}
