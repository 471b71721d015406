package io.tidemill.feedback.serving;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The threads that generate, and the bounded queue before them. */
public final class AnswerQueue implements AutoCloseable {
    private final ThreadPoolExecutor threads;
    private final int maximumWaiting;
    private volatile boolean closing;

    /**
     * @param generators     answers that are generated at the same time
     * @param maximumWaiting questions that may wait for a generator
     */
    public AnswerQueue(int generators, int maximumWaiting) {
        this.maximumWaiting = maximumWaiting;
        AtomicInteger number = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(
                generators, generators, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(maximumWaiting), task -> {
                    Thread thread = new Thread(task, "feedback-generate-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
    }

    /** Runs the task as soon as a generator is free. */
    public void submit(Runnable task) throws Full {
        try {
            threads.execute(task);
        } catch (RejectedExecutionException e) {
            throw new Full(maximumWaiting);
        }
    }

    /** Questions that wait for a generator. */
    public int waiting() {
        return threads.getQueue().size();
    }

    /** Answers that are generated now. */
    public int running() {
        return threads.getActiveCount();
    }

    /** Whether answers should end at their next token, because the service stops. */
    public boolean closing() {
        return closing;
    }

    @Override
    public void close() {
        closing = true;
        threads.shutdownNow();
        try {
            if (!threads.awaitTermination(10, TimeUnit.SECONDS)) {
                throw new IllegalStateException("Generation did not end within 10 s of being asked to.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** As many questions wait as may. */
    public static final class Full extends Exception {
        private static final long serialVersionUID = 1L;

        private Full(int maximumWaiting) {
            super(maximumWaiting + " questions are waiting already (feedback.maximum-waiting); try again shortly.");
        }
    }
}
