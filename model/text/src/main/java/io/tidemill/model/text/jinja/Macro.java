package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Node.Expr;
import io.tidemill.model.text.jinja.Node.Stmt;
import io.tidemill.model.text.jinja.Statement.Next;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A body with a name and arguments that is called, and gives the text that it writes. */
record Macro(Signature signature, List<Stmt> body) implements Stmt {
    /** The name, the arguments, and what the last of them are where a call leaves them out. */
    record Signature(String name, List<String> arguments, List<Expr> defaults) {}

    @Override
    public List<Node> children() {
        return Statements.join(List.of(signature.defaults(), body));
    }

    @Override
    public void declare(Symbols symbols) {
        symbols.store(signature.name());
    }

    @Override
    public Statement link(Symbols symbols) {
        Symbols.Setter setter = symbols.setter(signature.name());
        Maker maker = maker(symbols);
        return (frame, output) -> {
            setter.set(frame, maker.make(frame));
            return Next.GO_ON;
        };
    }

    /** Makes the callable where the macro stands: it sees the variables there as they are when it is called. */
    @FunctionalInterface
    interface Maker {
        Callable make(Frame frame);
    }

    Maker maker(Symbols outer) {
        Symbols symbols = outer.called();
        List<String> arguments = signature.arguments();
        Set<String> specials = undeclared(body, Set.of("caller", "kwargs", "varargs"));
        arguments.forEach(symbols::parameter);
        int callerAt = arguments.indexOf("caller");
        if (specials.contains("caller")
                && callerAt >= 0
                && callerAt < arguments.size() - signature.defaults().size()) {
            throw new JinjaException(
                    "macro '" + signature.name() + "' must leave its argument 'caller' out or give it a default");
        }
        boolean caller = specials.contains("caller") && !arguments.contains("caller");
        boolean named = specials.contains("kwargs") && !arguments.contains("kwargs");
        boolean more = specials.contains("varargs") && !arguments.contains("varargs");
        if (caller) {
            symbols.parameter("caller");
        }
        if (named) {
            symbols.parameter("kwargs");
        }
        if (more) {
            symbols.parameter("varargs");
        }
        signature.defaults().forEach(each -> each.declare(symbols));
        body.forEach(each -> each.declare(symbols));

        List<Expression> defaults =
                signature.defaults().stream().map(each -> each.link(symbols)).toList();
        Statement inner = Statements.link(body, symbols);
        Symbols.Entry entry = symbols.entry();
        List<Symbols.Setter> setters = arguments.stream().map(symbols::setter).toList();
        List<Expression> readers = arguments.stream().map(symbols::reader).toList();
        Symbols.Setter setCaller = caller ? symbols.setter("caller") : null;
        Symbols.Setter setNamed = named ? symbols.setter("kwargs") : null;
        Symbols.Setter setMore = more ? symbols.setter("varargs") : null;
        int required = arguments.size() - defaults.size();

        return defined -> (run, args) -> {
            run.enter("a call of macro '" + signature.name() + "'");
            Frame frame = new Frame(run, defined, symbols.body());
            Map<String, Object> byName = new LinkedHashMap<>(args.named());
            for (int i = 0; i < arguments.size(); i++) {
                if (i < args.places().size()) {
                    setters.get(i).set(frame, args.places().get(i));
                } else if (byName.containsKey(arguments.get(i))) {
                    setters.get(i).set(frame, byName.remove(arguments.get(i)));
                }
            }
            if (caller) {
                Object given = byName.remove("caller");
                setCaller.set(frame, given == null ? new Undefined("no caller is defined") : given);
            }
            if (named) {
                setNamed.set(frame, byName);
            } else if (!byName.isEmpty()) {
                throw new JinjaException("macro '" + signature.name() + "' takes no argument '"
                        + byName.keySet().iterator().next() + "' here");
            }
            List<Object> rest = new ArrayList<>(args.places()
                    .subList(
                            Math.min(arguments.size(), args.places().size()),
                            args.places().size()));
            if (more) {
                setMore.set(frame, new Tuple(rest));
            } else if (!rest.isEmpty()) {
                throw new JinjaException("macro '" + signature.name() + "' takes at most " + arguments.size()
                        + " arguments, but found " + args.places().size());
            }
            entry.apply(frame);
            for (int i = 0; i < arguments.size(); i++) {
                if (readers.get(i).value(frame) == Frame.MISSING) {
                    setters.get(i)
                            .set(
                                    frame,
                                    i < required
                                            ? new Undefined("argument '" + arguments.get(i) + "' was not given")
                                            : defaults.get(i - required).value(frame));
                }
            }
            Output aside = Output.aside(run);
            inner.render(frame, aside);
            run.leave();
            return aside.text();
        };
    }

    /** Which of the names a body reads before it sets them. */
    static Set<String> undeclared(List<? extends Node> body, Set<String> names) {
        Set<String> open = new HashSet<>(names);
        Set<String> read = new HashSet<>();
        body.forEach(node -> search(node, open, read));
        return read;
    }

    private static void search(Node node, Set<String> open, Set<String> read) {
        if (node instanceof Node.Name name && open.contains(name.name())) {
            read.add(name.name());
        } else if (node instanceof Node.StoredName name) {
            open.remove(name.name());
        } else if (node instanceof Macro macro) {
            open.removeAll(macro.signature().arguments());
        }
        // Jinja reads the target of an assignment before its value.
        if (node instanceof Statements.Assign assign) {
            search(assign.target(), open, read);
            search(assign.value(), open, read);
        } else {
            node.children().forEach(child -> search(child, open, read));
        }
    }
}
