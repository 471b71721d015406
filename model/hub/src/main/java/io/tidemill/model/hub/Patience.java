package io.tidemill.model.hub;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Tries again what may pass: up to five times in a row without getting further, for longer each time. */
final class Patience {
    private static final int ATTEMPTS = 5;
    private static final Duration LONGEST = Duration.ofSeconds(60);

    /** Lets time go by. */
    @FunctionalInterface
    interface Pause {
        void of(Duration duration) throws InterruptedException;
    }

    @FunctionalInterface
    interface Attempt<T> {
        T run() throws IOException;
    }

    private final Pause pause;
    private final Consumer<String> notes;

    Patience(Pause pause, Consumer<String> notes) {
        this.pause = pause;
        this.notes = notes;
    }

    /**
     * Runs the attempt until it succeeds.
     *
     * @param reached how far the attempts have got at best; never falls
     * @throws HubException when an attempt says so, when five in a row got no further, or when the server asks for a
     *     longer pause than a minute
     */
    <T> T insist(Attempt<T> attempt, LongSupplier reached) throws IOException {
        int failures = 0;
        long before = reached.getAsLong();
        while (true) {
            try {
                return attempt.run();
            } catch (TryLaterException e) {
                failures = reached.getAsLong() > before ? 1 : failures + 1;
                before = reached.getAsLong();
                Duration wait = e.wanted().orElse(Duration.ofSeconds(1L << (failures - 1)));
                if (wait.compareTo(LONGEST) > 0) {
                    throw new HubException(
                            e.getMessage() + ". Try again in " + wait.toSeconds() + " s; what is here is kept.", e);
                }
                if (failures >= ATTEMPTS) {
                    throw new HubException(
                            e.getMessage() + ", " + failures
                                    + " times in a row. Try again later; what is here is kept.",
                            e);
                }
                notes.accept(e.getMessage() + "; trying again in " + wait.toSeconds() + " s");
                sleep(wait);
            }
        }
    }

    private void sleep(Duration wait) throws InterruptedIOException {
        try {
            pause.of(wait);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("Interrupted while waiting for the hub; what is here is kept.");
        }
    }
}
