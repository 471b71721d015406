package io.tidemill.model.text.jinja;

import java.util.List;
import java.util.function.Function;

/** A part of a template as it was read, before its names are settled. */
interface Node {
    /** The parts of this part, in the order in which they are read. */
    List<? extends Node> children();

    /** Tells a scope which names this part reads and sets in it. */
    default void declare(Symbols symbols) {
        children().forEach(child -> child.declare(symbols));
    }

    /** A part with a value. */
    interface Expr extends Node {
        Expression link(Symbols symbols);
    }

    /** A part that writes. */
    interface Stmt extends Node {
        Statement link(Symbols symbols);
    }

    /** A place that a value can be put. */
    interface Target extends Node {
        Symbols.Setter link(Symbols symbols);

        /** Declares the names as parameters, which a scope has from its start. */
        void declareParameters(Symbols symbols);
    }

    /** An expression made of others. */
    record Operation(List<Expr> children, Function<List<Expression>, Expression> builder) implements Expr {
        @Override
        public Expression link(Symbols symbols) {
            return builder.apply(
                    children.stream().map(child -> child.link(symbols)).toList());
        }
    }

    static Expr constant(Object value) {
        return new Operation(List.of(), none -> frame -> value);
    }

    static Expr unary(Expr of, Function<Object, Object> function) {
        return new Operation(List.of(of), parts -> {
            Expression value = parts.get(0);
            return frame -> function.apply(value.value(frame));
        });
    }

    /** A variable that is read. */
    record Name(String name) implements Expr {
        @Override
        public List<Node> children() {
            return List.of();
        }

        @Override
        public void declare(Symbols symbols) {
            symbols.load(name);
        }

        @Override
        public Expression link(Symbols symbols) {
            Expression reader = symbols.reader(name);
            boolean parameter = symbols.isParameter(name);
            return frame -> {
                Object value = reader.value(frame);
                if (value == Frame.MISSING && parameter) {
                    throw new JinjaException("reading '" + name + "' before or after it has a value is not supported");
                }
                return value == Frame.MISSING ? new Undefined("'" + name + "' is undefined") : value;
            };
        }
    }

    /** A call; it stays recognisable because <code>{% call %}</code> needs one. */
    record Call(Expr function, Arguments arguments, int line) implements Expr {
        @Override
        public List<Node> children() {
            return List.of(function, arguments);
        }

        @Override
        public Expression link(Symbols symbols) {
            Linked linked = linkCall(symbols);
            return frame -> linked.call(frame, null);
        }

        Linked linkCall(Symbols symbols) {
            Expression callee = function.link(symbols);
            Arguments.Linked given = arguments.link(symbols);
            return (frame, caller) -> {
                Object value = callee.value(frame);
                Args args = given.values(frame);
                if (caller != null) {
                    args.named().put("caller", caller);
                }
                frame.run.spend(1);
                return Values.callable(value).call(frame.run, args);
            };
        }

        @FunctionalInterface
        interface Linked {
            Object call(Frame frame, Callable caller);
        }
    }

    /** A variable that is set. */
    record StoredName(String name) implements Target {
        @Override
        public List<Node> children() {
            return List.of();
        }

        @Override
        public void declare(Symbols symbols) {
            symbols.store(name);
        }

        @Override
        public void declareParameters(Symbols symbols) {
            symbols.parameter(name);
        }

        @Override
        public Symbols.Setter link(Symbols symbols) {
            return symbols.setter(name);
        }
    }

    /** A member of a namespace that is set. */
    record StoredMember(String name, String member) implements Target {
        @Override
        public List<Node> children() {
            return List.of();
        }

        @Override
        public void declare(Symbols symbols) {
            symbols.load(name);
        }

        @Override
        public void declareParameters(Symbols symbols) {
            declare(symbols);
        }

        @Override
        public Symbols.Setter link(Symbols symbols) {
            Expression reader = symbols.reader(name);
            return (frame, value) -> {
                if (!(reader.value(frame) instanceof Namespace namespace)) {
                    throw new JinjaException("only a namespace's members can be set, and '" + name + "' is none");
                }
                namespace.members().put(member, value);
            };
        }
    }

    /** Several places at once, filled from an iterable of as many items. */
    record StoredTuple(List<Target> children) implements Target {
        @Override
        public void declareParameters(Symbols symbols) {
            children.forEach(child -> child.declareParameters(symbols));
        }

        @Override
        public Symbols.Setter link(Symbols symbols) {
            List<Symbols.Setter> setters =
                    children.stream().map(child -> child.link(symbols)).toList();
            return (frame, value) -> {
                List<Object> items = Values.items(value);
                if (items.size() != setters.size()) {
                    throw new JinjaException("as many values as names are needed, " + setters.size() + ", but found "
                            + Values.shown(value));
                }
                for (int i = 0; i < setters.size(); i++) {
                    setters.get(i).set(frame, items.get(i));
                }
            };
        }
    }
}
