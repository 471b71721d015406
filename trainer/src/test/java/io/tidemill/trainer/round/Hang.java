package io.tidemill.trainer.round;

import io.tidemill.trainer.checkpoint.VersionSigner;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;

/** A round that hangs where it would sign its version, the last thing before that exists. */
final class Hang implements VersionSigner {
    private final String version;
    private final CountDownLatch hangs = new CountDownLatch(1);
    private final CountDownLatch goesOn = new CountDownLatch(1);

    Hang(String version) {
        this.version = version;
    }

    @Override
    public void sign(Path directory) {
        if (directory.toString().contains(version)) {
            hangs.countDown();
            await(goesOn);
        }
    }

    /** Returns when the round hangs. */
    void await() {
        await(hangs);
    }

    void goOn() {
        goesOn.countDown();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
