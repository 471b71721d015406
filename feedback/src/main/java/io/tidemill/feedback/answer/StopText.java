package io.tidemill.feedback.answer;

import java.util.List;

/**
 * Lets text through until one of the stop texts appears, and holds back what may become one.
 *
 * <p>With the stop text {@code "END"} the pieces {@code "the E", "N", "d"} come out as {@code "the ", "", "ENd"}.
 */
final class StopText {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean found;

    StopText(List<String> stops) {
        this.stops = stops;
    }

    /** The text that may be shown now. */
    String append(String piece) {
        if (found) {
            return "";
        }
        held.append(piece);
        int stop = firstStop();
        if (stop >= 0) {
            found = true;
            held.setLength(stop);
            return takeAll();
        }
        String shown = held.substring(0, held.length() - longestBeginning());
        held.delete(0, shown.length());
        return shown;
    }

    /** Whether a stop text has appeared. */
    boolean found() {
        return found;
    }

    /** What was held back and turned out to be no stop text. */
    String finish() {
        return takeAll();
    }

    private String takeAll() {
        String text = held.toString();
        held.setLength(0);
        return text;
    }

    private int firstStop() {
        return stops.stream()
                .mapToInt(held::indexOf)
                .filter(at -> at >= 0)
                .min()
                .orElse(-1);
    }

    /** Length of the longest end of the held text that begins a stop text. */
    private int longestBeginning() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, held.length()); length > longest; length--) {
                if (stop.startsWith(held.substring(held.length() - length))) {
                    longest = length;
                }
            }
        }
        return longest;
    }
}
