package io.tidemill.model.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Answers the prompts of many threads, several at once: those that are being written share each pass over the weights,
 * which at eight answers costs little more than at one. An answer begins when it is asked for, and ends by itself; it
 * waits for no other.
 *
 * <p>A seed promises the same answer only to one that is written alone. Beside others, sums are rounded otherwise, and an
 * answer may take another turn where two tokens are nearly as likely. Who must have the same answer again uses
 * {@link Generator}.
 *
 * <p>One thread computes, with its own number of threads inside an operation, whatever the callers' threads have; each
 * listener is called on its caller's thread, so that a slow one holds up nobody else.
 */
public final class SharedGenerator implements AutoCloseable {
    private final LanguageModel model;
    private final int atOnce;
    private final int threads;
    private final Thread writer = new Thread(this::run, "tidemill-generate");
    private final Object lock = new Object();
    private final Queue<Request> waiting = new ArrayDeque<>(); // guarded by lock, as is closed
    private boolean closed;

    /**
     * Starts the thread that computes.
     *
     * @param atOnce  answers that share a pass at most; others wait their turn
     * @param threads inside one operation; more than free cores is several times slower than one
     */
    public SharedGenerator(LanguageModel model, int atOnce, int threads) {
        if (atOnce < 1 || threads < 1) {
            throw new IllegalArgumentException(
                    "atOnce and threads must be at least 1, but were " + atOnce + " and " + threads);
        }
        this.model = model;
        this.atOnce = atOnce;
        this.threads = threads;
        writer.setDaemon(true);
        writer.start();
    }

    /**
     * Answers one prompt; returns when the answer is whole.
     *
     * @param prompt   at least one token and fewer than the model has positions
     * @param listener called on this thread; when it returns false, up to a few tokens more may already have been computed,
     *                 which belong to no answer
     * @return ends with CANCELLED if the listener has enough, or if this thread is interrupted, which it then still is
     * @throws IllegalStateException if this generator is closed, before or meanwhile
     */
    public Generation generate(int[] prompt, Sampling sampling, TokenListener listener) {
        Request request = new Request();
        request.row = new AnswerRow(model.config(), prompt, sampling, request);
        synchronized (lock) {
            if (closed) {
                throw closedError();
            }
            waiting.add(request);
            lock.notifyAll();
        }
        try {
            return request.pass(listener);
        } finally {
            request.cancelled = true;
        }
    }

    private static IllegalStateException closedError() {
        return new IllegalStateException("This generator is closed");
    }

    // ---- the thread that computes -----------------------------------------------------------------------------------

    private void run() {
        Map<AnswerRow, Request> writing = new HashMap<>();
        try (AnswerBatch batch = new AnswerBatch(model)) {
            Threads.intraOp(threads);
            int tokens = 1;
            while (true) {
                List<Request> admitted = admit(atOnce - batch.size(), batch.size() == 0);
                if (admitted == null) {
                    break;
                }
                try {
                    for (Request request : admitted) {
                        writing.put(request.row, request);
                        batch.add(request.row);
                    }
                    // The first token at once, for its reader; then more, because calls cost time.
                    tokens = admitted.isEmpty() ? Math.min(Generator.TOKENS_PER_CALL, 2 * tokens) : 1;
                    for (AnswerRow ended : batch.write(tokens)) {
                        writing.remove(ended).end(Event.END);
                    }
                } catch (RuntimeException | Error e) {
                    batch.close();
                    writing.values().forEach(request -> request.end(new Event(0, 0, e)));
                    writing.clear();
                }
            }
        } catch (RuntimeException | Error e) {
            giveUp(writing, e);
            return;
        }
        giveUp(writing, closedError());
    }

    /** Requests that may begin; null when it is time to stop. */
    private List<Request> admit(int room, boolean idle) {
        List<Request> admitted = new ArrayList<>();
        synchronized (lock) {
            try {
                while (idle && waiting.isEmpty() && !closed) {
                    lock.wait();
                }
            } catch (InterruptedException e) {
                closed = true;
            }
            if (closed) {
                return null;
            }
            while (admitted.size() < room && !waiting.isEmpty()) {
                Request next = waiting.remove();
                if (!next.cancelled) {
                    admitted.add(next);
                }
            }
        }
        return admitted;
    }

    private void giveUp(Map<AnswerRow, Request> writing, Throwable reason) {
        synchronized (lock) {
            closed = true;
            waiting.forEach(request -> request.end(new Event(0, 0, reason)));
            waiting.clear();
        }
        writing.values().forEach(request -> request.end(new Event(0, 0, reason)));
    }

    /** Ends answers that are being written or wait with an error, and returns when nothing is computed any more. */
    @Override
    public void close() {
        synchronized (lock) {
            closed = true;
            lock.notifyAll();
        }
        boolean interrupted = false;
        while (writer.isAlive()) {
            try {
                writer.join();
            } catch (InterruptedException e) {
                interrupted = true; // the weights may be freed after this, so wait all the same
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** A token on its way to its reader, or the end of an answer, or why there is none. */
    private record Event(int token, float logProbability, Throwable failure) {
        static final Event END = new Event(-1, 0, null);
    }

    /** One caller's answer: tokens go in on the thread that computes and come out on the caller's. */
    private static final class Request implements TokenListener {
        private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
        private AnswerRow row;
        private volatile boolean cancelled;

        @Override
        public boolean accept(int token, float logProbability) {
            if (!cancelled) {
                events.add(new Event(token, logProbability, null));
            }
            return !cancelled;
        }

        void end(Event event) {
            events.add(event);
        }

        /** Hands the tokens on until the answer ends, or the listener has enough. */
        Generation pass(TokenListener listener) {
            int count = 0;
            while (true) {
                Event event;
                try {
                    event = events.take();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return row.cancelledAfter(count);
                }
                if (event.failure != null) {
                    throw new IllegalStateException(
                            "The answer was not finished: " + event.failure.getMessage(), event.failure);
                }
                if (event == Event.END) {
                    return row.result();
                }
                count++;
                if (!listener.accept(event.token, event.logProbability)) {
                    return row.cancelledAfter(count);
                }
            }
        }
    }
}
