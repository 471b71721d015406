package io.tidemill.model.engine;

import ai.djl.pytorch.jni.JniUtils;

/** How many processor threads libtorch uses. The number inside one operation is a property of the calling thread. */
public final class Threads {
    private Threads() {}

    /**
     * Sets the threads of the operations that the calling thread starts from now on. More threads than free cores is
     * several times slower than one.
     *
     * @param threads at least 1
     */
    public static void intraOp(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, but was " + threads);
        }
        TorchProgram.start();
        JniUtils.setNumThreads(threads);
    }

    /** Threads of the operations that the calling thread starts. */
    public static int intraOp() {
        TorchProgram.start();
        return JniUtils.getNumThreads();
    }
}
