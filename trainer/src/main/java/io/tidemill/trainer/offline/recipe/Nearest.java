package io.tidemill.trainer.offline.recipe;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** What somebody may have meant. */
public final class Nearest {
    private Nearest() {}

    /** The name with the fewest changed letters, if they are less than half of it. */
    public static Optional<String> to(String said, Collection<String> names) {
        return names.stream()
                .min(Comparator.<String>comparingInt(name -> distance(said, name))
                        .thenComparing(name -> name))
                .filter(name -> distance(said, name) * 2 <= Math.max(said.length(), name.length()));
    }

    /** Levenshtein's: insertions, deletions and replacements. */
    static int distance(String one, String other) {
        int[] before = new int[other.length() + 1];
        for (int j = 0; j <= other.length(); j++) {
            before[j] = j;
        }
        for (int i = 1; i <= one.length(); i++) {
            int[] row = new int[other.length() + 1];
            row[0] = i;
            for (int j = 1; j <= other.length(); j++) {
                int replaced = before[j - 1] + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, 1 + Math.min(row[j - 1], before[j]));
            }
            before = row;
        }
        return before[other.length()];
    }
}
