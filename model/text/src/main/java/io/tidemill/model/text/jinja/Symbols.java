package io.tidemill.model.text.jinja;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which variable a name means, settled before anything is rendered, by Jinja's rules.
 *
 * <p>Each loop, macro or block has a scope. A name that a scope sets is its own there, and begins as what the scopes
 * around it had; a name that it only reads is that of the nearest scope around it that knows the name, else the
 * caller's variable. A name that a scope sets before it reads it is undefined until then, even where the caller gives
 * one of that name.
 *
 * <p>Source: Jinja 3.1, "Template Designer Documentation", sections "Assignments" and "Scoping Behavior"; the cases it
 * leaves open are settled by the fixtures that its implementation makes.
 */
final class Symbols {
    /** The variables of one call at run time; those of the loops in it are among them. */
    static final class Body {
        private final Body outer;
        private final Map<String, Slot> slots = new HashMap<>();

        Body(Body outer) {
            this.outer = outer;
        }

        int size() {
            return slots.size();
        }

        private int hopsTo(Body other) {
            int hops = 0;
            for (Body body = this; body != other; body = body.outer) {
                hops++;
            }
            return hops;
        }
    }

    /** A place for a variable in the frames of a body. */
    record Slot(Body body, int index) {}

    private enum Load {
        PARAMETER,
        RESOLVE,
        ALIAS,
        UNDEFINED
    }

    /** How a variable gets its value when its scope is entered. */
    private record Start(Load load, String name, Slot from) {}

    private final Body body;
    private final Symbols outer;
    private final int level;
    private final Map<String, Slot> names;
    private final Map<Slot, Start> starts;
    private final Set<String> stores;

    private Symbols(
            Body body, Symbols outer, int level, Map<String, Slot> names, Map<Slot, Start> starts, Set<String> stores) {
        this.body = body;
        this.outer = outer;
        this.level = level;
        this.names = names;
        this.starts = starts;
        this.stores = stores;
    }

    static Symbols root() {
        return new Symbols(new Body(null), null, 0, new HashMap<>(), new LinkedHashMap<>(), new HashSet<>());
    }

    /** A scope inside this one whose variables live in the same frame. */
    Symbols inner() {
        return new Symbols(body, this, level + 1, new HashMap<>(), new LinkedHashMap<>(), new HashSet<>());
    }

    /** A scope inside this one with a frame of its own. */
    Symbols called() {
        return new Symbols(new Body(body), this, level + 1, new HashMap<>(), new LinkedHashMap<>(), new HashSet<>());
    }

    /** A scope inside {@code around} whose variables live in the frame of this one. */
    Symbols sibling(Symbols around) {
        return new Symbols(body, around, level, new HashMap<>(), new LinkedHashMap<>(), new HashSet<>());
    }

    Body body() {
        return body;
    }

    private Slot define(String name, Load load, Slot from) {
        Slot slot = body.slots.computeIfAbsent(level + " " + name, key -> new Slot(body, body.slots.size()));
        names.put(name, slot);
        starts.put(slot, new Start(load, name, from));
        return slot;
    }

    private Slot find(String name) {
        for (Symbols scope = this; scope != null; scope = scope.outer) {
            if (scope.names.containsKey(name)) {
                return scope.names.get(name);
            }
        }
        return null;
    }

    void parameter(String name) {
        stores.add(name);
        define(name, Load.PARAMETER, null);
    }

    void load(String name) {
        if (find(name) == null) {
            define(name, Load.RESOLVE, null);
        }
    }

    void store(String name) {
        stores.add(name);
        if (!names.containsKey(name)) {
            Slot around = outer == null ? null : outer.find(name);
            define(name, around == null ? Load.UNDEFINED : Load.ALIAS, around);
        }
    }

    /** What the branches of a condition declare; a name that one of them sets may keep what it had before. */
    void branches(List<? extends List<? extends Node>> branches) {
        Map<String, Slot> allNames = new HashMap<>();
        Map<Slot, Start> allStarts = new LinkedHashMap<>();
        Set<String> allStores = new HashSet<>();
        for (List<? extends Node> branch : branches) {
            Symbols copy = new Symbols(
                    body, outer, level, new HashMap<>(names), new LinkedHashMap<>(starts), new HashSet<>(stores));
            branch.forEach(node -> node.declare(copy));
            allNames.putAll(copy.names);
            allStarts.putAll(copy.starts);
            allStores.addAll(copy.stores);
        }
        names.putAll(allNames);
        starts.putAll(allStarts);
        for (String name : allStores) {
            if (stores.add(name)) {
                Slot around = outer == null ? null : outer.find(name);
                starts.put(find(name), new Start(around == null ? Load.RESOLVE : Load.ALIAS, name, around));
            }
        }
    }

    /** Whether a variable is an argument or counts a loop, and so has a value wherever it can be read. */
    boolean isParameter(String name) {
        Slot slot = find(name);
        for (Symbols scope = this; scope != null; scope = scope.outer) {
            if (scope.starts.containsKey(slot)) {
                return scope.starts.get(slot).load() == Load.PARAMETER;
            }
        }
        return false;
    }

    /** Reads a variable; {@link Frame#MISSING} where it has no value. */
    Expression reader(String name) {
        Slot slot = find(name);
        int hops = body.hopsTo(slot.body());
        return frame -> frame.get(slot, hops);
    }

    /** Sets a variable. */
    Setter setter(String name) {
        Slot slot = find(name);
        int hops = body.hopsTo(slot.body());
        return (frame, value) -> frame.set(slot, hops, value);
    }

    /** Gives the variables of this scope their first values. Called once all names of the scope are declared. */
    Entry entry() {
        Map<Slot, Start> copy = new LinkedHashMap<>(starts);
        return frame -> copy.forEach((slot, start) -> {
            switch (start.load()) {
                case PARAMETER -> {}
                case RESOLVE -> frame.set(slot, 0, frame.run.variable(start.name()));
                case ALIAS ->
                    frame.set(
                            slot,
                            0,
                            frame.get(start.from(), body.hopsTo(start.from().body())));
                case UNDEFINED -> frame.set(slot, 0, Frame.MISSING);
            }
        });
    }

    /** Forgets the variables of this scope, when a loop or block is over. */
    Entry exit() {
        List<Slot> mine = List.copyOf(starts.keySet());
        return frame -> mine.forEach(slot -> frame.set(slot, 0, Frame.MISSING));
    }

    @FunctionalInterface
    interface Setter {
        void set(Frame frame, Object value);
    }

    @FunctionalInterface
    interface Entry {
        void apply(Frame frame);
    }
}
