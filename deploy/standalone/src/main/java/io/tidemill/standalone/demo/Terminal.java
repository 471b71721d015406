package io.tidemill.standalone.demo;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;

/** Where the demo tells how it goes: lines that stay, and a state that is replaced. */
interface Terminal {
    /** Says something that stays. */
    void say(String line);

    /** Shows the state now; the first line names what is going on and changes only with it. */
    void show(List<String> state);

    static Terminal of(PrintStream out) {
        boolean live = Boolean.getBoolean("tidemill.terminal");
        return live ? new Live(out) : new Plain(out);
    }

    /** Redraws the state in place with ANSI's cursor movements. */
    final class Live implements Terminal {
        private static final int WIDTH = 110;

        private final PrintStream out;
        private List<String> shown = List.of();

        Live(PrintStream out) {
            this.out = out;
        }

        @Override
        public synchronized void say(String line) {
            clear();
            out.println(line);
            draw(shown);
        }

        @Override
        public synchronized void show(List<String> state) {
            clear();
            draw(state);
        }

        private void clear() {
            if (!shown.isEmpty()) {
                out.print("\033[" + shown.size() + "F\033[J"); // up to the first line of the state, erase from there
            }
        }

        private void draw(List<String> state) {
            shown = List.copyOf(state);
            for (String line : state) {
                out.println(line.length() > WIDTH ? line.substring(0, WIDTH - 1) + "…" : line);
            }
            out.flush();
        }
    }

    /** For logs and pipes: a line when something new begins, and now and then while it goes on. */
    final class Plain implements Terminal {
        private static final long REPEAT_NANOS = Duration.ofSeconds(10).toNanos();

        private final PrintStream out;
        private String heading = "";
        private long saidAt = System.nanoTime();

        Plain(PrintStream out) {
            this.out = out;
        }

        @Override
        public synchronized void say(String line) {
            out.println(line);
            out.flush();
        }

        @Override
        public synchronized void show(List<String> state) {
            if (state.isEmpty()) {
                return;
            }
            boolean isNew = !state.get(0).equals(heading);
            if (isNew || System.nanoTime() - saidAt > REPEAT_NANOS) {
                heading = state.get(0);
                saidAt = System.nanoTime();
                say(String.join(" | ", state));
            }
        }
    }
}
