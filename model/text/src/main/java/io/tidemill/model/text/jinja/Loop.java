package io.tidemill.model.text.jinja;

import io.tidemill.model.text.jinja.Node.Expr;
import io.tidemill.model.text.jinja.Node.Stmt;
import io.tidemill.model.text.jinja.Node.Target;
import io.tidemill.model.text.jinja.Statement.Next;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;

/**
 * A {@code for}, with its condition and what stands after its {@code else}.
 *
 * @param test      which items count, or null for all
 * @param recursive whether the body may call {@code loop} with items of its own
 */
record Loop(Target target, Expr items, Expr test, List<Stmt> body, List<Stmt> none, boolean recursive) implements Stmt {
    @Override
    public List<Node> children() {
        return Statements.join(List.of(List.of(target, items), body, none, test == null ? List.of() : List.of(test)));
    }

    @Override
    public void declare(Symbols symbols) {
        items.declare(symbols);
    }

    @Override
    public Statement link(Symbols outer) {
        Expression over = items.link(outer);
        // A recursive loop is called by its own name, so it has a frame of its own.
        Symbols around = outer;
        Symbols symbols = recursive ? around.called() : around.inner();
        boolean position = recursive || !Macro.undeclared(body, Set.of("loop")).isEmpty();
        if (position) {
            symbols.parameter("loop");
        }
        target.declareParameters(symbols);
        body.forEach(each -> each.declare(symbols));
        Rounds rounds = new Rounds(
                filter(around),
                target.link(symbols),
                position ? symbols.setter("loop") : null,
                symbols.entry(),
                Statements.link(body, symbols),
                symbols.exit(),
                otherwise(symbols, around));
        if (!recursive) {
            return (frame, output) -> rounds.render(frame, output, Iterables.of(over.value(frame)), null, 0);
        }
        return (frame, output) -> {
            Recursion recursion = new Recursion(frame, symbols.body(), rounds);
            output.write(recursion.call(frame.run, over.value(frame), 0));
            return Next.GO_ON;
        };
    }

    private Statement otherwise(Symbols inFrame, Symbols around) {
        Symbols symbols = recursive ? inFrame.sibling(around) : around.inner();
        none.forEach(each -> each.declare(symbols));
        Statement linked = Statements.link(none, symbols);
        Symbols.Entry entry = symbols.entry();
        Symbols.Entry exit = symbols.exit();
        return (frame, output) -> {
            entry.apply(frame);
            Next next = linked.render(frame, output);
            if (next == Next.GO_ON) {
                exit.apply(frame);
            }
            return next;
        };
    }

    /** Items as they pass the test, which has a frame of its own. */
    private Filter filter(Symbols around) {
        if (test == null) {
            return (frame, iterator) -> iterator;
        }
        Symbols symbols = around.called();
        target.declareParameters(symbols);
        test.declare(symbols);
        Symbols.Setter setter = target.link(symbols);
        Expression condition = test.link(symbols);
        Symbols.Entry entry = symbols.entry();
        return (outer, iterator) -> {
            Frame frame = new Frame(outer.run, outer, symbols.body());
            entry.apply(frame);
            return Iterables.filter(outer.run, iterator, item -> {
                setter.set(frame, item);
                return Values.isTrue(condition.value(frame));
            });
        };
    }

    @FunctionalInterface
    private interface Filter {
        Iterator<Object> apply(Frame frame, Iterator<Object> iterator);
    }

    /** A loop that is called again with the items inside an item. */
    private record Recursion(Frame outer, Symbols.Body body, Rounds rounds) {
        String call(Run run, Object items, int depth) {
            run.enter("a recursive loop");
            Output aside = Output.aside(run);
            Frame frame = new Frame(run, outer, body);
            rounds.render(frame, aside, Iterables.of(items), this, depth);
            run.leave();
            return aside.text();
        }
    }

    private record Rounds(
            Filter filter,
            Symbols.Setter target,
            Symbols.Setter position,
            Symbols.Entry entry,
            Statement body,
            Symbols.Entry exit,
            Statement none) {
        Next render(Frame frame, Output output, Iterables.Sized items, Recursion recursion, int depth) {
            // A test counts what passes only by walking over it, so the length is known without one.
            Frame tested = recursion == null ? frame : frame.outer;
            Iterator<Object> iterator = filter.apply(tested, items.iterator());
            boolean filtered = iterator != items.iterator();
            Position at = new Position(iterator, filtered ? -1 : items.size(), recursion, depth);
            boolean nothing = true;
            while (at.hasNext()) {
                frame.run.spend(1);
                target.set(frame, at.next());
                if (position != null) {
                    position.set(frame, at);
                }
                entry.apply(frame);
                Next next = body.render(frame, output);
                if (next == Next.BREAK) {
                    break;
                }
                // As in Jinja, a round that 'continue' cuts short does not count against 'else'.
                nothing &= next == Next.CONTINUE;
            }
            exit.apply(frame);
            return nothing ? none.render(frame, output) : Next.GO_ON;
        }
    }

    /** The variable {@code loop}. */
    static final class Position {
        private static final Object NOTHING = new Object();

        private Iterator<Object> iterator;
        private long length;
        private final Recursion recursion;
        private final int depth;
        private long index0 = -1;
        private Object before = NOTHING;
        private Object current = NOTHING;
        private Object after = NOTHING;
        private Tuple lastChanged;

        private Position(Iterator<Object> iterator, long length, Recursion recursion, int depth) {
            this.iterator = iterator;
            this.length = length;
            this.recursion = recursion;
            this.depth = depth;
        }

        private boolean hasNext() {
            return after != NOTHING || iterator.hasNext();
        }

        private Object next() {
            Object item = peek();
            if (item == NOTHING) {
                throw new NoSuchElementException();
            }
            after = NOTHING;
            index0++;
            before = current;
            current = item;
            return item;
        }

        private Object peek() {
            if (after == NOTHING && iterator.hasNext()) {
                after = iterator.next();
            }
            return after;
        }

        private long length() {
            if (length < 0) {
                List<Object> rest = Iterables.list(iterator);
                iterator = rest.iterator();
                length = rest.size() + index0 + 1 + (after == NOTHING ? 0 : 1);
            }
            return length;
        }

        Object member(String name) {
            return switch (name) {
                case "index" -> index0 + 1;
                case "index0" -> index0;
                case "revindex" -> length() - index0;
                case "revindex0" -> length() - index0 - 1;
                case "first" -> index0 == 0;
                case "last" -> peek() == NOTHING;
                case "length" -> length();
                case "depth" -> depth + 1L;
                case "depth0" -> (long) depth;
                case "previtem" -> index0 == 0 ? new Undefined("there is no previous item") : before;
                case "nextitem" -> peek() == NOTHING ? new Undefined("there is no next item") : after;
                case "cycle" ->
                    (Callable) (run, args) -> {
                        if (args.places().isEmpty()) {
                            throw new JinjaException("loop.cycle needs values");
                        }
                        return args.places().get((int) (index0 % args.places().size()));
                    };
                case "changed" ->
                    (Callable) (run, args) -> {
                        Tuple values = new Tuple(args.places());
                        boolean changed = lastChanged == null || !Values.equal(run, lastChanged, values);
                        lastChanged = values;
                        return changed;
                    };
                default -> new Undefined("'loop' has no member '" + name + "'");
            };
        }

        Object call(Run run, Args args) {
            if (recursion == null) {
                throw new JinjaException("a loop must be marked 'recursive' to be called");
            }
            return recursion.call(run, args.check("loop", 1, "iterable").get(0, "iterable", null), depth + 1);
        }
    }
}
