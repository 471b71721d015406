package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Node.Expr;
import io.tidemill.model.text.jinja.Node.Stmt;
import io.tidemill.model.text.jinja.Node.Target;
import io.tidemill.model.text.jinja.Statement.Next;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The statements of a template, but for loops and macros. */
final class Statements {
    private Statements() {}

    static Statement link(List<Stmt> statements, Symbols symbols) {
        return Statement.all(statements.stream().map(each -> each.link(symbols)).toList());
    }

    /** The names that a target sets. */
    static Set<String> names(Target target) {
        Set<String> names = new TreeSet<>();
        if (target instanceof Node.StoredName name) {
            names.add(name.name());
        }
        target.children().forEach(child -> names.addAll(names((Target) child)));
        return names;
    }

    static List<Node> join(List<? extends List<? extends Node>> lists) {
        List<Node> all = new ArrayList<>();
        lists.forEach(all::addAll);
        return all;
    }

    record Text(String text) implements Stmt {
        @Override
        public List<Node> children() {
            return List.of();
        }

        @Override
        public Statement link(Symbols symbols) {
            return (frame, output) -> {
                output.write(text);
                return Next.GO_ON;
            };
        }
    }

    record Print(Expr value) implements Stmt {
        @Override
        public List<Node> children() {
            return List.of(value);
        }

        @Override
        public Statement link(Symbols symbols) {
            Expression linked = value.link(symbols);
            return (frame, output) -> {
                output.write(Values.string(linked.value(frame)));
                return Next.GO_ON;
            };
        }
    }

    record Group(List<Stmt> children) implements Stmt {
        @Override
        public Statement link(Symbols symbols) {
            return Statements.link(children, symbols);
        }
    }

    record LoopControl(Next next) implements Stmt {
        @Override
        public List<Node> children() {
            return List.of();
        }

        @Override
        public Statement link(Symbols symbols) {
            return (frame, output) -> next;
        }
    }

    /** A condition and what follows it. */
    record Branch(Expr test, List<Stmt> body) implements Node {
        @Override
        public List<Node> children() {
            return join(List.of(List.of(test), body));
        }

        @Override
        public void declare(Symbols symbols) {
            test.declare(symbols);
            symbols.branches(List.of(body, List.of(), List.of()));
        }
    }

    record If(Branch first, List<Branch> others, List<Stmt> otherwise) implements Stmt {
        @Override
        public List<Node> children() {
            return join(List.of(first.children(), others, otherwise));
        }

        @Override
        public void declare(Symbols symbols) {
            first.test().declare(symbols);
            symbols.branches(List.of(first.body(), others, otherwise));
        }

        @Override
        public Statement link(Symbols symbols) {
            List<Expression> tests = new ArrayList<>(List.of(first.test().link(symbols)));
            List<Statement> bodies = new ArrayList<>(List.of(Statements.link(first.body(), symbols)));
            for (Branch other : others) {
                tests.add(other.test().link(symbols));
                bodies.add(Statements.link(other.body(), symbols));
            }
            Statement last = Statements.link(otherwise, symbols);
            return (frame, output) -> {
                for (int i = 0; i < tests.size(); i++) {
                    if (Values.isTrue(tests.get(i).value(frame))) {
                        return bodies.get(i).render(frame, output);
                    }
                }
                return last.render(frame, output);
            };
        }
    }

    record Assign(Target target, Expr value) implements Stmt {
        @Override
        public List<Node> children() {
            return List.of(value, target);
        }

        @Override
        public Statement link(Symbols symbols) {
            Expression linked = value.link(symbols);
            Symbols.Setter setter = target.link(symbols);
            return (frame, output) -> {
                setter.set(frame, linked.value(frame));
                return Next.GO_ON;
            };
        }
    }

    /** The text of a block, to which its filters are applied. */
    static final class Captured implements Expr {
        @Override
        public List<Node> children() {
            return List.of();
        }

        @Override
        public void declare(Symbols symbols) {
            symbols.parameter(NAME);
        }

        @Override
        public Expression link(Symbols symbols) {
            return symbols.reader(NAME);
        }

        /** No name of a template has a space. */
        private static final String NAME = "captured text";

        Symbols.Setter setter(Symbols symbols) {
            return symbols.setter(NAME);
        }
    }

    record AssignBlock(Target target, Captured captured, Expr filtered, List<Stmt> body) implements Stmt {
        @Override
        public List<Node> children() {
            return join(List.of(List.of(target, filtered), body));
        }

        @Override
        public void declare(Symbols symbols) {
            target.declare(symbols);
        }

