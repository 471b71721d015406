package io.tidemill.model.text.jinja;

import java.util.Arrays;

/** The variables of one call: of the template itself, of a macro, or of another body that is called. */
final class Frame {
    /** In place of a variable that has no value yet, which is not the same as none. */
    static final Object MISSING = new Object();

    final Run run;
    final Frame outer;
    private final Object[] slots;

    Frame(Run run, Frame outer, Symbols.Body body) {
        this.run = run;
        this.outer = outer;
        this.slots = new Object[body.size()];
        Arrays.fill(slots, MISSING);
    }

    Object get(Symbols.Slot slot, int hops) {
        return at(hops).slots[slot.index()];
    }

    void set(Symbols.Slot slot, int hops, Object value) {
        at(hops).slots[slot.index()] = value;
    }

    private Frame at(int hops) {
        Frame frame = this;
        for (int i = 0; i < hops; i++) {
            frame = frame.outer;
        }
        return frame;
    }
}
