package io.tidemill.standalone.torture;

import java.time.Duration;

/** The newest fault until it is known what came of it. */
final class Recovery {
    private final FaultLedger ledger;
    private final Duration patience;
    private Fault fault; // null where nothing is waited for
    private String hit = "";
    private long faultMillis;
    private long overMillis;

    Recovery(FaultLedger ledger, Duration patience) {
        this.ledger = ledger;
        this.patience = patience;
    }

    /**
     * A fault has happened.
     *
     * @param faultMillis when recovering began
     * @param overMillis  signs of work before that do not count
     */
    void expect(Fault happened, String what, long faultMillis, long overMillis) {
        this.fault = happened;
        this.hit = what;
        this.faultMillis = faultMillis;
        this.overMillis = overMillis;
    }

    boolean settled() {
        return fault == null;
    }

    /** A sign of work. */
    void working(long millis) {
        if (fault != null && millis >= overMillis) {
            settle((millis - faultMillis) * 1e-3, "recovered");
        }
    }

    /** The next fault happens. */
    void overtaken() {
        if (fault != null) {
            settle(Double.NaN, "overtaken");
        }
    }

    /** It went wrong; false where nothing was waited for. */
    boolean failed(String how) {
        if (fault == null) {
            return false;
        }
        settle(Double.NaN, how);
        return true;
    }

    /** Gives up what takes too long. */
    void overdue(String standing) {
        if (fault != null && System.currentTimeMillis() - overMillis > patience.toMillis()) {
            settle(Double.NaN, "not recovered in " + patience.toSeconds() + " s: " + standing);
        }
    }

    private void settle(double seconds, String result) {
        ledger.outcome(fault, hit, seconds, result);
        fault = null;
    }
}
