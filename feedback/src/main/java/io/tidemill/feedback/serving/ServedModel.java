package io.tidemill.feedback.serving;

import io.tidemill.feedback.answer.Engine;
import io.tidemill.proto.Ids;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The version that answers now, and beside it a canary where there is one. A swap is one reference: who holds a lease
 * finishes on the old version, who asks next gets the new one. The old one stays loaded on standby, where that is wanted, so
 * that a rollback is one reference too; else it is closed when its last lease is given back.
 */
public final class ServedModel implements AutoCloseable {
    private final AtomicReference<Counted> current = new AtomicReference<>();
    private final AtomicReference<Canary> canary = new AtomicReference<>();
    private final AtomicReference<Counted> standby = new AtomicReference<>();
    private final boolean keepsOld;

    /** Closes what is replaced. */
    public ServedModel() {
        this(false);
    }

    /** @param keepsOld whether the version that was replaced last stays loaded */
    public ServedModel(boolean keepsOld) {
        this.keepsOld = keepsOld;
    }

    /** @param share of the conversations */
    private record Canary(Counted counted, double share) {
        String version() {
            return counted.engine.version();
        }

        /**
         * A conversation always draws the same: the first 53 bits of a hash of it and the canary, read as a fraction, are
         * compared with the share.
         */
        boolean answers(String conversation) {
            long bits = Long.parseUnsignedLong(
                    Ids.contentHash(version() + '\0' + conversation).substring(0, 16), 16);
            return (bits >>> 11) * 0x1.0p-53 < share;
        }
    }

    /** The engine that answers now, held open until the lease is closed; empty before the first version is loaded. */
    public Optional<Lease> acquire() {
        while (true) {
            Counted counted = current.get();
            if (counted == null) {
                return Optional.empty();
            }
            // Between the read and the hold the version may have been replaced and closed: then look again.
            if (counted.hold()) {
                return Optional.of(new Lease(counted, Arm.notDrawn(false)));
            }
        }
    }

    /** The same for a conversation, which the canary answers if it is drawn; without a canary nothing is drawn. */
    public Optional<Lease> draw(String conversation) {
        Canary beside = canary.get();
        if (beside == null) {
            return acquire();
        }
        if (!beside.answers(conversation)) {
            return acquire().map(lease -> lease.as(Arm.drawn(false, beside.share, beside.version())));
        }
        return beside.counted.hold()
                ? Optional.of(new Lease(beside.counted, Arm.drawn(true, beside.share, beside.version())))
                : draw(conversation); // it went meanwhile
    }

    /** The version that is named, if it answers here at all. */
    public Optional<Lease> acquire(String version) {
        Canary beside = canary.get();
        if (beside != null && beside.version().equals(version) && beside.counted.hold()) {
            return Optional.of(new Lease(beside.counted, Arm.notDrawn(true)));
        }
        Optional<Lease> lease = acquire();
        if (lease.isPresent() && !lease.get().engine().version().equals(version)) {
            lease.get().close();
            return Optional.empty();
        }
        return lease;
    }

    /** Makes {@code next} answer from the next question on. */
    public void swap(Engine next) {
        retire(current.getAndSet(new Counted(next)));
    }

    /** Makes the version on standby answer again, if it is this one. */
    public boolean recall(String version) {
        Counted kept = standby.get();
        if (kept == null || !kept.engine.version().equals(version)) {
            return false;
        }
        standby.set(null); // its hold is that of being current from now on
        retire(current.getAndSet(kept));
        return true;
    }

    /** Closes the version on standby; false where there is none. */
    public boolean dropStandby() {
        Counted kept = standby.getAndSet(null);
        release(kept);
        return kept != null;
    }

    private void retire(Counted old) {
        release(keepsOld ? standby.getAndSet(old) : old);
    }

    /** Makes {@code next} answer a share of the conversations, beside the version that serves. */
    public void addCanary(Engine next, double share) {
        release(canary.getAndSet(new Canary(new Counted(next), share)));
    }

    /** The version that serves answers all conversations again. */
    public void removeCanary() {
        release(canary.getAndSet(null));
    }

    /** Makes the canary answer everything, if it is this version. */
    public boolean promoteCanary(String version) {
        Canary beside = canary.get();
        if (beside == null || !beside.version().equals(version)) {
            return false;
        }
        Counted old = current.getAndSet(beside.counted);
        canary.set(null); // the hold of being the canary is now that of being current
        retire(old);
        return true;
    }

    /** Version that answers now. */
    public Optional<String> version() {
        return Optional.ofNullable(current.get()).map(counted -> counted.engine.version());
    }

    /** Version that answers a share of the conversations. */
    public Optional<String> canary() {
        return Optional.ofNullable(canary.get()).map(Canary::version);
    }

    private static void release(Canary canary) {
        if (canary != null) {
            canary.counted.release();
        }
    }

    private static void release(Counted counted) {
        if (counted != null) {
            counted.release();
        }
    }

    @Override
    public void close() {
        removeCanary();
        dropStandby();
        release(current.getAndSet(null));
    }

    /** One holder's right to an engine. */
    public static final class Lease implements AutoCloseable {
        private Counted counted;
        private final Arm arm;

        private Lease(Counted counted, Arm arm) {
            this.counted = counted;
            this.arm = arm;
        }

        private synchronized Lease as(Arm other) {
            return new Lease(counted, other);
        }

        public Arm arm() {
            return arm;
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

    /** An engine with the number of its holders; being current, or the canary, is one hold. */
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
