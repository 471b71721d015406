package io.tidemill.trainer.offline.log;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/** Tells how a run goes. */
public interface Progress {
    /**
     * A step was done.
     *
     * @param tokensPerSecond of the steps since the last log line
     */
    void step(long step, long steps, double loss, double learningRate, double tokensPerSecond);

    /** Figures were logged, of training or of an evaluation. */
    void logged(long step, long steps, Map<String, Double> figures);

    /** Something that people should know; may be several lines. */
    void say(String text);

    /** For a terminal: a bar that is drawn over itself. */
    static Progress bar(PrintStream out, LongSupplier nanoClock) {
        return new Bar(out, nanoClock);
    }

    /** For logs and pipes: a line for what is logged. */
    static Progress lines(PrintStream out) {
        return new Lines(out);
    }

    /** Figures as {@code key=value}. */
    static String keyValues(Map<String, Double> figures) {
        return figures.entrySet().stream()
                .map(figure -> figure.getKey() + "=" + number(figure.getValue()))
                .collect(Collectors.joining(" "));
    }

    private static String number(double value) {
        if (value == Math.rint(value) && Math.abs(value) < 1e15) {
            return String.valueOf((long) value);
        }
        boolean usual = Math.abs(value) >= 1e-3 && Math.abs(value) < 1e6;
        return String.format(Locale.ROOT, usual ? "%.4f" : "%.3e", value);
    }

    /** Draws at most ten times a second. */
    final class Bar implements Progress {
        private static final int WIDTH = 24;
        private static final long PAUSE_NANOS = 100_000_000;

        private final PrintStream out;
        private final LongSupplier nanoClock;
        private long beganNanos;
        private long beganStep = -1;
        private long drawnNanos;
        private boolean drawn;

        Bar(PrintStream out, LongSupplier nanoClock) {
            this.out = out;
            this.nanoClock = nanoClock;
        }

        @Override
        public void step(long step, long steps, double loss, double learningRate, double tokensPerSecond) {
            long now = nanoClock.getAsLong();
            if (beganStep < 0) {
                beganStep = step;
                beganNanos = now;
            }
            if (drawn && now - drawnNanos < PAUSE_NANOS && step < steps) {
                return;
            }
            drawnNanos = now;
            int full = (int) (WIDTH * step / Math.max(1, steps));
            out.printf(
                    Locale.ROOT,
                    "\r\033[K[%s%s] %d/%d  loss %.4f  lr %.2e  %,.0f tokens/s  %s left",
                    "#".repeat(full),
                    "-".repeat(WIDTH - full),
                    step,
                    steps,
                    loss,
                    learningRate,
                    tokensPerSecond,
                    left(step, steps, now));
            out.flush();
            drawn = true;
        }

        private String left(long step, long steps, long now) {
            if (step == beganStep) {
                return "?";
            }
            double perStep = (double) (now - beganNanos) / (step - beganStep);
            Duration left = Duration.ofNanos((long) (perStep * (steps - step)));
            return left.toHours() > 0
                    ? String.format("%d:%02d:%02d", left.toHours(), left.toMinutesPart(), left.toSecondsPart())
                    : String.format("%d:%02d", left.toMinutes(), left.toSecondsPart());
        }

        @Override
        public void logged(long step, long steps, Map<String, Double> figures) {
            if (figures.keySet().stream().anyMatch(name -> name.startsWith("eval_"))) {
                say(keyValues(figures)); // the bar itself shows the others
            }
        }

        @Override
        public void say(String text) {
            if (drawn) {
                out.print("\r\033[K");
                drawn = false;
            }
            out.println(text);
        }
    }

    /** Says each log line. */
    final class Lines implements Progress {
        private final PrintStream out;

        Lines(PrintStream out) {
            this.out = out;
        }

        @Override
        public void step(long step, long steps, double loss, double learningRate, double tokensPerSecond) {}

        @Override
        public void logged(long step, long steps, Map<String, Double> figures) {
            out.println("steps=" + steps + " " + keyValues(figures));
        }

        @Override
        public void say(String text) {
            out.println(text);
        }
    }
}
