package io.tidemill.feedback.serving;

import io.tidemill.feedback.answer.Engine;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The version that answers now. A swap is one reference: who holds a lease finishes on the old version, who asks next
 * gets the new one, and the old one is closed when its last lease is given back.
 */
public final class ServedModel implements AutoCloseable {
    private final AtomicReference<Counted> current = new AtomicReference<>();

    /** The engine that answers now, held open until the lease is closed; empty before the first version is loaded. */
    public Optional<Lease> acquire() {
        while (true) {
            Counted counted = current.get();
            if (counted == null) {
                return Optional.empty();
            }
            // Between the read and the hold the version may have been replaced and closed: then look again.
            if (counted.hold()) {
                return Optional.of(new Lease(counted));
            }
        }
    }

    /** Makes {@code next} answer from the next question on. */
    public void swap(Engine next) {
        Counted old = current.getAndSet(new Counted(next));
        if (old != null) {
            old.release();
        }
    }

    /** Version that answers now. */
    public Optional<String> version() {
        return Optional.ofNullable(current.get()).map(counted -> counted.engine.version());
    }

    @Override
    public void close() {
        Counted old = current.getAndSet(null);
        if (old != null) {
            old.release();
        }
    }

    /** One holder's right to an engine. */
    public static final class Lease implements AutoCloseable {
        private Counted counted;

        private Lease(Counted counted) {
            this.counted = counted;
        }

        public synchronized Engine engine() {
            if (counted == null) {
                throw new IllegalStateException("The lease was given back; acquire another one.");
            }
            return counted.engine;
        }

        /** Gives the engine back; a second call does nothing. */
        @Override
        public synchronized void close() {
            if (counted != null) {
                counted.release();
                counted = null;
            }
        }
    }

    /** An engine with the number of its holders; being current is one hold. */
    private static final class Counted {
        private final Engine engine;
        private int holders = 1;

        private Counted(Engine engine) {
            this.engine = engine;
        }

        private synchronized boolean hold() {
            if (holders == 0) {
                return false;
            }
            holders++;
            return true;
        }

        private void release() {
            boolean last;
            synchronized (this) {
                holders--;
                last = holders == 0;
            }
            if (last) {
                engine.close();
            }
        }
    }
}
