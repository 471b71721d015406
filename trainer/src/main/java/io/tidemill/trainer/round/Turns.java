package io.tidemill.trainer.round;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets the models of one process train one after the other, whoever has waited longest first: memory is reckoned, and threads
 * are set, for one round at a time.
 */
public final class Turns {
    private final ReentrantLock turn = new ReentrantLock(true);
    private volatile String holder = "nobody";

    /**
     * Waits for the turn; whoever asks again keeps its place only while it waits.
     *
     * @return whether it is the model's turn now, which it must {@link #end}
     */
    boolean take(String model, Duration atMost) throws InterruptedException {
        if (!turn.tryLock(atMost.toMillis(), TimeUnit.MILLISECONDS)) {
            return false;
        }
        holder = model;
        return true;
    }

    /** By the thread that took it, if it still has it. */
    void end() {
        if (turn.isHeldByCurrentThread()) {
            holder = "nobody";
            turn.unlock();
        }
    }

    /** The model whose turn it is. */
    String holder() {
        return holder;
    }
}
