package io.tidemill.model.hub;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/** Closes a body from which nothing has come for too long: that ends the read which waits for it. */
final class StallWatch implements AutoCloseable {
    private final InputStream body;
    private final long limitNanos;
    private final Thread thread;

    private long lastNanos = System.nanoTime();
    private boolean over;
    private boolean stalled;

    StallWatch(InputStream body, Duration limit) {
        this.body = body;
        this.limitNanos = limit.toNanos();
        this.thread = new Thread(this::watch, "hub-stall-watch");
        thread.setDaemon(true);
        thread.start();
    }

    private void watch() {
        synchronized (this) {
            while (!over) {
                long left = lastNanos + limitNanos - System.nanoTime();
                if (left <= 0) {
                    stalled = true;
                    break;
                }
                try {
                    wait(left / 1_000_000 + 1);
                } catch (InterruptedException e) {
                    return;
                }
            }
            if (!stalled) {
                return;
            }
        }
        try {
            body.close();
        } catch (IOException e) {
            // The read that waits fails in either case.
        }
    }

    synchronized void moved() {
        lastNanos = System.nanoTime();
    }

    synchronized boolean stalled() {
        return stalled;
    }

    @Override
    public synchronized void close() {
        over = true;
        notifyAll();
    }
}
