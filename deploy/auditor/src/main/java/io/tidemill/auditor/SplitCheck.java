package io.tidemill.auditor;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.PriorityQueue;

/**
 * Proves that a record is held out exactly where the hash of its group is below one share.
 *
 * <p>Where nobody says what the share is, it is the one that the fewest records disagree with. Keeps the records next to
 * the border alone: the held out ones with the highest fraction and the trained ones with the lowest.
 */
final class SplitCheck {
    private static final int KEPT = 2_000;

    private final String salt;
    private final PriorityQueue<Seen> highestHeldOut = new PriorityQueue<>(Comparator.comparingDouble(Seen::fraction));
    private final PriorityQueue<Seen> lowestTrained =
            new PriorityQueue<>(Comparator.comparingDouble(Seen::fraction).reversed());

    private record Seen(double fraction, boolean heldOut, String what, String group) {}

    SplitCheck(String salt) {
        this.salt = salt;
    }

    /** @param what names the record in a finding */
    void add(String group, boolean heldOut, String what) {
        Seen seen = new Seen(Hash.fraction(salt, group), heldOut, what, group);
        PriorityQueue<Seen> side = heldOut ? highestHeldOut : lowestTrained;
        side.add(seen);
        if (side.size() > KEPT) {
            side.poll();
        }
    }

    void finish(OptionalDouble given, Findings findings) {
        double share = given.orElseGet(this::fewestDisagree);
        lowestTrained.stream()
                .filter(seen -> seen.fraction < share)
                .forEach(seen -> findings.add(tell(seen, share, "should be held out, but is for training")));
        highestHeldOut.stream()
                .filter(seen -> seen.fraction >= share)
                .forEach(seen -> findings.add(tell(seen, share, "should be for training, but is held out")));
    }

    private String tell(Seen seen, double share, String flaw) {
        return seen.what + " " + flaw + ": the hash of its group '" + seen.group + "' under salt '" + salt + "' is "
                + seen.fraction + ", and the held-out share is " + share + ".";
    }

    /** A border between two records; below it all should be held out. */
    private double fewestDisagree() {
        List<Seen> all = new ArrayList<>(highestHeldOut);
        all.addAll(lowestTrained);
        all.sort(Comparator.comparingDouble(Seen::fraction));
        int wrong = highestHeldOut.size(); // a border at 0: every held out record disagrees
        int fewest = wrong;
        double border = 0;
        for (int i = 0; i < all.size(); i++) {
            wrong += all.get(i).heldOut ? -1 : 1;
            boolean last = i + 1 == all.size();
            boolean between = last || all.get(i + 1).fraction > all.get(i).fraction;
            if (between && wrong < fewest) {
                fewest = wrong;
                border = last ? 1 : (all.get(i).fraction + all.get(i + 1).fraction) / 2;
            }
        }
        return border;
    }
}
