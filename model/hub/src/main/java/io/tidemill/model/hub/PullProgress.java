package io.tidemill.model.hub;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;

/** Is told how a pull goes. */
public interface PullProgress {
    /** What is to come next, all together. */
    void total(int files, long bytes);

    /** A file begins, or goes on where it was cut. */
    void file(String name, long bytes, long alreadyHere);

    /** Bytes of the file that are here now; fewer than before where it had to begin again. */
    void at(long bytes);

    /** The file is whole. */
    void done();

    /** Something that people should know. */
    void note(String sentence);

    /** For a terminal: a bar that is drawn over itself. */
    static PullProgress bar(PrintStream out, LongSupplier nanoClock) {
        return new Bar(out, nanoClock);
    }

    /** For logs and pipes: a line for each file, and for a large one now and then. */
    static PullProgress lines(PrintStream out) {
        return new Lines(out);
    }

    private static String size(long bytes) {
        if (bytes < 1000) {
            return bytes + " B";
        }
        double value = bytes;
        int unit = -1;
        while (value >= 999.95 && unit < 3) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %s", value, new String[] {"kB", "MB", "GB", "TB"}[unit]);
    }

    /** Draws at most ten times a second. */
    final class Bar implements PullProgress {
        private static final int WIDTH = 30;
        private static final long PAUSE_NANOS = 100_000_000;

        private final PrintStream out;
        private final LongSupplier nanoClock;
        private final long began;
        private String name = "";
        private long bytes;
        private long here;
        private long before; // of the files before
        private long total;
        private long received;
        private long drawnAt;
        private boolean drawn;

        Bar(PrintStream out, LongSupplier nanoClock) {
            this.out = out;
            this.nanoClock = nanoClock;
            this.began = nanoClock.getAsLong();
        }

        @Override
        public void total(int files, long bytes) {
            total = bytes;
            before = 0;
        }

        @Override
        public void file(String name, long bytes, long alreadyHere) {
            this.name = name;
            this.bytes = bytes;
            this.here = alreadyHere;
            draw();
        }

        @Override
        public void at(long bytes) {
            received += Math.max(0, bytes - here);
            here = bytes;
            if (nanoClock.getAsLong() - drawnAt >= PAUSE_NANOS) {
                draw();
            }
        }

        @Override
        public void done() {
            clear();
            out.println(name + "  " + size(bytes));
            before += bytes;
            here = 0;
        }

        @Override
        public void note(String sentence) {
            clear();
            out.println(sentence);
        }

        private void draw() {
            drawnAt = nanoClock.getAsLong();
            double share = total == 0 ? 1 : Math.min(1, (double) (before + here) / total);
            int full = (int) (share * WIDTH);
            double seconds = Math.max(1e-3, (drawnAt - began) / 1e9);
            out.printf(
                    Locale.ROOT,
                    "\r\033[K[%s%s] %3.0f %%  %s of %s  %s/s  %s",
                    "#".repeat(full),
                    "-".repeat(WIDTH - full),
                    100 * share,
                    size(before + here),
                    size(total),
                    size((long) (received / seconds)),
                    name);
            out.flush();
            drawn = true;
        }

        private void clear() {
            if (drawn) {
                out.print("\r\033[K");
                drawn = false;
            }
        }
    }

    /** Every tenth of a file above 50 MB. */
    final class Lines implements PullProgress {
        private static final long LARGE_BYTES = 50_000_000;

        private final PrintStream out;
        private String name = "";
        private long bytes;
        private long said; // tenths

        Lines(PrintStream out) {
            this.out = out;
        }

        @Override
        public void total(int files, long bytes) {
            if (files > 1) {
                out.println(files + " files, " + size(bytes));
            }
        }

        @Override
        public void file(String name, long bytes, long alreadyHere) {
            this.name = name;
            this.bytes = bytes;
            this.said = bytes == 0 ? 0 : 10 * alreadyHere / bytes;
            if (alreadyHere > 0) {
                out.println(name + "  goes on at " + size(alreadyHere) + " of " + size(bytes));
            }
        }

        @Override
        public void at(long now) {
            long tenths = bytes == 0 ? 10 : 10 * now / bytes;
            if (bytes >= LARGE_BYTES && tenths > said && tenths < 10) {
                out.println(name + "  " + 10 * tenths + " % of " + size(bytes));
            }
            said = tenths;
        }

        @Override
        public void done() {
            out.println(name + "  " + size(bytes));
        }

        @Override
        public void note(String sentence) {
            out.println(sentence);
        }
    }
}
