package io.tidemill.standalone.torture;

import java.io.IOException;

/** What suffers faults: one lineage, from its base to its proof. */
interface Victim extends AutoCloseable {
    /** Can such a fault be done on this machine? */
    boolean allows(FaultKind kind);

    /** Lets it happen at its moment, and starts again what it ended. The outcome may be written by a later call. */
    void suffer(Fault fault) throws IOException, InterruptedException;

    /** Waits until all is learned, and looks whether all is as it should be. */
    Proof prove() throws IOException, InterruptedException;

    /** Takes its disk away, when there is nothing more to learn from it. */
    void discard() throws IOException, InterruptedException;

    /** Ends its processes; what they have written stays, for the next run of the harness or for whoever looks into it. */
    @Override
    void close() throws IOException, InterruptedException;
}