        @Override
        public Statement link(Symbols symbols) {
            Block block = Block.of(symbols, captured, filtered, body);
            Symbols.Setter setter = target.link(symbols);
            return (frame, output) -> block.render(frame, text -> setter.set(frame, text));
        }
    }

    record FilterBlock(Captured captured, Expr filtered, List<Stmt> body) implements Stmt {
        @Override
        public List<Node> children() {
            return join(List.of(body, List.of(filtered)));
        }

        @Override
        public void declare(Symbols symbols) {
            // Nothing inside belongs to the scope around it, but the filter's arguments are read there too.
            new Reads(filtered).declare(symbols);
        }

        @Override
        public Statement link(Symbols symbols) {
            Block block = Block.of(symbols, captured, filtered, body);
            return (frame, output) -> block.render(frame, text -> output.write(Values.string(text)));
        }
    }

    /** The names that an expression reads. */
    private record Reads(Node node) implements Node {
        @Override
        public List<Node> children() {
            return List.of();
        }

        @Override
        public void declare(Symbols symbols) {
            if (node instanceof Node.Name name) {
                name.declare(symbols);
            }
            node.children().forEach(child -> new Reads(child).declare(symbols));
        }
    }

    /** A body in a scope of its own, whose text is collected and filtered. */
    private record Block(
            Symbols.Entry entry, Statement body, Symbols.Setter captured, Expression filtered, Symbols.Entry exit) {
        static Block of(Symbols outer, Captured captured, Expr filtered, List<Stmt> body) {
            Symbols symbols = outer.inner();
            body.forEach(each -> each.declare(symbols));
            captured.declare(symbols);
            filtered.declare(symbols);
            Statement linked = link(body, symbols);
            return new Block(symbols.entry(), linked, captured.setter(symbols), filtered.link(symbols), symbols.exit());
        }

        Next render(Frame frame, java.util.function.Consumer<Object> use) {
            entry.apply(frame);
            Output aside = Output.aside(frame.run);
            Next next = body.render(frame, aside);
            if (next == Next.GO_ON) {
                captured.set(frame, aside.text());
                use.accept(filtered.value(frame));
                exit.apply(frame);
            }
            return next;
        }
    }

    record With(List<Target> targets, List<Expr> values, List<Stmt> body) implements Stmt {
        @Override
        public List<Node> children() {
            return join(List.of(targets, values, body));
        }

        @Override
        public void declare(Symbols symbols) {
            values.forEach(value -> value.declare(symbols));
        }

        @Override
        public Statement link(Symbols outer) {
            List<Expression> linked =
                    values.stream().map(value -> value.link(outer)).toList();
            Symbols symbols = outer.inner();
            targets.forEach(target -> target.declareParameters(symbols));
            body.forEach(each -> each.declare(symbols));
            List<Symbols.Setter> setters =
                    targets.stream().map(target -> target.link(symbols)).toList();
            Statement inner = Statements.link(body, symbols);
            Symbols.Entry entry = symbols.entry();
            Symbols.Entry exit = symbols.exit();
            return (frame, output) -> {
                entry.apply(frame);
                for (int i = 0; i < setters.size(); i++) {
                    setters.get(i).set(frame, linked.get(i).value(frame));
                }
                Next next = inner.render(frame, output);
                if (next == Next.GO_ON) {
                    exit.apply(frame);
                }
                return next;
            };
        }
    }

    record CallBlock(Node.Call call, Macro caller) implements Stmt {
        @Override
        public List<Node> children() {
            return List.of(call, caller);
        }

        @Override
        public void declare(Symbols symbols) {
            call.declare(symbols);
        }

        @Override
        public Statement link(Symbols symbols) {
            Macro.Maker maker = caller.maker(symbols);
            Node.Call.Linked linked = call.linkCall(symbols);
            return (frame, output) -> {
                output.write(Values.string(linked.call(frame, maker.make(frame))));
                return Next.GO_ON;
            };
        }
    }

    /** What the model writes, as transformers marks it. What is set inside is gone after it. */
    record Generation(List<Stmt> children) implements Stmt {
        @Override
        public void declare(Symbols symbols) {
            // A scope of its own.
        }

        @Override
        public Statement link(Symbols symbols) {
            Macro.Maker maker =
                    new Macro(new Macro.Signature("generation", List.of(), List.of()), children).maker(symbols);
            return (frame, output) -> {
                output.generated((String) maker.make(frame).call(frame.run, Args.of()));
                return Next.GO_ON;
            };
        }
    }
}
